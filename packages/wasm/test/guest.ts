/** Small guests written as WebAssembly text, and a host that records what they do. */
import type { EngineLimits, GuestHost, HostModule } from "@glia-os/abi/ports";
import binaryen from "binaryen";
import { createWasmEngine, type WasmInstance, type WasmProgram } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";

/** All features but the one whose encoding of imports is not part of any finished specification; the types do not name it. */
const FEATURES =
  binaryen.Features.All & ~(binaryen.Features as unknown as { CompactImports: number }).CompactImports;

/** Text to module, not instrumented. */
export function assemble(text: string, features: number = FEATURES): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(features);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** Text to instrumented module. */
export async function guest(text: string): Promise<Uint8Array> {
  return (await instrument(assemble(text))).bytes;
}

/** Everything the host was asked. */
export class RecordingHost implements GuestHost {
  readonly replies: Uint8Array[] = [];
  readonly logs: string[] = [];

  log(level: number, text: string): void {
    this.logs.push(`${level} ${text}`);
  }
  wallMs(): number {
    return 1_234.9;
  }
  random(target: Uint8Array): void {
    target.fill(0xab);
  }
  reply(payload: Uint8Array): number {
    this.replies.push(payload);
    return 0;
  }
}

/** The program admitted with all of `glia.v1` and the modules given. */
export async function admit(text: string, hostModules: readonly HostModule[] = []): Promise<WasmProgram> {
  const grants = ["glia.v1", ...hostModules.map(({ name }) => name)];
  return createWasmEngine({ hostModules }).admit(await guest(text), grants);
}

/** A fresh instance and its host. */
export async function instance(
  text: string,
  limits: Partial<EngineLimits> = {},
): Promise<{ readonly it: WasmInstance; readonly host: RecordingHost; readonly program: WasmProgram }> {
  const program = await admit(text);
  const host = new RecordingHost();
  return { it: program.instantiate(limits, host), host, program };
}

/** Sums what it receives, one u32 per message, in the middle of a recursion `depth` deep, with a global and a table in use. */
export const SUMMING = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (memory (export "memory") 1 10)
  (type $op (func (param i64 i64) (result i64)))
  (table 1 1 funcref) (elem (i32.const 0) $add)
  (global $total (mut i64) (i64.const 0))
  (global $wide (mut f64) (f64.const 0.5))
  (global $narrow (mut f32) (f32.const 1.5))
  (global $calls (mut i32) (i32.const 0))
  (start $begin)
  (func $begin (global.set $calls (i32.const 100)))
  (func $add (type $op) (i64.add (local.get 0) (local.get 1)))
  (func $next (result i64)
    (drop (call $receive (i32.const 64) (i32.const 8)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.set $wide (f64.mul (global.get $wide) (f64.const 1.25)))
    (i64.load32_u (i32.const 64)))
  (func $down (param $n i32) (result i64) (local $mine i64)
    (local.set $mine (call $next))
    (if (i32.eqz (local.get $n)) (then (return (local.get $mine))))
    (call_indirect (type $op) (call $down (i32.sub (local.get $n) (i32.const 1))) (i64.mul (local.get $mine) (i64.extend_i32_u (local.get $n))) (i32.const 0)))
  (func (export "glia_main") (result i32)
    (global.set $total (call $down (i32.const 3)))
    (i64.store (i32.const 128) (global.get $total))
    (f64.store (i32.const 136) (global.get $wide))
    (f32.store (i32.const 144) (global.get $narrow))
    (i32.store (i32.const 148) (global.get $calls))
    (drop (call $reply (i32.const 128) (i32.const 24)))
    (i32.const 7)))`;

/** A u32 as a message. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
