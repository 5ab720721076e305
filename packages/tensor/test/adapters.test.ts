/** Products by promise: the queue with adapters that the test makes, and the real adapters where their programs are installed. */
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import {
  findAdapter,
  onnxAdapter,
  type ProductAdapter,
  TensorQueue,
  WAITING_MAX,
  webgpuAdapter,
} from "../src/adapters/index.ts";
import { threadsBackend, wasmBackend } from "../src/backends.ts";
import { Space, scalarBackend, Tensor } from "../src/index.ts";

await currentKernels();

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing thrown",
    (error: { code: string }) => error.code,
  );

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 31 - 1;
}

function matrix(space: Space, rows: number, columns: number, seed: number): Tensor {
  const next = generator(seed);
  return Tensor.from(Float32Array.from({ length: rows * columns }, next), { shape: [rows, columns], space });
}

/** That each element is within (k + 8) u times the sum of absolute products (N7). */
function expectProduct(c: Tensor, a: Tensor, b: Tensor): void {
  const [m, k, n] = [a.shape[0]!, a.shape[1]!, b.shape[1]!];
  expect(c.shape).toEqual([m, n]);
  // Copied out of the space: its memory may grow with each copy in it.
  const numbers = (one: Tensor): Float32Array => (one.copy().data as Float32Array).slice();
  const [x, y, z] = [numbers(a), numbers(b), numbers(c)];
  let worst = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let [sum, size] = [0, 0];
      for (let p = 0; p < k; p++) {
        const product = x[i * k + p]! * y[p * n + j]!;
        sum += product;
        size += Math.abs(product);
      }
      worst = Math.max(worst, Math.abs(z[i * n + j]! - sum) / ((k + 8) * 2 ** -24 * size));
    }
  expect(worst).toBeLessThanOrEqual(1);
}

/** An adapter that waits for turns of the event loop before it reads and before it writes, as real ones do. */
function slow(fails = false) {
  const seen: string[] = [];
  const state = { closed: 0, during: () => undefined as unknown };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const adapter: ProductAdapter = {
    name: "slow",
    device: "the test",
    takes: ({ m }) => m !== 13,
    multiply: async ({ m, n, k }, memory) => {
      seen.push(`${m}x${n}x${k}`);
      await turn();
      const [a, b] = [memory.a().slice(), memory.b().slice()];
      await turn();
      state.during();
      if (fails) throw new RangeError("of the test");
      const out = memory.out();
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[p * n + j]!;
          out[i * n + j] = sum;
        }
    },
    close: async () => void state.closed++,
  };
  return { adapter, seen, state };
}

