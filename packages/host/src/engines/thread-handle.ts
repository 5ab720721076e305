/**
 * One worker thread of the threaded engine, from its start to its end.
 *
 * H1. Memory is sampled, heap and buffers together, and the thread ended when it is over the limit. `resourceLimits` of the platform are not
 *     used: they do not count buffers; reaching them aborts the whole process on Node 24, and on Node 26 a reading of the statistics at
 *     the wrong moment cancels the end of the thread.
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { FromWorker, ToWorker, WorkerSetup } from "./threaded-messages.ts";

const SOURCE = import.meta.url.endsWith(".ts");

/** A worker thread. */
export class ThreadHandle {
  live = true;
  /** Whether its module was loaded. */
  ready = false;
  /** Whether it was ended on purpose. */
  ended = false;
  /** What it died of, when it said so. */
  failure: unknown;
  /** Whether it was ended for its memory. */
  overMemory = false;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #memoryBytes: number | undefined;
  #asking = false;

  constructor(
    setup: Omit<WorkerSetup, "port">,
    memoryBytes: number | undefined,
    heard: (message: FromWorker) => void,
    died: (thread: ThreadHandle) => void,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#memoryBytes = memoryBytes;
    this.#worker = new Worker(
      new URL(SOURCE ? "./threaded-worker.ts" : "./threaded-worker.js", import.meta.url),
      {
        workerData: { ...setup, port: port2 } satisfies WorkerSetup,
        transferList: [port2],
        env: {},
        name: `glia-jobs-${setup.worker}`,
      },
    );
    this.#worker.unref();
    port1.on("message", (message: FromWorker) => {
      if (message.kind === "ready") this.ready = true;
      heard(message);
    });
    port1.unref();
    this.#worker.on("error", (error: unknown) => {
      this.failure = error;
      if ((error as { code?: string }).code === "ERR_WORKER_OUT_OF_MEMORY") this.overMemory = true;
    });
    this.#worker.once("exit", () => {
      this.live = false;
      port1.close();
      died(this);
    });
  }

  send(message: ToWorker): void {
    this.#port.postMessage(message);
  }

  async terminate(): Promise<void> {
    this.ended = true;
    await this.#worker.terminate();
  }

  /** Look at the worker's memory, buffers included, and end it when it is over the limit. */
  checkMemory(): void {
    const limit = this.#memoryBytes;
    if (limit === undefined || this.#asking || !this.live) return;
    this.#asking = true;
    this.#worker.getHeapStatistics().then(
      ({ used_heap_size, external_memory }) => {
        this.#asking = false;
        if (used_heap_size + external_memory <= limit) return;
        this.overMemory = true;
        void this.terminate();
      },
      () => {
        this.#asking = false;
      },
    );
  }
}
