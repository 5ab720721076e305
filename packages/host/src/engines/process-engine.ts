/**
 * Jobs in child processes with the permissions of Node: for code that may not touch this process.
 *
 * P1. A child gets no environment, no files but its own and the module's, no other processes, threads, addons or WASI. The network is closed
 *     from Node 25 on; Node 24 cannot close it, and `permissions` says so. No version keeps a child from signalling processes of its user.
 * P2. A child may die at any point, also by `kill -9`: its job is started again, up to the bound on attempts.
 * P3. One job at a time per child, and only while the engine holds a place in the CPU budget for it.
 * P4. The engine keeps the process alive only while jobs are in flight.
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import type {
  CancelSignal,
  JobEngine,
  JobEngineClose,
  JobEngineStats,
  JobEnvelope,
} from "@glia-os/abi/ports";
import { AbortedError, BadOptionError } from "../errors.ts";
import { ChildHandle, type FromChild } from "./child-handle.ts";
import { type BudgetPlace, CpuBudget, MEMBERS } from "./cpu-budget.ts";
import { DrainWait, drainMsOf } from "./drain-wait.ts";
import { checkEnvelope, type HandedOn } from "./envelope.ts";
import * as errors from "./errors.ts";
import { jobError } from "./job-error.ts";

/** How a process engine is made. */
export interface ProcessEngineOptions {
  /** The module whose exported functions run jobs: a file. */
  readonly module: URL;
  /** 1 to 32; default: the budget's processors, at most 32. */
  readonly workers?: number;
  /** Default: one of its own over `availableParallelism`. */
  readonly budget?: CpuBudget;
  /** Jobs that are not settled: 1 to 65,536; default 4096. */
  readonly inFlight?: number;
  /** Longest payload or result in bytes, in V8's format: up to 1 GiB; default 64 MiB. */
  readonly payloadBytes?: number;
  /** Times a job is started before it counts as lost: 1 to 1,000,000; default 3. */
  readonly attempts?: number;
  /** Longest time from `run` to the result in milliseconds; default none. */
  readonly timeoutMs?: number;
  /** Resident memory of one child in bytes: at least 64 MiB; default none. Linux only: see docs/engines.md. */
  readonly memoryBytes?: number;
  /** Files and folders that children may read, besides the module. */
  readonly readable?: readonly string[];
  /** Conditions for resolving the module's imports, such as `@glia-os/source`. */
  readonly conditions?: readonly string[];
  /** Hears how jobs ended that other jobs handed on. Must not throw. */
  readonly handedOn?: (outcome: HandedOn) => void;
}

/** What children cannot do on this version of Node. `false`: this version cannot forbid it. */
export interface ChildPermissions {
  readonly files: boolean;
  readonly processes: boolean;
  readonly threads: boolean;
  readonly addons: boolean;
  readonly wasi: boolean;
  readonly network: boolean;
  /** Sending signals to processes of the same user: no version forbids it. */
  readonly signals: boolean;
}

/** What this Node forbids children under its permission model. */
export function childPermissions(): ChildPermissions {
  const network = process.allowedNodeEnvironmentFlags.has("--allow-net");
  return { files: true, processes: true, threads: true, addons: true, wasi: true, network, signals: false };
}

const IN_FLIGHT = 4096;
const PAYLOAD_BYTES = 64 * 1024 * 1024;
const ATTEMPTS = 3;
const MEMORY_LEAST = 64 * 1024 * 1024;
const PATROL_MS = 50;
const STARTUP_FAILURES = 3;

interface Work {
  readonly job: JobEnvelope;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: number;
  starts: number;
  settled: boolean;
  forget: (() => void) | undefined;
}

interface Seat {
  readonly place: BudgetPlace;
  child: ChildHandle;
  work: Work | undefined;
  /** Waits for a place in the budget. */
  waiting: boolean;
}

function within(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
}

