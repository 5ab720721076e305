/**
 * A guest that makes the calls of `glia.sys.v1` it is told to: each message names one with its arguments, the reply is the result.
 * The number {@link SHOW} answers with a piece of memory instead, and {@link WAIT} sleeps.
 */
import { SYS_IMPORTS } from "@glia-os/abi/wire";

/** Where a message lies in the guest's memory, where its bytes begin there, and where results are copied to. */
const MESSAGE_AT = 1024;
export const BYTES_AT: number = MESSAGE_AT + 24;
export const RESULT_AT = 65_536;
export const SHOW = 100;
export const WAIT = 101;

const imports: string = SYS_IMPORTS.map(
  ({ name, params }) =>
    `(import "glia.sys.v1" "${name}" (func $${name} (param ${params.join(" ")}) (result i32)))`,
).join("\n");

const argument = (at: number): string => `(i32.load (i32.const ${MESSAGE_AT + 4 + 4 * at}))`;

const calls: string = SYS_IMPORTS.map(({ name, params }, index) => {
  const given = params.map((type, at) =>
    type === "i64" ? `(i64.extend_i32_s ${argument(at)})` : argument(at),
  );
  return `(if (i32.eq (local.get $op) (i32.const ${index})) (then (local.set $r (call $${name} ${given.join(" ")}))))`;
}).join("\n");

/** Its source. */
export const CALLER: string = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (import "glia.v1" "sleep" (func $sleep (param i64) (result i32)))
  ${imports}
  (memory 4)
  (func (export "glia_main") (result i32) (local $op i32) (local $r i32)
    (loop $again
      (drop (call $receive (i32.const ${MESSAGE_AT}) (i32.const 60000)))
      (local.set $op (i32.load (i32.const ${MESSAGE_AT})))
      (local.set $r (i32.const -99))
      (if (i32.eq (local.get $op) (i32.const ${WAIT}))
        (then (local.set $r (call $sleep (i64.extend_i32_s ${argument(0)})))))
      ${calls}
      (if (i32.eq (local.get $op) (i32.const ${SHOW}))
        (then (drop (call $reply ${argument(0)} ${argument(1)})))
        (else
          (i32.store (i32.const 1000) (local.get $r))
          (drop (call $reply (i32.const 1000) (i32.const 4)))))
      (br $again))
    (i32.const 0)))`;

const utf8 = new TextEncoder();

/** The message that asks for a call. Pieces of text or bytes are put behind it and become (pointer, length). */
export function ask(name: string | number, ...args: readonly (number | string | Uint8Array)[]): Uint8Array {
  const op = typeof name === "number" ? name : SYS_IMPORTS.findIndex((one) => one.name === name);
  const numbers: number[] = [op];
  let bytes = new Uint8Array();
  for (const one of args) {
    if (typeof one === "number") {
      numbers.push(one);
      continue;
    }
    const piece = typeof one === "string" ? utf8.encode(one) : one;
    numbers.push(BYTES_AT + bytes.length, piece.length);
    bytes = new Uint8Array([...bytes, ...piece]);
  }
  const message = new Uint8Array(24 + bytes.length);
  const view = new DataView(message.buffer);
  for (const [at, value] of numbers.entries()) view.setInt32(4 * at, value, true);
  message.set(bytes, 24);
  return message;
}

/** The number in a reply. */
export function numberIn(reply: Uint8Array | undefined): number {
  return new DataView((reply ?? new Uint8Array(4)).slice().buffer).getInt32(0, true);
}
