/**
 * Tensors: products, operations bound by memory, small operations, beside NumPy and the kernels of others.
 *
 * Every contestant has a process of its own and one thread, unless it says otherwise; a sample is the shortest of many batches
 * (`../peers/tensor/sampled.ts`). `fma-128-peak` is no library: it is the time that
 * as many multiply-adds take when they touch nothing but registers, in the same engine and the same run. Vectors of 128 bits are what
 * WebAssembly has; NumPy's OpenBLAS and ONNX Runtime for Node use up to 512 bits and stand here so that the distance can be seen.
 */
import { inOwnProcess, ours } from "../peers/own-process.ts";
import { numpy } from "../peers/tensor/numpy.ts";
import { twoProcesses } from "../peers/tensor/two-processes.ts";
import type { ContestantFactory, RowDefinition, Suite, Target } from "../src/suite.ts";

const OURS = "tensor/workloads.ts";

function product(side: number, share: number, other: number): RowDefinition {
  const peers: Record<string, ContestantFactory> = {
    "fma-128-peak": inOwnProcess(OURS, `peak-${side}`),
    "onnxruntime-web": inOwnProcess("tensor/onnxruntime.ts", `web-${side}`),
    "tfjs-wasm": inOwnProcess("tensor/tfjs.ts", `matmul-${side}`),
    "onnxruntime-node": inOwnProcess("tensor/onnxruntime.ts", `node-${side}`),
    numpy: numpy(`sgemm-${side}`),
  };
  return {
    id: `sgemm-${side}`,
    what: `one product of two matrices of ${side} x ${side} f32, relaxed kernels: ${(2 * side ** 3) / 1e6} million floating-point operations`,
    unit: "us",
    better: "lower",
    excludes:
      "making the operands; ours and NumPy write to a matrix that is there, the others take memory for the result; onnxruntime awaits a promise per product",
    target: { ratio: { "fma-128-peak": share, "onnxruntime-web": other, "tfjs-wasm": other } },
    glia: ours(`sgemm-${side}`, OURS),
    peers,
  };
}

function bound(id: string, what: string, excludes: string): RowDefinition {
  const target: Target = { ratio: { numpy: 0.95 } };
  return {
    ...{ id, what, unit: "us", better: "lower" as const, excludes, target },
    glia: ours(id, OURS),
    peers: { numpy: numpy(id) },
  };
}

export const suite: Suite = {
  title: "tensors",
  rows: [
    product(512, 0.85, 1.4),
    product(64, 0.7, 1.4),
    {
      id: "threads-1024",
      what: "one product of two matrices of 1024 x 1024 f32 by two threads; peer: two processes at once that have one thread each, per product of either",
      unit: "us",
      better: "lower",
      excludes: "starting threads and processes",
      target: { ratio: { "two-processes": 0.9 } },
      glia: ours("threads-1024", OURS),
      peers: { "two-processes": twoProcesses("sgemm-1024", OURS) },
    },
    {
      id: "native-1024",
      what: "one product of two matrices of 1024 x 1024 f32 through TensorQueue with the adapter of ONNX Runtime, one thread, awaited; peer: ONNX Runtime itself",
      unit: "us",
      better: "lower",
      excludes:
        "making the operands; ours writes to a tensor that is there, the peer takes memory for the result",
      target: { ratio: { "onnxruntime-node": 0.9 } },
      glia: ours("adapted-1024", "tensor/onnxruntime.ts"),
      peers: { "onnxruntime-node": inOwnProcess("tensor/onnxruntime.ts", "node-1024") },
    },
    {
      id: "int8-512",
      what: "one exact product of two matrices of 512 x 512 i8 over the whole range into i32; peer: our product of f32 of that size",
      unit: "us",
      better: "lower",
      excludes: "quantising",
      target: { ratio: { f32: 2 } },
      glia: ours("int8-512", OURS),
      peers: { f32: inOwnProcess(OURS, "sgemm-512") },
    },
    bound("dot-1m", "the dot product of two vectors of a million f32", "nothing"),
    bound(
      "axpy-1m",
      "y += x / 2 for vectors of a million f32",
      "NumPy has no such operation: it makes a product, then a sum",
    ),
    bound("add-1m", "the sum of two vectors of a million f32 into a third", "nothing"),
    {
      id: "exp-1m",
      what: "e to the power of a million f32",
      unit: "us",
      better: "lower",
      excludes: "ours computes in f64 and rounds once, NumPy in f32 within some units in the last place",
      glia: ours("exp-1m", OURS),
      peers: { numpy: numpy("exp-1m") },
    },
    {
      id: "add-64",
      what: "the sum of two tensors of 64 f32 into a third, through the methods of Tensor",
      unit: "us",
      better: "lower",
      excludes: "nothing: checking shapes, dtypes and handles is included",
      target: { max: 0.06 },
      glia: ours("add-64", OURS),
      peers: {},
    },
  ],
};
