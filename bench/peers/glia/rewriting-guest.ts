/** A guest that fills its memory with numbers that do not compress, then rewrites the first part of it over and over. */
import { instrument } from "@glia-os/wasm/pipeline";
import binaryen from "binaryen";

const PAGE_BYTES = 65_536;

/** How large a guest is, and how much of it changes. */
export interface Size {
  readonly mebibytes: number;
  /** Bytes that are rewritten, 8 at a time, each from what was there. */
  readonly working: number;
}

/** The guest, pre-emptive. It never ends. */
export async function rewritingGuest({ mebibytes, working }: Size): Promise<Uint8Array> {
  const bytes = mebibytes * 2 ** 20;
  const module = binaryen.parseText(`(module
    (memory ${bytes / PAGE_BYTES})
    (func $fill (local $at i32) (local $x i64)
      (local.set $x (i64.const 88172645463325252))
      (loop $l
        (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
        (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
        (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
        (i64.store (local.get $at) (local.get $x))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const ${bytes})))))
    (func (export "glia_main") (result i32) (local $at i32)
      (call $fill)
      (loop $ever
        (local.set $at (i32.const 0))
        (loop $l
          (i64.store (local.get $at) (i64.rotl (i64.add (i64.load (local.get $at)) (i64.const 77)) (i64.const 9)))
          (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const ${working}))))
        (br $ever))
      (unreachable)))`);
  try {
    return (await instrument(module.emitBinary(), { profile: "preemptive" })).bytes;
  } finally {
    module.dispose();
  }
}
