/**
 * The JavaScript API of WebAssembly, as far as this package uses it. TypeScript declares it only in its library for browsers, which
 * would have to be asked of everyone who uses this package.
 */

/** A compiled module; threads may be sent one. */
export interface CompiledModule {
  readonly [Symbol.toStringTag]: string;
}

/** A linear memory; threads may be sent a shared one. */
export interface LinearMemory {
  readonly buffer: ArrayBufferLike;
  /** More pages of 64 KiB, as zeros. Gives the pages before. @throws RangeError over the maximum, or where the system has no more */
  grow(pages: number): number;
}

interface WebAssemblyApi {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: boolean;
  }) => LinearMemory;
  readonly Module: new (bytes: Uint8Array) => CompiledModule;
  readonly Instance: new (
    module: CompiledModule,
    imports: Readonly<Record<string, Readonly<Record<string, LinearMemory>>>>,
  ) => { readonly exports: object };
  validate(bytes: Uint8Array): boolean;
}

/** The engine's API; nothing where there is none, as under `node --jitless`. */
export const webAssembly: WebAssemblyApi | undefined = (
  globalThis as { readonly WebAssembly?: WebAssemblyApi }
).WebAssembly;

/** The engine's API for a backend that was already found to work. */
export function engine(): WebAssemblyApi {
  return webAssembly as WebAssemblyApi;
}
