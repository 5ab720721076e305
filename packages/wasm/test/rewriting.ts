/** A guest that fills its memory and then rewrites the same part of it again and again, and a random walk over its steps. */
import { createWasmEngine, type Profile, type WasmProgram } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { assemble } from "./guest.ts";

/**
 * The guest as text: `pages` of 64 KiB filled with pseudo-random numbers, then `turns` times `working` bytes are rewritten, 8 at a
 * time, each from what was there; every turn also writes one word somewhere. It replies with a digest of all its memory.
 */
export function rewriting(pages: number, working: number, turns: number): string {
  const bytes = pages * 65_536;
  return `(module
    (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
    (memory ${pages})
    (data (i32.const 200) "segments are put back")
    (global $state (mut i64) (i64.const 88172645463325252))
    (func $next (result i64)
      (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 13))))
      (global.set $state (i64.xor (global.get $state) (i64.shr_u (global.get $state) (i64.const 7))))
      (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 17))))
      (global.get $state))
    (func $fill (local $at i32)
      (loop $l
        (i64.store (local.get $at) (call $next))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const ${bytes})))))
    (func $rewrite (local $at i32)
      (loop $l
        (i64.store (local.get $at) (i64.rotl (i64.add (i64.load (local.get $at)) (global.get $state)) (i64.const 9)))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const ${working})))))
    (func $digest (result i64) (local $at i32) (local $sum i64)
      (loop $l
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 1099511628211)) (i64.load (local.get $at))))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const ${bytes}))))
      (local.get $sum))
    (func (export "glia_main") (result i32) (local $turn i32) (local $sum i64)
      (call $fill)
      (loop $turns
        (call $rewrite)
        (i64.store (i32.and (i32.wrap_i64 (call $next)) (i32.const ${2 ** Math.floor(Math.log2(bytes)) - 1 - 7})) (call $next))
        (br_if $turns (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const ${turns}))))
      (local.set $sum (call $digest))
      (i64.store (i32.const 0) (local.get $sum))
      (drop (call $reply (i32.const 0) (i32.const 8)))
      (i32.wrap_i64 (local.get $sum))))`;
}

/** The instrumented module. */
export async function rewritingModule(
  pages: number,
  working: number,
  turns: number,
  profile: Profile = "preemptive",
): Promise<Uint8Array> {
  return (await instrument(assemble(rewriting(pages, working, turns)), { profile })).bytes;
}

/** The program, admitted. */
export async function rewritingProgram(pages: number, working: number, turns: number): Promise<WasmProgram> {
  return createWasmEngine().admit(await rewritingModule(pages, working, turns), ["glia.v1"]);
}
