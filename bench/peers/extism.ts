/** Extism's JavaScript SDK with a plugin that answers with its input, in the calling thread. */
import createPlugin, { type Plugin } from "@extism/extism";
import binaryen from "binaryen";
import type { Contestant } from "../src/suite.ts";

/** Copies its input to its output, eight bytes at a time. */
const ECHO = `(module
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $load (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "echo") (result i32) (local $n i64) (local $to i64) (local $at i64)
    (local.set $n (call $length))
    (local.set $to (call $alloc (local.get $n)))
    (loop $next
      (call $store (i64.add (local.get $to) (local.get $at)) (call $load (local.get $at)))
      (br_if $next (i64.lt_u (local.tee $at (i64.add (local.get $at) (i64.const 8))) (local.get $n))))
    (call $output (local.get $to) (local.get $n))
    (i32.const 0)))`;

/** The part of the JavaScript API of WebAssembly used here. */
const { compile } = (
  globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<object> } }
).WebAssembly;

async function compiled(): Promise<never> {
  const module = binaryen.parseText(ECHO);
  try {
    // The SDK's types name a class that TypeScript declares for browsers only.
    return (await compile(module.emitBinary())) as never;
  } finally {
    module.dispose();
  }
}

/** A plugin is made from a compiled module, called once and closed. */
export async function extismSpawn(): Promise<Contestant> {
  const module = await compiled();
  return {
    run: async (times) => {
      for (let left = times; left > 0; left--) {
        const plugin = await createPlugin(module);
        await plugin.call("echo", "12345678");
        await plugin.close();
      }
    },
  };
}

const CALLS_PER_RESET = 1000;

/** A message of `bytes` to a plugin and its answer. */
export async function extismMessage(bytes: number): Promise<Contestant> {
  const plugin: Plugin = await createPlugin(await compiled());
  const message = new Uint8Array(bytes).fill(7);
  return {
    run: async (times) => {
      for (let left = times; left > 0; left--) {
        await plugin.call("echo", message);
        // What a call has put into the plugin's memory stays there until then, and there is room for 32,768 pieces.
        if (left % CALLS_PER_RESET === 0) await plugin.reset();
      }
    },
    close: () => plugin.close(),
  };
}
