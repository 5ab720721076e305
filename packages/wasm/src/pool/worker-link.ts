/**
 * One thread of a pool, as the pool sees it, from its start to its end.
 *
 * WL1. Commands are sent in batches, one per turn of the event loop, and at most {@link MOST_WAITING} wait to be performed.
 * WL2. A thread is ended when a guest's turn takes longer than the guest's `stepMs`, or when it answers nothing for `hangMs`.
 * WL3. Whatever it ends of, `died` is called once, with why and the guest it was running.
 */
import { Worker } from "node:worker_threads";
import { PoolBusyError } from "../scheduler/errors.ts";
import { Heartbeat, StepWatch } from "../watchdog.ts";
import type { Command, Report, WorkerStart } from "./messages.ts";

/** Commands that may wait in one thread. */
export const MOST_WAITING = 65_536;
/**
 * Native stack of a thread: twice what other threads have by default, so that a guest that comes from one of them has room here,
 * where its code may still be slower and need larger frames.
 */
const STACK_MB = 8;
const SOURCE = import.meta.url.endsWith(".ts");

/** Why a thread ended. */
export interface Death {
  readonly why: string;
  /** The scheduler's number of the guest whose turn it was. */
  readonly running: number | undefined;
  readonly cause: unknown;
}

/** What a link tells its pool. */
export interface LinkEvents {
  heard(report: Report): void;
  died(death: Death): void;
}

/** A thread; see the banner. */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #watch: StepWatch;
  readonly #events: LinkEvents;
  readonly #hangMs: number;
  #batch: Command[] = [];
  #waiting = 0;
  /** Since when an answer is awaited: the first one from the start on. */
  #askedMs: number | undefined = performance.now();
  #ended: string | undefined;
  #running: number | undefined;
  #failure: unknown;
  /** Whether it has admitted every program there was when it started. */
  proven: boolean = false;
  /** Guests placed in it. */
  guests: number = 0;

  constructor(start: Omit<WorkerStart, "heartbeat">, hangMs: number, events: LinkEvents) {
    const heartbeat = new Heartbeat();
    this.#watch = new StepWatch(heartbeat.shared);
    this.#events = events;
    this.#hangMs = hangMs;
    const workerData: WorkerStart = { ...start, heartbeat: heartbeat.shared };
    this.#worker = new Worker(new URL(SOURCE ? "./worker-main.ts" : "./pool-worker.js", import.meta.url), {
      workerData,
      resourceLimits: { stackSizeMb: STACK_MB },
      ...(SOURCE ? FROM_SOURCE : {}),
    });
    this.#worker.on("message", (reports: Report[]) => this.#heard(reports));
    this.#worker.on("error", (failure) => (this.#failure = failure));
    this.#worker.on("exit", () => this.#exited());
  }

  /** @throws PoolBusyError */
  send(command: Command): void {
    if (this.#waiting >= MOST_WAITING) throw new PoolBusyError(MOST_WAITING);
    this.put(command);
  }

  /** Send what each guest can have one of at a time: guests bound it. */
  put(command: Command): void {
    this.#waiting += 1;
    if (this.#batch.length === 0) queueMicrotask(() => this.#flush());
    this.#batch.push(command);
  }

  /** Look whether it still goes on (WL2). Call every now and then. */
  check(nowMs: number): void {
    const overdue = this.#watch.overdue();
    if (overdue !== undefined) {
      this.#running = overdue.guest;
      this.end(`was ended: a turn took longer than ${overdue.limitMs} ms`);
    } else if (this.#askedMs === undefined) this.#ask(nowMs);
    else if (nowMs - this.#askedMs > this.#hangMs)
      this.end(`was ended: it answered nothing for ${this.#hangMs} ms`);
  }

  /** End the thread. */
  end(why: string): void {
    this.#ended ??= why;
    void this.#worker.terminate();
  }

  /** End the thread; resolves when it has ended. */
  async close(): Promise<void> {
    this.#ended ??= "was closed";
    await this.#worker.terminate();
  }

  #ask(nowMs: number): void {
    this.#askedMs = nowMs;
    this.#worker.postMessage([{ kind: "ping", request: 0 } satisfies Command]);
    this.#waiting += 1;
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#worker.postMessage(batch);
  }

  #heard(reports: readonly Report[]): void {
    this.#askedMs = undefined;
    for (const report of reports) {
      if (report.kind === "taken") this.#waiting -= report.commands;
      this.#events.heard(report);
    }
  }

  #exited(): void {
    const cause = this.#failure;
    const said = cause instanceof Error ? `: ${cause.message}` : "";
    const why = this.#ended ?? (cause === undefined ? "ended by itself" : `failed${said}`);
    this.#events.died({ why, running: this.#running ?? this.#watch.read()?.guest, cause });
  }
}

/** Types are stripped by the platform, and workspace packages resolve to their sources. */
const FROM_SOURCE = { execArgv: ["--conditions=@glia-os/source", "--no-warnings"] };
