/**
 * One stop of a moving guest, as a process: takes {module, snapshot?, messages} as JSON on standard input, runs the guest over
 * the messages and prints {node, replies, snapshot}. Byte strings are base64.
 */
import { readFileSync } from "node:fs";
import { createWasmEngine, decodeSnapshot, encodeSnapshot } from "@glia-os/wasm";

const input = JSON.parse(readFileSync(0, "utf8")) as {
  module: string;
  snapshot?: string;
  messages: string[];
};
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const replies: string[] = [];
const host = {
  log: (): void => undefined,
  wallMs: (): number => 0,
  random: (target: Uint8Array): void => void target.fill(9),
  reply: (payload: Uint8Array): number => replies.push(Buffer.from(payload).toString("base64")) * 0,
};
const program = await createWasmEngine().admit(readFileSync(input.module), ["glia.v1"]);
const instance =
  input.snapshot === undefined
    ? program.instantiate({}, host)
    : program.restore(decodeSnapshot(bytes(input.snapshot)), {}, host);
if (input.snapshot === undefined) instance.step();
for (const message of input.messages) instance.step({ value: 0, payload: bytes(message) });
const snapshot = Buffer.concat([...encodeSnapshot(instance.snapshot())]).toString("base64");
process.stdout.write(JSON.stringify({ node: process.version, replies, snapshot }));
