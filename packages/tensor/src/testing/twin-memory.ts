/**
 * The same bytes in the memory of a backend under test and in that of the scalar reference, so that one kernel call can be compared.
 *
 * TM1. Operands lie 64 bytes apart, between bytes of a pattern; `compare` also finds a kernel that wrote beside its result.
 */
import assert from "node:assert/strict";
import type { Random } from "@glia-os/abi/ports";
import type { Backend, Kernels, TensorMemory } from "../backend.ts";
import { BYTES, type DType } from "../dtype.ts";
import { scalarBackend } from "../scalar/scalar-backend.ts";

const PATTERN = 0xa5;
const GAP = 64;

/** How far a value may be from the reference's: an absolute distance, given the reference's value and its index. */
export type Tolerance = (reference: number, index: number) => number;

/** Nothing but the reference's value, NaN for NaN. */
export const EXACT: Tolerance = () => 0;

/** One unit in the last place of a value in a dtype, at least that of the least normal number. */
export function ulp(dtype: DType, value: number): number {
  const [bits, least] = dtype === "f32" ? [23, -126] : [52, -1022];
  if (!Number.isFinite(value)) return 0;
  const exponent = value === 0 ? least : Math.max(least, Math.floor(Math.log2(Math.abs(value))));
  return 2 ** (exponent - bits);
}

/** Where a kernel wrote. */
export interface Result {
  readonly dtype: DType;
  readonly at: number;
  readonly count: number;
}

/** See the top of this file. */
export class TwinMemory {
  readonly backend: Backend;
  readonly #reference: Backend = scalarBackend();
  readonly #random: Random;
  readonly #start: number;
  #top: number;

  constructor(backend: Backend, random: Random) {
    this.backend = backend;
    this.#random = random;
    this.#start = Math.max(backend.reserved, this.#reference.reserved);
    this.#top = this.#start;
  }

  /** Forget all operands. */
  clear(): void {
    this.#top = this.#start;
  }

  /** Room for elements in both memories, full of the pattern; its offset. */
  room(dtype: DType, count: number): number {
    const at = this.#top + GAP;
    const end = at + Math.ceil((count * BYTES[dtype]) / GAP) * GAP + GAP;
    for (const memory of this.#memories()) {
      assert.ok(memory.grow(end), `the memory does not grow to ${end} bytes`);
      memory.u8.fill(PATTERN, this.#top, end);
    }
    this.#top = end - GAP;
    return at;
  }

  /** Elements in both memories; their offset. */
  put(dtype: DType, values: ArrayLike<number>): number {
    const at = this.room(dtype, values.length);
    for (const memory of this.#memories()) viewOf(memory, dtype).set(values, at / BYTES[dtype]);
    return at;
  }

  /** Random elements: floats of about 1 with every eighth one special when asked for; integers over the whole range. */
  random(dtype: DType, count: number, special = false): number {
    const specials = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      -0,
      1e-42,
      -1e-310,
      3e38,
      -88,
      90,
    ];
    const draw = (): number => {
      if (dtype === "bool") return this.#random.uint32() & 1;
      if (dtype !== "f32" && dtype !== "f64") return this.#random.uint32() | 0;
      if (special && this.#random.uint32() % 8 === 0)
        return specials[this.#random.uint32() % specials.length] as number;
      return (this.#random.uint32() / 2 ** 32 - 0.5) * 4 * 4 ** ((this.#random.uint32() % 5) - 2);
    };
    return this.put(dtype, Array.from({ length: count }, draw));
  }

  /** Call the same kernel of both. */
  run(call: (kernels: Kernels) => void): void {
    call(this.backend.kernels);
    call(this.#reference.kernels);
  }

  /** Compare elements of a result, and all bytes beside them. @throws AssertionError */
  compare(what: string, dtype: DType, at: number, count: number, tolerance: Tolerance = EXACT): void {
    this.#compareElements(what, { dtype, at, count }, tolerance);
    this.#compareOutside(what, [this.#start, at, at + count * BYTES[dtype], this.#top]);
  }

  /** Compare two results of one call, the first before the second in memory. @throws AssertionError */
  compareBoth(what: string, first: Result, second: Result): void {
    for (const result of [first, second]) this.#compareElements(what, result, EXACT);
    const ends = [first, second].flatMap(({ dtype, at, count }) => [at, at + count * BYTES[dtype]]);
    this.#compareOutside(what, [this.#start, ...ends, this.#top]);
  }

  #compareElements(what: string, { dtype, at, count }: Result, tolerance: Tolerance): void {
    const given = this.#elements(this.backend.memory, dtype, at, count);
    const reference = this.#elements(this.#reference.memory, dtype, at, count);
    for (let index = 0; index < count; index++) {
      const [is, wanted] = [given[index] as number, reference[index] as number];
      if (Object.is(is, wanted)) continue;
      const near = Math.abs(is - wanted) <= tolerance(wanted, index);
      assert.ok(near, `${what}: element ${index} of ${count} is ${is}, the reference gives ${wanted}`);
    }
    // Values within a tolerance, and NaN of other bits, are no stray writes to the comparisons that follow.
    const bytes = this.backend.memory.u8;
    const end = at + count * BYTES[dtype];
    bytes.set(this.#reference.memory.u8.subarray(at, end), at);
  }

  /** The ranges between the results: from, to, from, to and so on. */
  #compareOutside(what: string, ends: readonly number[]): void {
    const [given, reference] = this.#memories().map(({ u8 }) => u8) as [Uint8Array, Uint8Array];
    for (let at = 0; at < ends.length; at += 2) {
      const [start, end] = [ends[at] as number, ends[at + 1] as number];
      const same = Buffer.compare(given.subarray(start, end), reference.subarray(start, end)) === 0;
      assert.ok(same, `${what}: bytes outside the result, between ${start} and ${end}, were written`);
    }
  }

  /** Values of an operand, as the reference has them. */
  values(dtype: DType, at: number, count: number): ArrayLike<number> {
    return this.#elements(this.#reference.memory, dtype, at, count);
  }

  #elements(memory: TensorMemory, dtype: DType, at: number, count: number): ArrayLike<number> {
    return viewOf(memory, dtype).subarray(at / BYTES[dtype], at / BYTES[dtype] + count);
  }

  #memories(): readonly TensorMemory[] {
    return [this.backend.memory, this.#reference.memory];
  }
}

function viewOf(memory: TensorMemory, dtype: DType) {
  return memory[dtype === "bool" ? "u8" : dtype];
}
