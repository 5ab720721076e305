/**
 * One of the processes that a pre-emptive guest moves between. Each message {module, request?, snapshot?, fuel} runs one slice: of
 * a fresh guest given `request`, or of the one in `snapshot`. The answer is {reply, fuelUsed} when the guest has replied, else
 * {snapshot, fuelUsed}.
 */
import { readFileSync } from "node:fs";
import { createWasmEngine, decodeSnapshot, encodeSnapshot, type WasmProgram } from "@glia-os/wasm";

interface Slice {
  readonly module: string;
  readonly request?: Uint8Array;
  readonly snapshot?: Uint8Array;
  readonly fuel: number;
}

const programs = new Map<string, Promise<WasmProgram>>();
process.on("message", async ({ module, request, snapshot, fuel }: Slice) => {
  let admitted = programs.get(module);
  admitted ??= createWasmEngine().admit(readFileSync(module), ["glia.v1"]);
  programs.set(module, admitted);
  const program = await admitted;
  let reply: Uint8Array | undefined;
  const host = {
    log: (): void => undefined,
    wallMs: (): number => 1234,
    random: (target: Uint8Array): void => void target.fill(9),
    reply: (payload: Uint8Array): number => {
      reply = payload;
      return 0;
    },
  };
  const instance =
    snapshot === undefined
      ? program.instantiate({}, host)
      : program.restore(decodeSnapshot(snapshot), {}, host);
  if (request === undefined) instance.step(undefined, fuel);
  else {
    instance.step();
    instance.step({ value: request.length, payload: request }, fuel);
  }
  const { fuelUsed } = instance;
  const bytes = reply === undefined ? Buffer.concat([...encodeSnapshot(instance.snapshot())]) : undefined;
  process.send?.({ node: process.version, reply, snapshot: bytes, fuelUsed });
});
