/** What the threaded engine and its workers tell each other besides shared memory: what is rare or large. */
import type { MessagePort } from "node:worker_threads";
import type { JobMemoryShape } from "./job-memory.ts";

/** What a worker thread starts with. */
export interface WorkerSetup {
  readonly worker: number;
  /** Address of the module of job functions. */
  readonly module: string;
  readonly memory: JobMemoryShape;
  readonly budget: SharedArrayBuffer;
  /** This worker's place in the budget. */
  readonly place: number;
  /** The places of all workers of the engine. */
  readonly places: readonly number[];
  readonly payloadBytes: number;
  /** Longest look for jobs before it sleeps, in milliseconds. */
  readonly spinMs: number;
  readonly port: MessagePort;
}

/** From a worker. */
export type FromWorker =
  | { readonly kind: "ready"; readonly entries: readonly string[] }
  /** The bytes of a large job, please. */
  | { readonly kind: "need"; readonly slot: number }
  /** A large result. Sent before the slot is marked done. */
  | { readonly kind: "result"; readonly slot: number; readonly bytes: SharedArrayBuffer };

/** To a worker: `bytes` of the large job it asked for; without them, that it may begin. */
export interface ToWorker {
  readonly bytes?: SharedArrayBuffer;
}
