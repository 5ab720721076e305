/** ONNX Runtime with one thread: in WebAssembly (`onnxruntime-web`) and native (`onnxruntime-node`). */
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

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  "web-64": () => product("onnxruntime-web", 64),
  "web-512": () => product("onnxruntime-web", 512),
  "node-64": () => product("onnxruntime-node", 64),
  "node-512": () => product("onnxruntime-node", 512),
};
