/**
 * Jobs as functions of this thread: for work that mostly waits. There is no isolation and no way to stop a running job; a cancelled or
 * overdue one is settled, and what it still does is ignored.
 */
import { deserialize, serialize } from "node:v8";
import { toErrorRecord } from "@glia-os/abi/errors";
import type {
  CancelSignal,
  JobEngine,
  JobEngineClose,
  JobEngineStats,
  JobEnvelope,
} from "@glia-os/abi/ports";
import { AbortedError, BadOptionError } from "../errors.ts";
import { DrainWait, drainMsOf } from "./drain-wait.ts";
import { checkEnvelope, type HandedOn, type JobContext, type JobFunction } from "./envelope.ts";
import {
  EngineClosedError,
  EngineFullError,
  JobNotSerialisableError,
  JobOverError,
  JobTimeoutError,
  UnknownEntryError,
} from "./errors.ts";
import { jobError } from "./job-error.ts";

/** How an async engine is made. */
export interface AsyncEngineOptions {
  /** The functions by name. */
  readonly functions: Readonly<Record<string, JobFunction>>;
  /** Jobs in flight: 1 to 1,000,000; default 4096. */
  readonly inFlight?: number;
  /** Longest time from `run` to the result in milliseconds; default none. */
  readonly timeoutMs?: number;
  /** Hears how jobs ended that other jobs handed on. Must not throw. */
  readonly handedOn?: (outcome: HandedOn) => void;
}

const IN_FLIGHT = 4096;
const IN_FLIGHT_MOST = 1_000_000;

function copy(value: unknown, what: string): unknown {
  if (value === undefined || typeof value === "number" || typeof value === "string") return value;
  try {
    return deserialize(serialize(value));
  } catch (error) {
    throw new JobNotSerialisableError(what, error instanceof Error ? error.message : String(error));
  }
}

function cancelled(reason: unknown): Error {
  return reason instanceof Error ? reason : new AbortedError(reason);
}

class AsyncEngine implements JobEngine {
  readonly kind = "async";
  readonly #options: AsyncEngineOptions;
  readonly #limit: number;
  /** How to refuse each job that is open, by what names it. */
  readonly #open = new Map<(error: Error) => void, string>();
  /** Jobs that were handed on and not heard of. */
  readonly #handedOn = new Set<Promise<void>>();
  readonly #drained = new DrainWait();
  #finished = 0;
  #failed = 0;
  /** Whether jobs are still taken. */
  #taking = true;
  #closed = false;

  constructor(options: AsyncEngineOptions) {
    const limit = options.inFlight ?? IN_FLIGHT;
    if (!Number.isInteger(limit) || limit < 1 || limit > IN_FLIGHT_MOST)
      throw new BadOptionError("inFlight", limit, `a whole number from 1 to ${IN_FLIGHT_MOST}`);
    this.#options = options;
    this.#limit = limit;
  }

  async run<Result>(job: JobEnvelope, cancel?: CancelSignal): Promise<Result> {
    if (!this.#taking) throw new EngineClosedError(String(job?.id));
    return (await this.#run(job, cancel)) as Result;
  }

  async #run(job: JobEnvelope, cancel?: CancelSignal): Promise<unknown> {
    checkEnvelope(job);
    if (this.#open.size >= this.#limit) throw new EngineFullError(job.id, this.#limit);
    const payload = copy(job.payload, "the payload");
    if (cancel?.cancelled === true) throw cancelled(cancel.reason);
    const stopped = Promise.withResolvers<never>();
    this.#open.set(stopped.reject, job.id);
    const forget = cancel?.onCancel((reason) => stopped.reject(cancelled(reason)));
    const { timeoutMs } = this.#options;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => stopped.reject(new JobTimeoutError(job.id, timeoutMs)), timeoutMs);
    try {
      const result = await Promise.race([stopped.promise, this.#perform(job, payload)]);
      this.#finished++;
      return result;
    } catch (error) {
      this.#failed++;
      throw error;
    } finally {
      this.#open.delete(stopped.reject);
      clearTimeout(timer);
      forget?.();
      if (!this.#taking && this.#open.size === 0) this.#drained.end();
    }
  }

  stats(): JobEngineStats {
    return {
      workers: 0,
      inFlight: this.#open.size,
      finished: this.#finished,
      failed: this.#failed,
      restarted: 0,
      workersLost: 0,
    };
  }

  async close(options?: JobEngineClose): Promise<void> {
    const drainMs = drainMsOf(options);
    this.#taking = false;
    if (drainMs === 0 || this.#open.size === 0) this.#drained.end();
    else {
      this.#drained.within(drainMs);
      await this.#drained.over;
    }
    this.#closed = true;
    for (const [refuse, id] of [...this.#open]) refuse(new EngineClosedError(id));
    await Promise.all(this.#handedOn);
  }

  async #perform(job: JobEnvelope, payload: unknown): Promise<unknown> {
    // The caller's next line runs before the job does, as in the other engines.
    await undefined;
    if (this.#closed) throw new EngineClosedError(job.id);
    const { functions } = this.#options;
    const run = Object.hasOwn(functions, job.entry) ? functions[job.entry] : undefined;
    if (run === undefined) throw new UnknownEntryError(job.entry);
    const state = { over: false };
    try {
      return copy(await run(payload as never, this.#context(job, state)), "the result");
    } catch (error) {
      throw jobError(job.id, toErrorRecord(error));
    } finally {
      state.over = true;
    }
  }

  #context({ id, origin, lineage }: JobEnvelope, state: { readonly over: boolean }): JobContext {
    let children = 0;
    return {
      id,
      origin,
      lineage,
      handOn: (entry, payload) => {
        if (state.over) throw new JobOverError(id);
        if (this.#closed) throw new EngineClosedError(`${id}/${children}`);
        const child = { id: `${id}/${children}`, origin, lineage: [...lineage, id], entry, payload };
        checkEnvelope(child);
        copy(payload, "the payload");
        if (this.#open.size >= this.#limit) throw new EngineFullError(child.id, this.#limit);
        children++;
        const { handedOn } = this.#options;
        const names = { id: child.id, origin, lineage: child.lineage };
        const heard = this.#run(child).then(
          (result) => handedOn?.({ ...names, error: undefined, result }),
          (error: Error) => handedOn?.({ ...names, error, result: undefined }),
        );
        this.#handedOn.add(heard);
        void heard.finally(() => this.#handedOn.delete(heard));
        return child.id;
      },
    };
  }
}

/** Jobs as functions of this thread. @throws {BadOptionError} */
export function createAsyncEngine(options: AsyncEngineOptions): JobEngine {
  return new AsyncEngine(options);
}
