/** Runs a script in the engine of guest-js: instrumented, as agents run, and as it was before instrumentation. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { bundleAgent, enginePath } from "@glia-os/guest-js/build";
import { createWasmEngine } from "@glia-os/wasm";
import { standalone } from "./agent-scripts.ts";

const START_LATER = 1;
const HEAD_BYTES = 8;
const SLICE_FUEL = 2_000_000_000;

/** Runs a script from its source to its end; the time of the run in milliseconds, without loading. */
export type ScriptRun = (name: string) => number;

/** The bundle of a script; its last act is to log its result. */
async function bundled(name: string): Promise<Uint8Array> {
  const source = `import { sys } from "@glia-os/guest-js";\n${standalone(name)}\nsys.log("info", String(globalThis.result));`;
  const { code } = await bundleAgent({ source, name: "script.js" });
  return new TextEncoder().encode(code);
}

function head(code: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  new DataView(bytes.buffer).setUint32(0, code.length, true);
  new DataView(bytes.buffer).setUint32(4, START_LATER, true);
  return bytes;
}

/** Bundles of all scripts by name. */
export async function bundles(names: readonly string[]): Promise<Map<string, Uint8Array>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await bundled(name)] as const)));
}

/** As agents run: instrumented, in slices. `gaps` is told every slice's milliseconds. */
export async function instrumented(
  codes: ReadonlyMap<string, Uint8Array>,
  gaps: (ms: number) => void = () => undefined,
): Promise<ScriptRun> {
  const program = await createWasmEngine().admit(readFileSync(enginePath), ["glia.v1", "glia.sys.v1"]);
  const host = {
    log: () => undefined,
    // A clock that goes: an agent looks at it to see whether its slice is over.
    wallMs: Date.now,
    random: (target: Uint8Array) => void target.fill(7),
    reply: () => 0,
  };
  return (name) => {
    const code = codes.get(name) as Uint8Array;
    const instance = program.instantiate({ messageBytes: 16 * 1024 * 1024 }, host);
    instance.step();
    instance.step({ value: HEAD_BYTES, payload: head(code) });
    instance.step({ value: code.length, payload: code });
    const start = performance.now();
    let last = start;
    for (;;) {
      const outcome = instance.step({ value: 0 }, SLICE_FUEL);
      const now = performance.now();
      gaps(now - last);
      last = now;
      if (outcome.kind === "pending") continue;
      if (outcome.kind !== "finished" || outcome.status !== 0)
        throw new TypeError(`${name}: ${JSON.stringify(outcome)}`);
      instance.dispose();
      return now - start;
    }
  };
}

interface PlainExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  glia_main(): number;
}

interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: PlainExports };
}

/** The same engine without instrumentation, on calls that never wait. Undefined when it is not built. */
export function plain(codes: ReadonlyMap<string, Uint8Array>): ScriptRun | undefined {
  const path = plainPath();
  if (path === undefined) return undefined;
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  const module = new Module(readFileSync(path));
  return (name) => {
    const code = codes.get(name) as Uint8Array;
    const messages = [head(code), code, new Uint8Array()];
    let start = 0;
    let exports: PlainExports | undefined;
    const none = (): number => 0;
    const receive = (pointer: number): number => {
      const message = messages.shift() ?? new Uint8Array();
      new Uint8Array((exports as PlainExports).memory.buffer).set(message, pointer);
      start = performance.now();
      return message.length;
    };
    const calls = { receive, receive_within: receive, now: () => 0n, random: none, log: none, reply: none };
    const imports = {
      "glia.v1": { ...calls, sleep: none, yield: none, exit: none },
      "glia.sys.v1": { capability: none, fetch: none, result: none },
    };
    exports = new Instance(module, imports).exports;
    if (exports.glia_main() !== 0) throw new TypeError(`${name} failed`);
    return performance.now() - start;
  };
}

/** The newest engine that the build left before instrumentation. */
function plainPath(): string | undefined {
  const root = dirname(createRequire(import.meta.url).resolve("@glia-os/guest-js/package.json"));
  const folder = join(root, "build", "engine");
  const found = readdirSync(folder)
    .map((name) => join(folder, name, "plain.wasm"))
    .filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  return found.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}
