/**
 * The JavaScript API of WebAssembly, as far as this package uses it.
 *
 * TypeScript declares it only in its library for browsers; a package that needed that library would ask every consumer for it.
 */

/** A compiled module. */
export interface CompiledModule {
  readonly [Symbol.toStringTag]: string;
}

/** A linear memory. */
export interface LinearMemory {
  /** A `SharedArrayBuffer` when the memory is shared: a guest that arrived by post-copy. */
  readonly buffer: ArrayBuffer;
  /** More pages, as zeros; the buffer is another one afterwards. Gives the pages before. @throws RangeError over the maximum */
  grow(pages: number): number;
}

/** A global of an instance. */
export interface GlobalCell {
  value: number | bigint;
}

/** A table of functions. */
export interface FunctionTable {
  readonly length: number;
  get(index: number): object | null;
  set(index: number, value: object | null): void;
  grow(delta: number): number;
}

/** A trap. */
export type Trap = Error;

/** Exports or imports by name. */
export type Namespace = Readonly<Record<string, unknown>>;

interface WebAssemblyApi {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared?: boolean;
  }) => LinearMemory;
  readonly Module: new (bytes: Uint8Array) => CompiledModule;
  readonly Instance: new (
    module: CompiledModule,
    imports?: Readonly<Record<string, Namespace>>,
  ) => { readonly exports: Namespace };
  readonly RuntimeError: new (message?: string) => Trap;
  compile(bytes: Uint8Array): Promise<CompiledModule>;
  validate(bytes: Uint8Array): boolean;
}

/** The engine's WebAssembly API. */
export const webAssembly: WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi })
  .WebAssembly;