class ProcessEngine implements JobEngine {
  readonly kind = "process";
  readonly #options: ProcessEngineOptions;
  readonly #budget: CpuBudget;
  readonly #limit: number;
  readonly #queue: Work[] = [];
  readonly #open = new Set<Work>();
  readonly #seats: Seat[] = [];
  readonly #patrol: NodeJS.Timeout;
  #finished = 0;
  #failed = 0;
  #restarted = 0;
  #lost = 0;
  #startupFailures = 0;
  #broken: errors.WorkerFailedError | undefined;
  readonly #drained = new DrainWait();
  /** Whether jobs are still taken. */
  #taking = true;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(options: ProcessEngineOptions) {
    this.#budget = options.budget ?? new CpuBudget(availableParallelism());
    const workers = within(
      "workers",
      options.workers ?? Math.min(MEMBERS, this.#budget.processors),
      1,
      MEMBERS,
    );
    this.#limit = within("inFlight", options.inFlight ?? IN_FLIGHT, 1, 65_536);
    within("payloadBytes", options.payloadBytes ?? PAYLOAD_BYTES, 1, 1024 ** 3);
    within("attempts", options.attempts ?? ATTEMPTS, 1, 1_000_000);
    if (options.timeoutMs !== undefined) within("timeoutMs", options.timeoutMs, 1, 2 ** 31 - 1);
    if (options.memoryBytes !== undefined)
      within("memoryBytes", options.memoryBytes, MEMORY_LEAST, Number.MAX_SAFE_INTEGER);
    if (options.module.protocol !== "file:")
      throw new BadOptionError("module", options.module.href, "a file: URL");
    this.#options = options;
    this.#patrol = setInterval(() => this.#onPatrol(), PATROL_MS).unref();
    for (let i = 0; i < workers; i++) {
      const seat = { place: this.#budget.join(), work: undefined, waiting: false } as unknown as Seat;
      this.#seats.push(seat);
      this.#start(seat);
    }
  }

  async run<Result>(job: JobEnvelope, cancel?: CancelSignal): Promise<Result> {
    if (!this.#taking) throw new errors.EngineClosedError(String(job?.id));
    checkEnvelope(job);
    return (await this.#enqueue(job, serialized(job.payload), cancel)) as Result;
  }

  stats(): JobEngineStats {
    return {
      workers: this.#seats.filter(({ child }) => child.live).length,
      inFlight: this.#open.size,
      finished: this.#finished,
      failed: this.#failed,
      restarted: this.#restarted,
      workersLost: this.#lost,
    };
  }

  close(options?: JobEngineClose): Promise<void> {
    try {
      const drainMs = drainMsOf(options);
      this.#taking = false;
      if (drainMs === 0 || this.#open.size === 0) {
        this.#drained.end();
        this.#closing ??= this.#close();
      } else {
        this.#drained.within(drainMs);
        this.#closing ??= this.#drained.over.then(() => this.#close());
      }
      return this.#closing;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  pids(): readonly number[] {
    return this.#seats.flatMap(({ child }) => (child.live && child.pid !== undefined ? [child.pid] : []));
  }

  async #close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#patrol);
    for (const work of [...this.#open]) this.#settle(work, new errors.EngineClosedError(work.job.id));
    await Promise.all(this.#seats.map(({ child }) => child.kill()));
    for (const { place } of this.#seats) this.#budget.leave(place);
  }

  #enqueue(envelope: JobEnvelope, payload: Uint8Array, cancel?: CancelSignal): Promise<unknown> {
    if (this.#broken !== undefined) throw this.#broken;
    const { id, origin, lineage, entry } = envelope;
    if (this.#open.size >= this.#limit) throw new errors.EngineFullError(id, this.#limit);
    const most = this.#options.payloadBytes ?? PAYLOAD_BYTES;
    if (payload.length > most)
      throw new errors.JobNotSerialisableError(
        "the payload",
        `it has ${payload.length} bytes; ${most} is the most`,
      );
    const job = { id, origin, lineage: [...lineage], entry, payload };
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + (this.#options.timeoutMs ?? Number.POSITIVE_INFINITY);
      const work: Work = { job, resolve, reject, deadline, starts: 0, settled: false, forget: undefined };
      this.#open.add(work);
      this.#patrol.ref();
      work.forget = cancel?.onCancel((reason) =>
        this.#stop(work, reason instanceof Error ? reason : new AbortedError(reason)),
      );
      if (work.settled) return;
      this.#queue.push(work);
      for (const seat of this.#seats) this.#offer(seat);
    });
  }

  #settle(work: Work, error: Error | undefined, value?: unknown): void {
    if (work.settled) return;
    work.settled = true;
    this.#open.delete(work);
    if (this.#open.size === 0) this.#patrol.unref();
    if (this.#open.size === 0 && !this.#taking) this.#drained.end();
    work.forget?.();
    if (error === undefined) {
      this.#finished++;
      work.resolve(value);
    } else {
      this.#failed++;
      work.reject(error);
    }
  }

  #stop(work: Work, error: Error): void {
    this.#settle(work, error);
    const at = this.#queue.indexOf(work);
    if (at >= 0) this.#queue.splice(at, 1);
    for (const seat of this.#seats) if (seat.work === work) void seat.child.kill();
  }

  #start(seat: Seat): void {
    const { module, readable = [], conditions = [] } = this.#options;
    seat.child = new ChildHandle(
      { module: module.href, readable: [fileURLToPath(module), ...readable], conditions },
      (message) => this.#heard(seat, message),
      (child) => this.#died(seat, child),
    );
  }

  /** Give a free child a job as soon as the budget has a place (P3). */
  #offer(seat: Seat): void {
    if (!seat.child.ready || seat.work !== undefined || seat.waiting || this.#queue.length === 0) return;
    if (seat.place.tryTake()) {
      this.#begin(seat);
      return;
    }
    seat.waiting = true;
    void seat.place.taken().then(() => {
      seat.waiting = false;
      this.#begin(seat);
    });
  }

  #begin(seat: Seat): void {
    const work = seat.child.ready && seat.work === undefined ? this.#queue.shift() : undefined;
    if (work === undefined) {
      if (seat.work === undefined) seat.place.give();
      return;
    }
    work.starts++;
    seat.work = work;
    seat.child.ask(work.job);
  }

  #heard(seat: Seat, message: FromChild): void {
    const work = seat.work;
    if (message.kind === "ready") this.#startupFailures = 0;
    else if (work === undefined) return;
    else if (message.kind === "hand-on") {
      this.#handOn(work.job, message);
      return;
    } else {
      seat.work = undefined;
      seat.place.give();
      if (message.kind === "result") this.#settle(work, undefined, message.value);
      else this.#settle(work, jobError(work.job.id, message.failure));
    }
    this.#offer(seat);
  }

  #handOn(parent: JobEnvelope, { id, entry, payload }: Extract<FromChild, { kind: "hand-on" }>): void {
    const names = { id, origin: parent.origin, lineage: [...parent.lineage, parent.id] };
    const { handedOn } = this.#options;
    const child = { ...names, entry, payload };
    const taken = async (): Promise<unknown> => {
      if (this.#closed) throw new errors.EngineClosedError(id);
      checkEnvelope(child);
      return this.#enqueue(child, payload);
    };
    taken().then(
      (result) => handedOn?.({ ...names, error: undefined, result }),
      (error: Error) => handedOn?.({ ...names, error, result: undefined }),
    );
  }

  #died(seat: Seat, child: ChildHandle): void {
    if (this.#closed) return;
    this.#lost++;
    if (!child.wasReady && !child.ended) this.#startupFailures++;
    this.#budget.left(seat.place);
    const work = seat.work;
    seat.work = undefined;
    if (work !== undefined && !work.settled) this.#again(work, child);
    if (this.#startupFailures >= STARTUP_FAILURES) this.#giveUp(child.failure);
    else this.#start(seat);
  }

  #again(work: Work, child: ChildHandle): void {
    const { attempts = ATTEMPTS, memoryBytes = 0 } = this.#options;
    if (child.overMemory) this.#settle(work, new errors.JobMemoryError(work.job.id, memoryBytes));
    else if (work.starts >= attempts) this.#settle(work, new errors.JobLostError(work.job.id, work.starts));
    else {
      this.#restarted++;
      this.#queue.unshift(work);
      for (const seat of this.#seats) this.#offer(seat);
    }
  }

  #giveUp(cause: unknown): void {
    this.#broken = new errors.WorkerFailedError(cause);
    for (const work of [...this.#open]) this.#settle(work, this.#broken);
  }

  #onPatrol(): void {
    const { timeoutMs, memoryBytes } = this.#options;
    const now = performance.now();
    if (timeoutMs !== undefined)
      for (const work of [...this.#open])
        if (work.deadline <= now) this.#stop(work, new errors.JobTimeoutError(work.job.id, timeoutMs));
    if (memoryBytes !== undefined) for (const { child } of this.#seats) child.checkMemory(memoryBytes);
  }
}

/** A payload in V8's format: checked and copied in one step. */
function serialized(payload: unknown): Buffer {
  try {
    return serialize(payload);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new errors.JobNotSerialisableError("the payload", why);
  }
}

/** A process engine, as seen by whoever makes it. */
export interface Processes extends JobEngine {
  /** Ids of the child processes that live. */
  pids(): readonly number[];
}

/** Jobs in child processes. @throws {BadOptionError} {BudgetFullError} */
export function createProcessEngine(options: ProcessEngineOptions): Processes {
  return new ProcessEngine(options);
}
