/** Step 7: a task waits until a socket can be read. Only this task waits; others run meanwhile. */
import { connect, listen } from "@glia-os/host";
import type { Handle } from "@glia-os/kernel";
import { boot } from "./machine.ts";

/** One task waits for a message while another counts its turns; gives the message and the count. */
export async function waitBesideWork(): Promise<{ readonly text: string; readonly turns: number }> {
  const machine = boot();
  const { kernel } = machine;
  const server = await listen(kernel);
  const client = await connect(kernel, { port: server.port });
  let turns = 0;
  const reader = kernel.spawn(
    function* (sys, listener: Handle) {
      yield* sys.readWait(listener);
      const connection = sys.readFrom<Handle>(listener, 1)!;
      yield* sys.readWait(connection);
      return Buffer.from(sys.readFrom(connection, 100) ?? []).toString();
    },
    { give: [server.handle] },
  );
  kernel.spawn(
    function* (sys, connection: Handle) {
      for (; turns < 10; turns++) yield* sys.sleep(1);
      yield* sys.writeWait(connection);
      sys.writeTo(connection, Buffer.from("hello"));
    },
    { give: [client] },
  );
  const exit = await machine.exitOf<string>(reader);
  server.close();
  await machine.stop(1000);
  return { text: exit.kind === "ok" ? exit.value : exit.kind, turns };
}

if (import.meta.main) console.log(await waitBesideWork());
