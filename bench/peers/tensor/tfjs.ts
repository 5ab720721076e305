/** TensorFlow.js on its backend in WebAssembly, one thread with SIMD. */
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { sampled } from "./sampled.ts";

interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  randomUniform(shape: readonly number[]): object;
  matMul(a: object, b: object): { dispose(): void };
}

async function product(side: number): Promise<Contestant | undefined> {
  const names = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-wasm"];
  const loaded = await Promise.all(names.map((name) => import(name))).catch(() => undefined);
  if (loaded === undefined) return undefined;
  const tf = loaded[0] as TensorFlow;
  (loaded[1] as { setThreadsCount(count: number): void }).setThreadsCount(1);
  if (!(await tf.setBackend("wasm")) || tf.getBackend() !== "wasm") return undefined;
  const [a, b] = [tf.randomUniform([side, side]), tf.randomUniform([side, side])];
  return sampled(() => tf.matMul(a, b).dispose());
}

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  "matmul-64": () => product(64),
  "matmul-512": () => product(512),
};
