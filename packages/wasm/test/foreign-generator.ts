/**
 * Guests from another generator than ours: binaryen's own fuzzer makes a module of random bytes (`wasm-opt -ttf`), and this makes a
 * guest of it.
 *
 * FG1. The guest calls every function of the module once, with constants drawn from the seed, and replies with a digest of all that
 *      the module logged and of its memory.
 * FG2. Every fourth value logged is a wait, so the module is stopped in the middle of its calls.
 * FG3. No NaN is observable: the generator replaces them by 0 (`--denan`), because the bits of a NaN may differ between optimisers.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomFrom } from "./random-module.ts";

const TOOLS = join(dirname(fileURLToPath(import.meta.resolve("binaryen"))), "bin");
const FEATURES = [
  "--mvp-features",
  "--enable-simd",
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-sign-ext",
  "--enable-mutable-globals",
  "--enable-nontrapping-float-to-int",
  "--enable-multivalue",
];
const TEXT_BYTES = 64 * 1024 * 1024;
type Type = "i32" | "i64" | "f32" | "f64" | "v128";

/** The guest of a seed, as text, and how many functions the generator gave it. */
export function foreignModule(seed: number): { readonly text: string; readonly functions: number } {
  const below = randomFrom(seed);
  const generated = generate(Uint8Array.from({ length: 800 + below(4000) }, () => below(256)));
  const lines = generated.split("\n").filter((line) => !/^ \((export|import|start) /.test(line));
  const imports = [
    ...generated.matchAll(/\(import "fuzzing-support" "(\S+)" \(func (\S+?)((?: \(.*)?)\)\)$/gm),
  ] as unknown as readonly (readonly [string, string, string, string])[];
  const functions = [...generated.matchAll(/^ \(func (\S+)((?: \(.*)?)$/gm)];
  const calls = functions.map(([, name, signature]) => call(name as string, signature as string, below));
  const text = [
    "(module",
    `(import "glia.v1" "yield" (func $glia_yield (result i32)))`,
    `(import "glia.v1" "reply" (func $glia_reply (param i32 i32) (result i32)))`,
    ...lines.slice(1, lines.lastIndexOf(")")),
    `(export "memory" (memory $0))`,
    ...imports.map(([, wanted, name, signature]) =>
      wanted.startsWith("log-") ? logger(wanted, name) : nothing(name, signature),
    ),
    DIGEST,
    `(func (export "glia_main") (result i32) ${calls.join("\n")} (call $glia_digest))`,
    ")",
  ].join("\n");
  return { text, functions: functions.length };
}

function generate(bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "glia-ttf-"));
  const [input, output] = [join(folder, "bytes"), join(folder, "module.wasm")];
  const run = (tool: string, args: readonly string[]): string =>
    execFileSync(process.execPath, [join(TOOLS, tool), ...args], {
      encoding: "utf8",
      maxBuffer: TEXT_BYTES,
      stdio: ["ignore", "pipe", "ignore"],
    });
  try {
    writeFileSync(input, bytes);
    run("wasm-opt", [input, "-ttf", "--denan", "-o", output, ...FEATURES]);
    return run("wasm-dis", [output, ...FEATURES]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The types of a function's parameters or results, as its head names them. */
function types(signature: string, kind: "param" | "result"): Type[] {
  return [...signature.matchAll(new RegExp(`\\(${kind} ([^)]*)\\)`, "g"))].flatMap(
    ([, list]) => (list as string).split(" ").filter((word) => !word.startsWith("$")) as Type[],
  );
}

function call(name: string, signature: string, below: (below: number) => number): string {
  const args = types(signature, "param").map((type) =>
    type === "v128"
      ? `(v128.const i32x4 ${below(9)} ${below(1e6)} 0 1)`
      : `(${type}.const ${below(2) === 0 ? below(64) : below(2 ** 31) - 2 ** 30})`,
  );
  const results = types(signature, "result").length;
  const it = `(call ${name} ${args.join(" ")})`;
  if (results === 0) return it;
  return results === 1 ? `(drop ${it})` : `(tuple.drop ${results} ${it})`;
}

/** In place of what only binaryen's own runner has: calling exports, sleeping. */
function nothing(name: string, signature: string): string {
  const results = types(signature, "result").map((type) => `(${type}.const 0)`);
  return `(func ${name} ${signature} ${results.join(" ")})`;
}

/** What the module logs goes into the digest. */
function logger(log: string, name: string): string {
  const type = log.slice("log-".length);
  const value: Readonly<Record<string, string>> = {
    i32: "(i64.extend_i32_u (local.get $value))",
    i64: "(local.get $value)",
    f32: "(i64.extend_i32_u (i32.reinterpret_f32 (local.get $value)))",
    f64: "(i64.reinterpret_f64 (local.get $value))",
    v128: "(i64.xor (i64x2.extract_lane 0 (local.get $value)) (i64x2.extract_lane 1 (local.get $value)))",
  };
  return `(func ${name} (param $value ${type}) (call $glia_mix ${value[type]}))`;
}

const DIGEST = `
  (global $glia_sum (mut i64) (i64.const -3750763034362895579))
  (global $glia_logged (mut i32) (i32.const 0))
  (func $glia_add (param $value i64)
    (global.set $glia_sum (i64.mul (i64.xor (global.get $glia_sum) (local.get $value)) (i64.const 1099511628211))))
  (func $glia_mix (param $value i64)
    (call $glia_add (local.get $value))
    (global.set $glia_logged (i32.add (global.get $glia_logged) (i32.const 1)))
    (if (i32.eqz (i32.and (global.get $glia_logged) (i32.const 3))) (then (drop (call $glia_yield)))))
  (func $glia_digest (result i32) (local $at i32)
    (loop $next
      (call $glia_add (i64.load (local.get $at)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 65536))))
    (i64.store (i32.const 0) (global.get $glia_sum))
    (i32.store (i32.const 8) (memory.size))
    (drop (call $glia_reply (i32.const 0) (i32.const 12)))
    (global.get $glia_logged))`;
