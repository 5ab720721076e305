/** Reductions that compare: extremes, their places, and the greatest k (docs/spec/tensor.md, N2, N10). */
import type { ReduceKernel, TopKKernel } from "../backend.ts";
import type { AnyArray, Lens } from "./lens.ts";

/** The least or greatest of each row. */
export function extreme(
  { view, shift }: Lens<AnyArray>,
  pick: (a: number, b: number) => number,
): ReduceKernel {
  return (out, a, rows, n, so, sr, sa) => {
    const x = view();
    for (let r = 0; r < rows; r++) {
      const from = (a >>> shift) + r * sr;
      let best = x[from] as number;
      for (let i = 1; i < n; i++) best = pick(best, x[from + i * sa] as number);
      x[(out >>> shift) + r * so] = best;
    }
  };
}

/** The first index of the extreme of each row, as i32. `beats` orders numbers; NaN beats all of them. */
export function place(
  { view, shift }: Lens<AnyArray>,
  indices: Lens<Int32Array>,
  beats: (a: number, b: number) => boolean,
): ReduceKernel {
  return (out, a, rows, n, so, sr, sa) => {
    const x = view();
    const found = indices.view();
    for (let r = 0; r < rows; r++) {
      const from = (a >>> shift) + r * sr;
      let at = 0;
      let best = x[from] as number;
      for (let i = 1; i < n && !Number.isNaN(best); i++) {
        const value = x[from + i * sa] as number;
        if (!beats(value, best) && !Number.isNaN(value)) continue;
        best = value;
        at = i;
      }
      found[(out >>> 2) + r * so] = at;
    }
  };
}

/** The greatest k of each row, greatest first: a heap of the best so far with the worst on top, O(n log k). */
export function topK({ view, shift }: Lens<AnyArray>, indices: Lens<Int32Array>): TopKKernel {
  return (values, places, a, rows, n, sr, sa, k) => {
    const x = view();
    const found = indices.view();
    for (let r = 0; r < rows; r++) {
      const row = new BestOf(x, (a >>> shift) + r * sr, sa, found.subarray((places >>> 2) + r * k), k);
      for (let i = 0; i < n; i++) row.offer(i);
      row.sort();
      for (let i = 0; i < k; i++)
        x[(values >>> shift) + r * k + i] = x[row.from + (row.heap[i] as number) * sa] as number;
    }
  };
}

/** The best of one row, kept as a binary heap of indices in the place of the result. */
class BestOf {
  readonly x: AnyArray;
  readonly from: number;
  readonly stride: number;
  readonly heap: Int32Array;
  readonly k: number;
  #size = 0;

  constructor(x: AnyArray, from: number, stride: number, heap: Int32Array, k: number) {
    this.x = x;
    this.from = from;
    this.stride = stride;
    this.heap = heap;
    this.k = k;
  }

  offer(index: number): void {
    if (this.#size < this.k) {
      this.heap[this.#size] = index;
      this.#up(this.#size++);
    } else if (this.#worse(this.heap[0] as number, index)) {
      this.heap[0] = index;
      this.#down(0, this.k);
    }
  }

  /** Greatest first: the worst is taken off the top and put behind the rest, until none is left. */
  sort(): void {
    for (let end = this.#size - 1; end > 0; end--) {
      this.#swap(0, end);
      this.#down(0, end);
    }
  }

  /** Whether element i comes after element j in the result. */
  #worse(i: number, j: number): boolean {
    const a = this.x[this.from + i * this.stride] as number;
    const b = this.x[this.from + j * this.stride] as number;
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return i > j;
    return Number.isNaN(b) || a < b;
  }

  #up(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#worse(this.heap[at] as number, this.heap[parent] as number)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(start: number, end: number): void {
    let at = start;
    while (2 * at + 1 < end) {
      let child = 2 * at + 1;
      if (child + 1 < end && this.#worse(this.heap[child + 1] as number, this.heap[child] as number))
        child += 1;
      if (!this.#worse(this.heap[child] as number, this.heap[at] as number)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(i: number, j: number): void {
    const kept = this.heap[i] as number;
    this.heap[i] = this.heap[j] as number;
    this.heap[j] = kept;
  }
}