describe("a queue of products", () => {
  it("without an adapter gives the bits of matmul, in the order they were asked for, and its errors (TQ1, TQ3)", async () => {
    const space = new Space({ backend: wasmBackend("simd", 64 << 20) });
    const queue = new TensorQueue();
    const [a, b] = [matrix(space, 20, 30, 1), matrix(space, 30, 10, 2)];
    const done: string[] = [];
    const products = [queue.matmul(a, b).finally(() => done.push("first")), queue.matmul(b, a)];
    const refused = codeOf(products[1]!).finally(() => done.push("second"));
    const third = queue.matmul(b.transpose(), a.transpose()).finally(() => done.push("third"));
    expect(queue.stats).toEqual({ waiting: 3, byAdapter: 0 });
    expect((await products[0]!).toArray()).toEqual(a.matmul(b).toArray());
    expect(await refused).toBe("tensor.shape-mismatch");
    expect((await third).transpose().toArray()).toEqual(a.matmul(b).toArray());
    expect(done).toEqual(["first", "second", "third"]);
    expect(queue.name).toBe("kernels");
  });

  it("gives an adapter what is large enough, of f32, and taken, views included, and the kernels all else (TQ2)", async () => {
    const space = new Space({ backend: wasmBackend("simd", 64 << 20) });
    const { adapter, seen } = slow();
    const queue = new TensorQueue({ adapter, fromOperations: 1000 });
    const [a, b] = [matrix(space, 20, 30, 1), matrix(space, 30, 10, 2)];
    expectProduct(await queue.matmul(a, b), a, b);
    expectProduct(await queue.matmul(b.transpose(), a.transpose()), b.transpose(), a.transpose());
    const out = Tensor.zeros([20, 10], { space });
    expect(await queue.matmul(a, b, out)).toBe(out);
    expectProduct(out, a, b);
    expect(seen).toEqual(["20x10x30", "10x20x30", "20x10x30"]);
    const small = matrix(space, 2, 2, 3);
    await queue.matmul(small, small);
    await queue.matmul(matrix(space, 13, 30, 4), b);
    await queue.matmul(a.cast("f64"), b.cast("f64"));
    await queue.matmul(a, b.reshape([300]).slice({ to: 30 }));
    const turned = Tensor.zeros([10, 20], { space }).transpose();
    expectProduct(await queue.matmul(a, b, turned), a, b);
    expect(seen).toHaveLength(3);
    expect(queue.stats).toEqual({ waiting: 0, byAdapter: 3 });
  });

  it("is right although the space grows while a product is made, and operands are freed at once (TQ1)", async () => {
    const space = new Space({ backend: wasmBackend("simd", 256 << 20) });
    const { adapter, state } = slow();
    const queue = new TensorQueue({ adapter, fromOperations: 0 });
    const [a, b] = [matrix(space, 20, 30, 1), matrix(space, 30, 10, 2)];
    const [a2, b2] = [a.copy(), b.copy()];
    state.during = () => Tensor.zeros([16 << 20], { dtype: "u8", space });
    const product = queue.matmul(a2, b2);
    a2.free();
    b2.free();
    for (let i = 0; i < 20; i++) Tensor.full([30, 30], 9, { space });
    expectProduct(await product, a, b);
    expect(await codeOf(queue.matmul(a2, b))).toBe("tensor.freed");
  });

  it("tells of an adapter that fails, gives back what it took, and goes on (TQ3)", async () => {
    const space = new Space({ backend: wasmBackend("simd", 64 << 20) });
    const { adapter } = slow(true);
    const queue = new TensorQueue({ adapter, fromOperations: 1000 });
    const [a, b] = [matrix(space, 20, 30, 1), matrix(space, 30, 10, 2)];
    const { usedBytes } = space.use();
    await expect(queue.matmul(a, b)).rejects.toThrow("of the test");
    expect(space.use().usedBytes).toBe(usedBytes);
    const tiny = matrix(space, 2, 2, 1);
    expectProduct(await queue.matmul(tiny, tiny), tiny, tiny);
  });

  it("refuses more products than may wait, and any after its end, which waits for those before (TQ4)", async () => {
    const space = new Space({ backend: scalarBackend() });
    const { adapter, state } = slow();
    const queue = new TensorQueue({ adapter });
    const a = matrix(space, 2, 2, 1);
    const all = Array.from({ length: WAITING_MAX }, () => queue.matmul(a, a));
    expect(await codeOf(queue.matmul(a, a))).toBe("tensor.queue-full");
    const closed = queue.close();
    expect(state.closed).toBe(0);
    await closed;
    expect((await Promise.all(all)).length).toBe(WAITING_MAX);
    await queue.close();
    expect(state.closed).toBe(1);
    expect(await codeOf(queue.matmul(a, a))).toBe("tensor.queue-closed");
  });
});

/** A module that is installed for this package or for the benchmark of tensors, or why there is none. */
function installed(name: string): { module?: object; why?: string } {
  for (const from of ["../package.json", "../../../bench/peers/tensor/package.json"]) {
    try {
      return { module: createRequire(new URL(from, import.meta.url))(name) as object };
    } catch {}
  }
  return { why: `${name} is not installed (npm install in bench/peers/tensor)` };
}

