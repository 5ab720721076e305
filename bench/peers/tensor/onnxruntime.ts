/** ONNX Runtime with one thread: in WebAssembly (`onnxruntime-web`) and native (`onnxruntime-node`). */
import { Space, Tensor } from "@glia-os/tensor";
import { type OnnxRuntime, onnxAdapter, TensorQueue } from "@glia-os/tensor/adapters";
import { wasmBackend } from "@glia-os/tensor/backends";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { matmulModel } from "./matmul-model.ts";
import { sampledLater } from "./sampled.ts";

interface Runtime {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => object;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: Readonly<Record<string, object>>): Promise<unknown> }>;
  };
}

async function product(name: string, side: number): Promise<Contestant | undefined> {
  const runtime = (await import(name).catch(() => undefined)) as Runtime | undefined;
  if (runtime === undefined) return undefined;
  runtime.env.wasm.numThreads = 1;
  const session = await runtime.InferenceSession.create(matmulModel(side), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const operand = (): object =>
    new runtime.Tensor(
      "float32",
      Float32Array.from({ length: side * side }, () => Math.random() - 0.5),
      [side, side],
    );
  const feeds = { A: operand(), B: operand() };
  return sampledLater(async () => void (await session.run(feeds)));
}

/** The same runtime with one thread behind our queue, over the memory of a space; where it is not installed, our kernels. */
async function adapted(side: number): Promise<Contestant> {
  const name = "onnxruntime-node";
  const runtime = (await import(name).catch(() => undefined)) as OnnxRuntime | undefined;
  const adapter = runtime === undefined ? undefined : await onnxAdapter({ runtime, threads: 1 });
  const queue = new TensorQueue({ adapter });
  const space = new Space({ backend: wasmBackend("relaxed", 256 << 20) });
  const values = (): Float32Array => Float32Array.from({ length: side * side }, () => Math.random() - 0.5);
  const operand = (): Tensor => Tensor.from(values(), { shape: [side, side], space });
  const [a, b, out] = [operand(), operand(), operand()];
  const contestant = await sampledLater(async () => void (await queue.matmul(a, b, out)));
  return { ...contestant, close: () => queue.close() };
}

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  "web-64": () => product("onnxruntime-web", 64),
  "web-512": () => product("onnxruntime-web", 512),
  "node-64": () => product("onnxruntime-node", 64),
  "node-512": () => product("onnxruntime-node", 512),
  "node-1024": () => product("onnxruntime-node", 1024),
  "adapted-1024": () => adapted(1024),
};
