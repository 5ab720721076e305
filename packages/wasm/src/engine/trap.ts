/**
 * Stops a guest from inside one of its host calls.
 *
 * K1. The stop is a WebAssembly trap, not a JavaScript exception: a guest's `catch_all` catches what JavaScript throws and goes
 *     on, but not a trap (core specification, "Traps"; exception handling proposal).
 */

import { webAssembly } from "../web-assembly.ts";

/** `(module (func (export "t") unreachable))` */
const TRAP_MODULE = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00,
  0x07, 0x05, 0x01, 0x01, 0x74, 0x00, 0x00, 0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b,
];

let trapFunction: (() => never) | undefined;

/** Trap. @throws a RuntimeError, always */
export function trap(): never {
  trapFunction ??= new webAssembly.Instance(new webAssembly.Module(Uint8Array.from(TRAP_MODULE))).exports[
    "t"
  ] as () => never;
  return trapFunction();
}
