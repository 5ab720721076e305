/**
 * Which backend this machine computes fastest with.
 *
 * C1. A backend is a candidate only when the engine accepts its instructions and its product of a small matrix came out right.
 * C2. Candidates are measured, not ranked by name: the same product, again and again for a few milliseconds, and the best time counts.
 *     Within a tenth they are equal, and the plain one is kept, whose bits are those of the page on tensors. Engines compile hot code
 *     again, in a thread of their own that may be late; so while the last candidate does not win, all have another turn, up to four.
 * C3. The choice is made once per thread of the process. A name that was asked for is taken without measuring.
 */
import type { Backend } from "../backend.ts";
import { BadBackendError } from "../errors.ts";
import { scalarBackend } from "../scalar/scalar-backend.ts";
import { fixedBackend, wasmBackend } from "../wasm/wasm-backend.ts";

/** Backends that one thread computes with. */
export type BackendName = "scalar" | "simd" | "relaxed" | "fixed";

/** All of them. */
export const BACKEND_NAMES: readonly BackendName[] = ["scalar", "simd", "relaxed", "fixed"];

/** What was found out about one backend. */
export interface Candidate {
  readonly name: BackendName;
  /** 10^9 operations per second of f32 on a small product; not measured where it does not work. */
  readonly gflops?: number;
  /** Why it does not work. */
  readonly problem?: string;
}

/** What was chosen, and from what. */
export interface Choice {
  readonly name: BackendName;
  readonly candidates: readonly Candidate[];
}

/** Side of the product that is measured. */
const SIDE = 48;
/** How long one candidate is measured in a turn, a run at least. */
const TURN_MS = 6;
const TURNS = 4;
/** A later candidate must be so many times as fast. */
const FASTER = 1.1;

let chosen: Choice | undefined;

/** The choice for this machine; measured at the first call, which takes some 50 ms with compiling. */
export function chooseBackend(): Choice {
  chosen ??= chooseAmong(["scalar", "simd", "relaxed"].map((name) => tryBackend(name as BackendName)));
  return chosen;
}

/** A candidate that can be measured again. */
export interface Trial {
  readonly name: BackendName;
  /** 10^9 operations per second in one more turn. */
  readonly turn?: () => number;
  readonly problem?: string;
}

/** Measure candidates, from plain to special, until the last one that works is the choice, or four turns are over (C2). */
export function chooseAmong(trials: readonly Trial[]): Choice {
  const last = trials.findLast(({ turn }) => turn !== undefined)?.name;
  const best = new Map<BackendName, number>();
  let choice = choose([]);
  for (let turns = 0; turns < TURNS && choice.name !== last; turns++) {
    for (const { name, turn } of trials)
      if (turn !== undefined) best.set(name, Math.max(turn(), best.get(name) ?? 0));
    choice = choose(trials.map(({ name, problem }) => candidate(name, best.get(name), problem)));
    if (last === undefined) break;
  }
  return choice;
}

function candidate(name: BackendName, gflops?: number, problem?: string): Candidate {
  return { name, ...(gflops !== undefined && { gflops }), ...(problem !== undefined && { problem }) };
}

/** The best of candidates in the order from plain to special (C2). */
export function choose(candidates: readonly Candidate[]): Choice {
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (candidate.gflops === undefined) continue;
    if (best === undefined || candidate.gflops > FASTER * (best.gflops ?? 0)) best = candidate;
  }
  return { name: best?.name ?? "scalar", candidates };
}

/**
 * A new backend: the one named, or the choice for this machine. Tensors may take `limitBytes`.
 * @throws {BadBackendError} where the named one does not work here
 */
export function openBackend(name?: string, limitBytes?: number): Backend {
  switch (name ?? chooseBackend().name) {
    case "scalar":
      return scalarBackend(limitBytes);
    case "simd":
      return wasmBackend("simd", limitBytes);
    case "relaxed":
      return wasmBackend("relaxed", limitBytes);
    case "fixed":
      return fixedBackend(limitBytes);
    default:
      throw new BadBackendError(String(name), `is none of ${BACKEND_NAMES.join(", ")}`);
  }
}

/** Try a backend (C1). */
function tryBackend(name: BackendName): Trial {
  try {
    const turn = turnOf(openBackend(name, 1 << 20));
    return turn === undefined
      ? { name, problem: "its product of two small matrices is wrong" }
      : { name, turn };
  } catch (error) {
    if (error instanceof BadBackendError) return { name, problem: error.message };
    throw error;
  }
}

function turnOf({ memory, reserved, kernels }: Backend): (() => number) | undefined {
  const bytes = SIDE * SIDE * 4;
  const [a, b, c] = [reserved, reserved + bytes, reserved + 2 * bytes];
  if (!memory.grow(c + bytes)) return undefined;
  // Small whole numbers: every order of summing gives the same, exact result.
  for (let i = 0; i < SIDE * SIDE; i++) {
    memory.f32[a / 4 + i] = (i % 7) - 3;
    memory.f32[b / 4 + i] = (i % 5) - 2;
  }
  const run = (): void => kernels.gemm.f32(c, a, b, SIDE, SIDE, SIDE, SIDE, SIDE, 1, SIDE, 1);
  run();
  return right(memory.f32, a / 4, b / 4, c / 4) ? () => rateOf(run) : undefined;
}

/** The best rate of a turn. */
function rateOf(run: () => void): number {
  const begun = performance.now();
  let best = Number.POSITIVE_INFINITY;
  for (let last = begun; last - begun < TURN_MS; ) {
    run();
    const now = performance.now();
    best = Math.min(best, now - last);
    last = now;
  }
  return (2 * SIDE ** 3) / Math.max(best, 1e-4) / 1e6;
}

function right(x: Float32Array, a: number, b: number, c: number): boolean {
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      let sum = 0;
      for (let p = 0; p < SIDE; p++) sum += x[a + i * SIDE + p]! * x[b + p * SIDE + j]!;
      if (sum !== x[c + i * SIDE + j]) return false;
    }
  }
  return true;
}
