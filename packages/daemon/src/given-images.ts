/** A runner of WebAssembly cells whose images are moved to the thread that asks for them, not copied. */
import type { CellRunnerPort } from "@glia-os/cells";
import { oneService } from "./agents/outbox-port.ts";
import { moved } from "./thread-call.ts";

/** What is read of a cell belongs to whoever asked: the engine makes it anew each time, and keeps nothing of it. */
export function givingImages(runner: CellRunnerPort): CellRunnerPort {
  const given = async (read: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> => {
    const bytes = await read;
    return bytes === undefined ? undefined : moved(bytes);
  };
  const giving: Pick<CellRunnerPort, "readAhead" | "readImage"> = {
    readAhead: (agent, leastBytes) => given(runner.readAhead(agent, leastBytes)),
    readImage: (agent) => given(runner.readImage(agent)),
  };
  return oneService(runner, giving) as CellRunnerPort;
}
