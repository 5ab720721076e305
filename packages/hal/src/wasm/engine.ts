/**
 * The part of the JavaScript API of WebAssembly that the probes use (W3C WebAssembly JavaScript Interface).
 */

/** An instance's exports: probes know what they exported. */
export type WasmExports = Readonly<Record<string, unknown>>;

/** A `WebAssembly` object. Everything beyond the first version of the API is optional. */
export interface WasmEngine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: WasmExports };
  readonly Memory: new (limits: object) => { readonly buffer: ArrayBufferLike };
  readonly Global: new (type: object, value: unknown) => { value: unknown };
  /** JavaScript Promise Integration: wraps an import that returns a promise. */
  readonly Suspending?: new (
    imported: () => Promise<unknown>,
  ) => object;
  /** JavaScript Promise Integration: wraps an export so that it returns a promise. */
  readonly promising?: (exported: unknown) => () => Promise<unknown>;
}

/**
 * Whether a feature works in an engine: compiles a module that needs it, runs it and compares the result. May
 * throw.
 */
export type Probe = (engine: WasmEngine) => boolean | Promise<boolean>;

/** The engine of this process; `undefined` where there is none, as under `node --jitless`. */
export function localWasmEngine(): WasmEngine | undefined {
  return (globalThis as { readonly WebAssembly?: WasmEngine }).WebAssembly;
}

/** Compile and instantiate. */
export function instantiate(engine: WasmEngine, bytes: Uint8Array, imports: object = {}): WasmExports {
  return new engine.Instance(new engine.Module(bytes), imports).exports;
}

/** Call an export that takes and returns plain values. */
export function callExport(exports: WasmExports, name: string, ...args: readonly unknown[]): unknown {
  return (exports[name] as (...args: readonly unknown[]) => unknown)(...args);
}
