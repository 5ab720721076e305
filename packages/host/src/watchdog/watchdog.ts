/**
 * A watchdog for tasks that hold the loop: a task in the kernel's heap is not pre-empted, but it is named.
 *
 * V1. Nothing is watched and no thread runs unless `watch` is called.
 * V2. A hog is noticed by another thread while it still runs, at the latest 1.5 times `limitMs` after it began, given a free processor, and is
 *     reported once. The thread can write to standard error at once; the listener and the channel `glia.host.hog` hear of it when
 *     the loop goes on.
 * V3. What is named is the task that was given the processor. What the process does outside tasks is not watched.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import { Worker } from "node:worker_threads";
import type { Kernel, TaskId, TaskObserver } from "@glia-os/kernel";
import { AlreadyRunningError, BadOptionError } from "../errors.ts";
import { Progress, STOP } from "./progress.ts";
import type { HogReport, WatchSetup } from "./watchdog-thread.ts";

/** A task that held the loop. */
export interface Hog {
  readonly task: TaskId;
  /** Its path and name, cut at 120 bytes. */
  readonly name: string;
  /** How long it had run, at least, when it was noticed, in milliseconds. */
  readonly ranMs: number;
}

/** How a watchdog is made. */
export interface WatchdogOptions {
  /** A task that runs longer than this without letting others run is a hog: 1 to 3,600,000; default 200. */
  readonly limitMs?: number;
  /** Hears of hogs when the loop goes on. */
  readonly onHog?: (hog: Hog) => void;
  /** Whether the thread writes a line to standard error while the hog still runs; default false. */
  readonly stderr?: boolean;
  /** What that line says besides, such as what a person can do; one line of plain text. */
  readonly advice?: string;
  /** Another observer to pass transitions on to. */
  readonly next?: TaskObserver;
}

/** A watchdog. */
export interface Watchdog {
  /** To make the kernel with. Costs some tens of nanoseconds per switch. */
  readonly observer: TaskObserver;
  /** The shared memory of `progress.ts`, for other threads that want to know whether the kernel goes on. */
  readonly progress: SharedArrayBuffer;
  /** Start the thread. The thread does not keep the process alive. @throws {AlreadyRunningError} */
  watch(kernel: Kernel): void;
  /** End the thread. Idempotent. */
  stop(): Promise<void>;
}

const LIMIT_MS = 200;
const LIMIT_MOST_MS = 3_600_000;
const SOURCE = import.meta.url.endsWith(".ts");

class ThreadWatchdog implements Watchdog, TaskObserver {
  readonly #progress = new Progress();
  readonly #options: WatchdogOptions;
  readonly #limitMs: number;
  readonly #channel: Channel = channel("glia.host.hog");
  #kernel: Kernel | undefined;
  #worker: Worker | undefined;

  constructor(options: WatchdogOptions) {
    const limitMs = options.limitMs ?? LIMIT_MS;
    if (!(limitMs >= 1 && limitMs <= LIMIT_MOST_MS))
      throw new BadOptionError("limitMs", limitMs, `from 1 to ${LIMIT_MOST_MS}`);
    this.#options = options;
    this.#limitMs = limitMs;
  }

  get observer(): TaskObserver {
    return this;
  }

  get progress(): SharedArrayBuffer {
    return this.#progress.buffer;
  }

  transition(task: TaskId, from: Parameters<TaskObserver["transition"]>[1], to: typeof from): void {
    if (this.#kernel !== undefined) {
      if (to === "running") this.#progress.begins(task, () => this.#nameOf(task));
      else if (from === "running") this.#progress.ends();
    }
    this.#options.next?.transition(task, from, to);
  }

  watch(kernel: Kernel): void {
    if (this.#worker !== undefined) throw new AlreadyRunningError();
    this.#kernel = kernel;
    Atomics.store(this.#progress.words, STOP, 0);
    const { stderr = false, advice = "" } = this.#options;
    const address = new URL(SOURCE ? "./watchdog-thread.ts" : "./watchdog-thread.js", import.meta.url);
    this.#worker = new Worker(address, {
      workerData: {
        progress: this.#progress.buffer,
        limitMs: this.#limitMs,
        stderr,
        advice,
      } satisfies WatchSetup,
      env: {},
      name: "glia-watchdog",
    });
    this.#worker.on("message", ({ task, name, ranMs }: HogReport) => {
      const hog: Hog = { task: task as TaskId, name, ranMs };
      this.#options.onHog?.(hog);
      this.#channel.publish(hog);
    });
    this.#worker.unref();
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#kernel = undefined;
    if (worker === undefined) return;
    Atomics.store(this.#progress.words, STOP, 1);
    Atomics.notify(this.#progress.words, STOP);
    await worker.terminate();
  }

  #nameOf(task: TaskId): string {
    const known = this.#kernel?.nameOf(task);
    if (known === undefined) return "";
    return known.name === "" ? known.path : `${known.path} ${known.name}`;
  }
}

/** A watchdog; it watches nothing yet. @throws {BadOptionError} */
export function createWatchdog(options: WatchdogOptions = {}): Watchdog {
  return new ThreadWatchdog(options);
}
