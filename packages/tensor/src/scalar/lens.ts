/** How a kernel sees memory: the typed array of a dtype, looked up at every call because growth replaces it, and offset to index. */
import type { TensorMemory } from "../backend.ts";
import type { ArrayOf, DType } from "../dtype.ts";

/** The view of one dtype and the shift that turns a byte offset into an index. */
export interface Lens<A> {
  view(): A;
  readonly shift: 0 | 2 | 3;
}

/** The lenses of a memory. */
export type Lenses = { readonly [T in DType]: Lens<ArrayOf[T]> };

/** A typed array of floats. */
export type FloatArray = Float32Array | Float64Array;

/** A typed array of integers. */
export type IntegerArray = Int32Array | Int8Array | Uint8Array;

/** Any typed array of a tensor. */
export type AnyArray = FloatArray | IntegerArray;

/** Look at a memory. */
export function lensesOf(memory: TensorMemory): Lenses {
  const bytes: Lens<Uint8Array> = { view: () => memory.u8, shift: 0 };
  return {
    f32: { view: () => memory.f32, shift: 2 },
    f64: { view: () => memory.f64, shift: 3 },
    i32: { view: () => memory.i32, shift: 2 },
    i8: { view: () => memory.i8, shift: 0 },
    u8: bytes,
    bool: bytes,
  };
}
