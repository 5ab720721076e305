/**
 * Makes two functions of JavaScript into functions that a table can hold.
 *
 * A table takes only functions of WebAssembly. A module that imports a function and exports it again gives one.
 */
import { type CompiledModule, type FunctionTable, webAssembly } from "../web-assembly.ts";

/** `(module (import "h" "a" (func (param i32))) (import "h" "b" (func (param i32 i32))) (export "a" (func 0)) (export "b" (func 1)))` */
const MODULE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x0a, 0x02, 0x60, 0x01, 0x7f, 0x00, 0x60, 0x02, 0x7f, 0x7f, 0x00],
  ...[0x02, 0x0d, 0x02, 0x01, 0x68, 0x01, 0x61, 0x00, 0x00, 0x01, 0x68, 0x01, 0x62, 0x00, 0x01],
  ...[0x07, 0x09, 0x02, 0x01, 0x61, 0x00, 0x00, 0x01, 0x62, 0x00, 0x01],
];

let compiled: CompiledModule | undefined;

/** What a guest calls when a page may be missing: with the address of an access, or with a range. */
export interface PresenceCalls {
  readonly one: (address: number) => void;
  readonly range: (start: number, length: number) => void;
}

/** Put the functions into the table of a module with presence checks. */
export function connectCalls(table: FunctionTable, { one, range }: PresenceCalls): void {
  compiled ??= new webAssembly.Module(Uint8Array.from(MODULE));
  const { exports } = new webAssembly.Instance(compiled, { h: { a: one, b: range } });
  table.set(0, exports["a"] as object);
  table.set(1, exports["b"] as object);
}
