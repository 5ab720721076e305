/** An instance of the kernels and the table a backend is made of. */
import type { Kernels, TopKKernel } from "../backend.ts";
import type { DType } from "../dtype.ts";
import { type CompiledModule, engine, type LinearMemory } from "./web-assembly.ts";

/** Any kernel: numbers in, nothing out. */
export type AnyKernel = (...numbers: readonly number[]) => void;

/** What an instance of the kernels exports besides them. */
export interface KernelExports {
  readonly [kernel: string]: unknown;
  /** Bytes of working memory that an instance needs. */
  readonly work_bytes: () => number;
  /** Tell the instance where its working memory begins, aligned to 64. */
  readonly set_work: (at: number) => void;
  /** What the second operand of the relaxed dot product may be: 0 for 0..127, 1 unsigned bytes, 2 signed bytes. */
  readonly probeDot: () => number;
  /** Keep to what `probeDot` gave, in this instance or another, or to 0. */
  readonly setDot: (to: number) => void;
  /** `times` rounds of 12 multiply-adds of 4 lanes: 96 floating-point operations each. */
  readonly peak_f32: (times: number, factor: number, term: number) => number;
}

/** The greatest k for which putting elements in order beats a heap, also for rows that only grow. */
const SMALL_K = 512;

/** What `probeDot` gave: it is the same for all instances of a program, and takes a millisecond. */
const dots: WeakMap<CompiledModule, number> = new WeakMap();

/** An instance of the kernels over a memory, with working memory at `work`. */
export function instantiateKernels(
  module: CompiledModule,
  memory: LinearMemory,
  work: number,
): KernelExports {
  const { exports } = new (engine().Instance)(module, { env: { memory } });
  const kernels = exports as unknown as KernelExports;
  kernels.set_work(work);
  const dot = dots.get(module) ?? kernels.probeDot();
  dots.set(module, dot);
  kernels.setDot(dot);
  return kernels;
}

/** The name under which the kernel of an operation and a dtype is exported. */
export function exportName(operation: string, dtype: DType | undefined): string {
  return dtype === undefined ? operation : `${operation}_${dtype}`;
}

/** A kernel for a place in the table, or nothing to leave the one that is there. */
export type Pick = (operation: string, dtype: DType | undefined, there: AnyKernel) => AnyKernel | undefined;

/** The table with the kernels that `pick` has; the others stay as they are in `base`. */
export function replaced(base: Kernels, pick: Pick): Kernels {
  const table: Record<string, unknown> = {};
  for (const [operation, there] of Object.entries(base)) {
    if (typeof there === "function") table[operation] = pick(operation, undefined, there) ?? there;
    else if (operation === "cast") table[operation] = replacedCasts(there as Kernels["cast"], pick);
    else table[operation] = replacedPerDType(operation, there as Readonly<Record<DType, AnyKernel>>, pick);
  }
  return table as unknown as Kernels;
}

/** Casts are named by both dtypes: the operation is `cast_f32` for those from f32. */
function replacedCasts(there: Kernels["cast"], pick: Pick): object {
  const sources = Object.entries(there) as [DType, Readonly<Record<DType, AnyKernel>>][];
  return Object.fromEntries(
    sources.map(([from, targets]) => [from, replacedPerDType(`cast_${from}`, targets, pick)]),
  );
}

function replacedPerDType(operation: string, there: Readonly<Record<DType, AnyKernel>>, pick: Pick): object {
  const kernels = Object.entries(there) as [DType, AnyKernel][];
  return Object.fromEntries(
    kernels.map(([dtype, kernel]) => [dtype, pick(operation, dtype, kernel) ?? kernel]),
  );
}

/** The table of an instance: its exports, and for the rest `base`. */
export function kernelTable(exports: KernelExports, base: Kernels): Kernels {
  return replaced(base, (operation, dtype, there) => {
    const kernel = exports[exportName(operation, dtype)] as AnyKernel | undefined;
    return operation === "topK" && kernel !== undefined ? smallOr(kernel, there) : kernel;
  });
}

function smallOr(small: AnyKernel, other: AnyKernel): AnyKernel {
  const choose: TopKKernel = (values, indices, a, rows, n, sr, sa, k) =>
    (k <= SMALL_K ? small : other)(values, indices, a, rows, n, sr, sa, k);
  return choose as AnyKernel;
}
