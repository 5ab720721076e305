/** Our contestants of the suite `tensor`, each served from a process of its own. A sample is microseconds of one operation (`sampled.ts`). */
import { Space, Tensor } from "@glia-os/tensor";
import { kernelPeak, threadsBackend, wasmBackend } from "@glia-os/tensor/backends";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { type Sampling, sampled } from "./sampled.ts";

const LARGE = 1_000_000;
const MOST = 256 << 20;
/** Floating-point operations of one round of `kernelPeak`. */
const ROUND = 96;

function filled(length: number, at: number): Float32Array {
  let state = at + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The fastest kernels of one thread, or their absence. */
function space(): Space {
  return new Space({ backend: wasmBackend("relaxed", MOST) });
}

function pair(on: Space, length: number, shape: readonly number[]): readonly [Tensor, Tensor] {
  const make = (seed: number): Tensor => Tensor.from(filled(length, seed), { shape, space: on });
  return [make(1), make(2)];
}

function product(side: number, on: Space = space(), sampling?: Sampling): Contestant {
  const [a, b] = pair(on, side * side, [side, side]);
  const out = Tensor.zeros([side, side], { space: on });
  return sampled(() => void a.matmul(b, out), sampling);
}

async function productOfThreads(side: number, threads: number): Promise<Contestant> {
  const backend = await threadsBackend({ threads, limitBytes: MOST });
  const { value } = product(side, new Space({ backend }), "mean");
  return { ...(value === undefined ? {} : { value }), close: () => backend.close?.() };
}

function bytes(side: number): Contestant {
  const on = space();
  const make = (seed: number): Tensor => {
    const values = Int8Array.from(filled(side * side, seed), (x) => Math.floor(x * 128));
    return Tensor.from(values, { shape: [side, side], space: on });
  };
  const [a, b, out] = [make(1), make(2), Tensor.zeros([side, side], { dtype: "i32", space: on })];
  return sampled(() => void a.matmul(b, out));
}

/** As many operations as a product of that side takes, at the rate of independent multiply-adds. */
function peak(side: number): Contestant {
  const run = kernelPeak("relaxed");
  const rounds = Math.round((2 * side ** 3) / ROUND);
  return sampled(() => void run(rounds));
}

function elements(work: (a: Tensor, b: Tensor, out: Tensor) => void, length = LARGE): Contestant {
  const on = space();
  const [a, b] = pair(on, length, [length]);
  const out = Tensor.zeros([length], { space: on });
  return sampled(() => work(a, b, out));
}

function dot(): Contestant {
  const on = space();
  const [a, b] = pair(on, LARGE, [LARGE]);
  const out = Tensor.zeros([], { space: on });
  return sampled(() => void a.dot(b, out));
}

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  "sgemm-64": () => product(64),
  "sgemm-512": () => product(512),
  // One of two that run at the same time.
  "sgemm-1024": () => product(1024, space(), "mean"),
  "peak-64": () => peak(64),
  "peak-512": () => peak(512),
  "threads-1024": () => productOfThreads(1024, 2),
  "int8-512": () => bytes(512),
  "dot-1m": () => dot(),
  "axpy-1m": () => elements((a, b) => void b.addScaled(a, 0.5)),
  "add-1m": () => elements((a, b, out) => void a.add(b, out)),
  "exp-1m": () => elements((a, _, out) => void a.exp(out)),
  "add-64": () => elements((a, b, out) => void a.add(b, out), 64),
};
