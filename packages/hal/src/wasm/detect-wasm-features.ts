/**
 * What the WebAssembly engine of this process can do.
 *
 * W1. A feature is reported as working only after a module that needs it was compiled, run, and gave the
 *     right result.
 * W2. Everything else is reported as not working: a module that is refused, traps, throws or computes
 *     something else.
 */
import { localWasmEngine, type Probe, type WasmEngine } from "./engine.ts";
import { WASM_FEATURES, type WasmFeature, type WasmFeatures } from "./feature-names.ts";
import { SCALAR_PROBES } from "./scalar-probes.ts";
import { VECTOR_PROBES } from "./vector-probes.ts";

const PROBES: Readonly<Record<WasmFeature, Probe>> = { ...SCALAR_PROBES, ...VECTOR_PROBES };

async function works(probe: Probe, engine: WasmEngine): Promise<boolean> {
  try {
    return await probe(engine);
  } catch {
    return false;
  }
}

/**
 * Probe an engine. Never rejects. Takes some 15 ms, most of them for the relaxed dot product.
 * @param engine default: the one of this process; `null` is no engine, for which every feature is false.
 */
export async function probeWasmFeatures(
  engine: WasmEngine | null = localWasmEngine() ?? null,
): Promise<WasmFeatures> {
  const names = Object.keys(WASM_FEATURES) as WasmFeature[];
  const results: [WasmFeature, boolean][] = [];
  for (const name of names) {
    results.push([name, engine !== null && (await works(PROBES[name], engine))]);
  }
  return Object.freeze(Object.fromEntries(results)) as WasmFeatures;
}

let known: Promise<WasmFeatures> | undefined;

/** The features of this process's engine, probed once per thread. */
export function detectWasmFeatures(): Promise<WasmFeatures> {
  known ??= probeWasmFeatures();
  return known;
}

/** Make the next {@link detectWasmFeatures} probe anew. */
export function invalidateWasmFeatures(): void {
  known = undefined;
}