/** What every adapter must do, in spaces of every kind of memory. */
function adapterContract(open: () => Promise<ProductAdapter>): void {
  it("makes products of all shapes within the bound, in memory of any kind", async () => {
    const threads = await threadsBackend({ threads: 2, limitBytes: 64 << 20 });
    const backends = [scalarBackend(), wasmBackend("simd", 64 << 20), threads];
    for (const backend of backends) {
      const space = new Space({ backend });
      const queue = new TensorQueue({ adapter: await open(), fromOperations: 0 });
      let seed = 1;
      for (const [m, n, k] of [
        [1, 1, 1],
        [3, 5, 7],
        [64, 64, 64],
        [65, 63, 17],
        [1, 130, 200],
        [129, 1, 33],
        [150, 70, 300],
      ] as const) {
        const [a, b] = [matrix(space, m, k, seed++), matrix(space, k, n, seed++)];
        expectProduct(await queue.matmul(a, b), a, b);
      }
      expect(queue.stats.byAdapter).toBe(7);
      await queue.close();
      space.close();
    }
  });

  it("is right although the memory of the space grows in the same turn, many times over", async () => {
    const space = new Space({ backend: wasmBackend("simd", 256 << 20) });
    const queue = new TensorQueue({ adapter: await open(), fromOperations: 0 });
    const [a, b] = [matrix(space, 40, 50, 1), matrix(space, 50, 60, 2)];
    for (let round = 1; round <= 5; round++) {
      const product = queue.matmul(a, b);
      // Some turns of promises, after which the adapter has its views and has not used them.
      for (let turn = 0; turn < round; turn++) await undefined;
      Tensor.zeros([round * (8 << 20)], { dtype: "u8", space });
      expectProduct(await product, a, b);
    }
    await queue.close();
  });

  it("ends, and makes no product after that", async () => {
    const adapter = await open();
    await adapter.close();
    await adapter.close();
    const one = (): Float32Array => Float32Array.of(1);
    expect(await codeOf(adapter.multiply({ m: 1, n: 1, k: 1 }, { a: one, b: one, out: one }))).toBe(
      "tensor.adapter-failed",
    );
  });
}

describe("ONNX Runtime", () => {
  const { module, why } = installed("onnxruntime-node");
  if (why !== undefined) console.log(`SKIPPED: ${why}`);
  describe.skipIf(module === undefined)("is an adapter (needs onnxruntime-node)", () => {
    const open = () => onnxAdapter({ runtime: module as never, threads: 1 });
    adapterContract(open);

    it("keeps NaN and infinities", async () => {
      const space = new Space({ backend: wasmBackend("simd", 64 << 20) });
      const queue = new TensorQueue({ adapter: await open(), fromOperations: 0 });
      const a = Tensor.from([1, Number.NaN, 2, Number.POSITIVE_INFINITY], { shape: [2, 2], space });
      const b = Tensor.from([1, 0, 0, 1], { shape: [2, 2], space });
      expect((await queue.matmul(a, b)).toArray()).toEqual(a.matmul(b).toArray());
      await queue.close();
    });
  });
});

const webgpu = installed("webgpu");
const opened =
  webgpu.module === undefined ? undefined : await openWebGpu(webgpu.module).catch((error: Error) => error);
const isWithoutDevice = opened instanceof Error && opened.message.endsWith("finds no device");
const noGpu = webgpu.why ?? (isWithoutDevice ? opened.message : undefined);
if (opened instanceof Error && !isWithoutDevice) throw opened;
if (opened !== undefined && !(opened instanceof Error)) await opened.close();

async function openWebGpu(module: object): Promise<ProductAdapter> {
  return webgpuAdapter({ gpu: (module as { create(options: readonly string[]): never }).create([]) });
}

describe("WebGPU", () => {
  if (noGpu !== undefined) console.log(`SKIPPED: ${noGpu}`);
  describe.skipIf(noGpu !== undefined)("is an adapter (needs webgpu and a device)", () => {
    adapterContract(() => openWebGpu(webgpu.module!));

    it("says on what it computes, and takes nothing larger than the device's buffers", async () => {
      const adapter = await openWebGpu(webgpu.module!);
      console.log(`WebGPU computes on ${adapter.device}`);
      expect(adapter.device).not.toBe("");
      expect(adapter.takes({ m: 1024, n: 1024, k: 1024 })).toBe(true);
      for (const [m, n, k] of [
        [2 ** 20, 2 ** 20, 1],
        [64 * 65_536, 1, 1],
        [0, 1, 1],
      ] as const)
        expect(adapter.takes({ m, n, k })).toBe(false);
      await adapter.close();
    });
  });
});

it("an adapter whose program is not there is not found, and it is said why", async () => {
  const { adapter, missing } = await findAdapter(["onnxruntime", "webgpu"]);
  await adapter?.close();
  for (const { problem } of missing) expect(problem).not.toBe("");
  expect(missing.length + (adapter === undefined ? 0 : 1)).toBeGreaterThan(0);
  const none = await webgpuAdapter({ gpu: { requestAdapter: async () => null } }).catch(
    (error: { code: string }) => error.code,
  );
  expect(none).toBe("tensor.bad-backend");
});
