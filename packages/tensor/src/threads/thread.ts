/** What a thread of the backend `threads` runs: an instance of the kernels over the shared memory, serving jobs until told to stop. */
import { parentPort, workerData } from "node:worker_threads";
import { instantiateKernels } from "../wasm/kernel-exports.ts";
import type { CompiledModule, LinearMemory } from "../wasm/web-assembly.ts";
import { Job, kernelsByName } from "./job.ts";

/** What a thread is given. */
export interface ThreadData {
  readonly module: CompiledModule;
  readonly memory: LinearMemory;
  /** Byte offsets of the page of jobs and of this thread's working memory. */
  readonly job: number;
  readonly work: number;
}

const { module, memory, job, work } = workerData as ThreadData;
const exports = instantiateKernels(module, memory, work);
const jobs = new Job(memory.buffer, job, kernelsByName(exports));
parentPort?.postMessage("ready");
jobs.serve();
