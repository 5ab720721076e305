/**
 * Several threads over one shared memory.
 *
 * T1. Kernels stay calls that return when they are done: the calling thread does parts itself and waits for the others.
 * T2. The bits are those of one thread with the same kernels: a cut never splits a sum.
 * T3. Calls too small to be worth it, and kernels that cannot be cut, run on the calling thread.
 * T4. `close` ends the threads. A process that forgets to does not stay alive for them.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Backend } from "../backend.ts";
import { BYTES, type DType } from "../dtype.ts";
import { BadBackendError, BadOptionError } from "../errors.ts";
import { MOST_BYTES } from "../memory/heap.ts";
import { scalarKernels } from "../scalar/kernels.ts";
import { exportName, kernelTable, replaced } from "../wasm/kernel-exports.ts";
import { type KernelBuild, kernelModule } from "../wasm/kernel-file.ts";
import { endOfWork, firstInstance, WORK_AT, workBytesOf } from "../wasm/wasm-backend.ts";
import { JOB_BYTES, Job, kernelNames, kernelsByName } from "./job.ts";
import { divided, type Split, splitDot, splitElements, splitProduct, splitRows } from "./split.ts";
import type { ThreadData } from "./thread.ts";

/** Most threads of a backend, with the calling one. */
export const THREADS_MOST = 16;

/** How a backend of threads is made. */
export interface ThreadsOptions {
  /** With the calling one, 2 to 16. */
  readonly threads: number;
  /** The kernels. Default `relaxed`; `simd` for the bits of docs/spec/tensor.md. */
  readonly kernels?: "simd" | "relaxed";
  /** As of `wasmBackend`. */
  readonly limitBytes?: number;
}

/**
 * A new backend of several threads; resolves when all of them serve.
 * @throws {BadBackendError} where the engine lacks the instructions, {BadOptionError}
 */
export async function threadsBackend(options: ThreadsOptions): Promise<Backend> {
  const { threads, kernels = "relaxed", limitBytes = MOST_BYTES } = options;
  if (!Number.isInteger(threads) || threads < 2 || threads > THREADS_MOST)
    throw new BadOptionError(
      "threadsBackend",
      "threads",
      threads,
      `a whole number from 2 to ${THREADS_MOST}`,
    );
  const build: KernelBuild = `${kernels}-shared`;
  const module = kernelModule(build);
  // Ours, then the page of jobs, then the working memory of the others.
  const others = threads - 1;
  const workBytes = workBytesOf(module, true);
  const each = endOfWork(0, workBytes);
  const jobBytes = Math.ceil(JOB_BYTES / 64) * 64;
  const { memory, exports, reserved } = firstInstance(module, limitBytes, true, jobBytes + others * each);
  const job = endOfWork(WORK_AT, workBytes);
  const workers = await started(others, (thread) => ({
    module,
    memory: memory.memory,
    job,
    work: job + jobBytes + thread * each,
  }));
  const jobs = new Job(memory.buffer, job, kernelsByName(exports));
  const names = kernelNames(exports);
  const run = (name: string) => (parts: readonly (readonly number[])[]) => {
    for (const [part, numbers] of parts.entries()) jobs.write(part, numbers);
    jobs.run(names.indexOf(name), parts.length);
  };
  const table = replaced(kernelTable(exports, scalarKernels(memory)), (operation, dtype, kernel) => {
    const split = splitOf(operation, dtype);
    const name = exportName(operation, dtype);
    if (split === undefined || !names.includes(name)) return undefined;
    return divided(kernel, split, threads, run(name));
  });
  return { name: "threads", memory, reserved, kernels: table, close: () => end(jobs, workers) };
}

async function started(count: number, data: (thread: number) => ThreadData): Promise<Worker[]> {
  const fromSource = import.meta.url.endsWith(".ts");
  const file = new URL(fromSource ? "./thread.ts" : "./thread.js", import.meta.url);
  const execArgv = fromSource ? ["--conditions=@glia-os/source"] : [];
  const workers = Array.from(
    { length: count },
    (_, thread) => new Worker(file, { workerData: data(thread), execArgv, name: "glia-tensor" }),
  );
  try {
    await Promise.all(workers.map((worker) => once(worker, "message")));
  } catch (cause) {
    for (const worker of workers) void worker.terminate();
    throw new BadBackendError("threads", `could not start its threads: ${String(cause)}`);
  }
  for (const worker of workers) worker.unref();
  return workers;
}

function end(jobs: Job, workers: readonly Worker[]): void {
  jobs.stop();
  for (const worker of workers) void worker.terminate();
}

/** How calls of a kernel are cut; nothing for those that are not. */
function splitOf(operation: string, dtype: DType | undefined): Split | undefined {
  if (operation === "gemmI8") return splitProduct(1, 4);
  if (dtype === undefined) return undefined;
  const bytes = BYTES[dtype];
  if (operation === "gemm") return splitProduct(bytes, bytes);
  if (operation === "dot") return splitDot(bytes);
  if (CHEAP.has(operation)) return splitElements(bytes, 2, 1);
  if (operation === "sqrt") return splitElements(bytes, 1, 4);
  if (DEAR.has(operation)) return splitElements(bytes, 1, 20);
  if (operation === "softmax") return splitRows(bytes, 2, 20);
  if (operation === "layerNorm" || operation === "rmsNorm") return splitRows(bytes, 4, 4);
  return undefined;
}

const CHEAP: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "min", "max"]);
const DEAR: ReadonlySet<string> = new Set(["exp", "log", "tanh", "sigmoid", "gelu", "silu"]);
