/** The AssemblyScript guest `compute`, as it was compiled and in every profile, ready to run one program per call. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { GuestHost, StepOutcome } from "@glia-os/abi/ports";
import { ascArguments, assemblySources } from "@glia-os/guest-as";
import { createWasmEngine } from "@glia-os/wasm";
import { instrument, type Profile } from "@glia-os/wasm/pipeline";

/** The part of `asc` used here. Its own types redeclare `console` for everything that imports them. */
interface Compiler {
  readonly main: (
    args: readonly string[],
    files: {
      readFile(name: string, directory: string): string | null;
      writeFile(name: string, content: string | Uint8Array): void;
      listFiles(): string[];
    },
  ) => Promise<{ readonly error: Error | null }>;
}
const COMPILER: string = "assemblyscript/asc";

/** The programs with sizes that take one to five milliseconds unmodified. */
export const PROGRAMS = {
  fib: [0, 27],
  matmul: [1, 120],
  sieve: [2, 1_000_000],
  words: [3, 15_000],
  trees: [4, 12],
  calls: [5, 50_000],
} as const;

/** A name of {@link PROGRAMS}. */
export type ProgramName = keyof typeof PROGRAMS;

/** Runs one program to its end and gives its result. */
export type Run = (name: ProgramName) => bigint;

/** Fuel of a slice of about a millisecond. */
const SLICE = 20_000_000;
const WALL_MS = 1234;

let compiled: Promise<Uint8Array> | undefined;

/** The module as `asc` makes it; compiled once. */
export function original(): Promise<Uint8Array> {
  compiled ??= compile(join(assemblySources, "guests"), "compute.ts");
  return compiled;
}

/** An AssemblyScript program as `asc` makes it with the flags the SDK gives. */
export async function compile(folder: string, entry: string): Promise<Uint8Array> {
  let output: Uint8Array | undefined;
  const { default: asc } = (await import(COMPILER)) as { default: Compiler };
  const { error } = await asc.main([...ascArguments(entry, "guest.wasm"), "--baseDir", folder], {
    readFile(name, directory) {
      const path = resolve(directory, name);
      return existsSync(path) ? readFileSync(path, "utf8") : null;
    },
    writeFile(name, content) {
      if (name.endsWith(".wasm") && typeof content !== "string") output = content;
    },
    listFiles: () => [],
  });
  if (error !== null || output === undefined) throw new TypeError(`asc could not compile ${entry}`);
  return output;
}

function request(name: ProgramName): Uint8Array {
  const [program, size] = PROGRAMS[name];
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, program, true);
  view.setUint32(4, size, true);
  return bytes;
}

/** The part of the JavaScript API of WebAssembly used here; TypeScript declares it only for browsers. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, unknown>>,
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; glia_main(): number } };
}

/** The module as it was compiled, with host functions that do what the engine's do and nothing else. */
export async function bare(): Promise<Run> {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  let waiting: Uint8Array | undefined;
  let result = 0n;
  const buffer = (): ArrayBuffer => instance.exports.memory.buffer;
  const host = {
    receive(pointer: number) {
      if (waiting === undefined) return 0;
      new Uint8Array(buffer()).set(waiting, pointer);
      waiting = undefined;
      return 8;
    },
    reply(pointer: number) {
      result = new DataView(buffer()).getBigUint64(pointer, true);
      return 0;
    },
    now: () => BigInt(Math.trunc(WALL_MS)),
  };
  const instance = new Instance(new Module(await original()), { "glia.v1": host });
  return (name) => {
    waiting = request(name);
    instance.exports.glia_main();
    return result;
  };
}

/** A guest of a profile; a pre-emptive one runs in slices of `slice` fuel. With `tracked` it marks the pages it writes. */
export async function profiled(
  profile: Profile,
  slice: number = SLICE,
  tracked = false,
): Promise<Run & { yields(): number }> {
  const { bytes } = await instrument(await original(), { profile });
  const program = await createWasmEngine().admit(bytes, ["glia.v1"]);
  let result = 0n;
  let yields = 0;
  const host: GuestHost = {
    log: () => undefined,
    wallMs: () => WALL_MS,
    random: () => undefined,
    reply(payload) {
      result = new DataView(payload.buffer).getBigUint64(0, true);
      return 0;
    },
  };
  const it = program.instantiate({}, host);
  const fuel = profile === "preemptive" ? slice : undefined;
  it.step();
  if (tracked) it.track(await program.tracking());
  const run = (name: ProgramName): bigint => {
    let outcome: StepOutcome = it.step({ value: 8, payload: request(name) }, fuel);
    for (; outcome.kind === "yielded"; yields++) outcome = it.step(undefined, fuel);
    if (outcome.kind === "failed") throw outcome.error;
    return result;
  };
  return Object.assign(run, { yields: () => yields });
}
