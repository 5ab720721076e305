/**
 * `Coordination` on a SQLite file, served by a worker thread so that no flush stops the caller's loop.
 *
 * L1. At most `queueLimit` requests wait; the next one is refused before it is sent.
 * L2. A promise of this store always settles: when the worker ends unasked, every waiting request is refused.
 * L3. `close` answers what was asked before it, ends the worker and leaves no handle.
 */
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { MalformedError } from "@glia-os/abi/errors";
import type { Coordination } from "@glia-os/abi/ports";
import type { Answer } from "./batch.ts";
import { type Answerer, CheckedCoordination } from "./checked-coordination.ts";
import { QueueFullError, reviveError, StoreClosedError, WorkerStoppedError } from "./errors.ts";
import { type CoordinationLimits, limitsOf } from "./limits.ts";
import type { CoordinationReply, CoordinationRequest } from "./request.ts";
import type { FromWorker, ToWorker, WorkerSettings } from "./serve-sqlite.ts";

/** Requests that may wait at once when no limit is given. */
export const DEFAULT_QUEUE_LIMIT = 4_096;
/** The largest file when no limit is given: 4 GiB. */
export const DEFAULT_MAX_BYTES: number = 4 * 2 ** 30;

const QUEUE_LIMIT_MOST = 65_536;
const MAX_BYTES_LEAST = 256 * 1024;
const MAX_BYTES_MOST = 2 ** 40;

/** What to open. */
export interface SqliteCoordinationOptions {
  /** The file; made when it is missing, its folder is not. Relative to the working directory. */
  readonly path: string;
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<CoordinationLimits>;
  /** Requests that may wait at once, 1 to 65,536. */
  readonly queueLimit?: number;
  /** The most the file may grow to, 256 KiB to 1 TiB. */
  readonly maxBytes?: number;
  /** Where the worker's code is; only a bundler that moved `@glia-os/store/sqlite-worker` needs it. */
  readonly workerUrl?: URL;
}

/**
 * Open or create a store. One process has a file at a time.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.not-a-database`, `store.foreign-database`,
 * `store.corrupt`, `store.schema-newer`, and `abi.malformed` for a bad option.
 */
export async function openSqliteCoordination(options: SqliteCoordinationOptions): Promise<Coordination> {
  const settings = settingsOf(options);
  const queueLimit = wholeNumber(
    "queueLimit",
    options.queueLimit ?? DEFAULT_QUEUE_LIMIT,
    1,
    QUEUE_LIMIT_MOST,
  );
  const worker = new Worker(options.workerUrl ?? ownWorkerUrl(), {
    workerData: settings,
    name: "glia-store",
  });
  const link = new WorkerLink(worker, queueLimit);
  try {
    await link.opened;
  } catch (error) {
    await link.exited;
    throw error;
  }
  return new CheckedCoordination(link);
}

function ownWorkerUrl(): URL {
  return new URL(
    import.meta.url.endsWith(".ts") ? "./sqlite-worker.ts" : "./sqlite-worker.js",
    import.meta.url,
  );
}

function settingsOf({ path, limits, maxBytes }: SqliteCoordinationOptions): WorkerSettings {
  if (typeof path !== "string" || path === "" || path.includes("\0") || path === ":memory:") {
    throw new MalformedError("path", "it does not name a file; a store in memory is @glia-os/store/memory");
  }
  const bytes = wholeNumber("maxBytes", maxBytes ?? DEFAULT_MAX_BYTES, MAX_BYTES_LEAST, MAX_BYTES_MOST);
  return { path: resolve(path), maxBytes: bytes, limits: limitsOf(limits) };
}

function wholeNumber(what: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new MalformedError(what, `${String(value)} is not a whole number from ${least} to ${most}`);
}

interface Waiting {
  readonly resolve: (reply: CoordinationReply) => void;
  readonly reject: (reason: unknown) => void;
}

/** The parent's end of the conversation with one worker. */
class WorkerLink implements Answerer {
  /** Settles when the worker opened the file or refused to. */
  readonly opened: Promise<void>;
  /** Resolves when the worker is gone. */
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  readonly #queueLimit: number;
  /** Requests without an answer, oldest first. */
  #waiting: Waiting[] = [];
  #unsent: CoordinationRequest[] = [];
  #ending: Promise<void> | undefined;
  #stopped: WorkerStoppedError | undefined;

  constructor(worker: Worker, queueLimit: number) {
    this.#worker = worker;
    this.#queueLimit = queueLimit;
    const opening = Promise.withResolvers<void>();
    this.opened = opening.promise;
    worker.on("message", (message: FromWorker) => {
      if ("answers" in message) this.#settle(message.answers);
      else if ("ready" in message) opening.resolve();
      else opening.reject(reviveError(message.refused));
    });
    let why = "it ended before it was asked to";
    worker.on("error", (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    this.exited = new Promise((resolve) => {
      worker.once("exit", () => {
        if (this.#ending === undefined || this.#waiting.length > 0) this.#stop(new WorkerStoppedError(why));
        opening.reject(this.#stopped);
        resolve();
      });
    });
  }

  async ask(request: CoordinationRequest): Promise<CoordinationReply> {
    if (this.#ending !== undefined) throw new StoreClosedError();
    if (this.#stopped !== undefined) throw this.#stopped;
    if (this.#waiting.length >= this.#queueLimit) throw new QueueFullError(this.#queueLimit);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#unsent.push(request);
      if (this.#unsent.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  end(): Promise<void> {
    this.#ending ??= this.#close();
    return this.#ending;
  }

  #close(): Promise<void> {
    this.#flush();
    this.#send({ close: true });
    return this.exited;
  }

  /** Requests asked in one turn travel as one message, so that they can share one commit. */
  #flush(): void {
    if (this.#unsent.length === 0) return;
    const requests = this.#unsent;
    this.#unsent = [];
    this.#send({ requests });
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #settle(answers: readonly Answer[]): void {
    const settled = this.#waiting.splice(0, answers.length);
    answers.forEach((answer, i) => {
      if ("refused" in answer) settled[i]?.reject(reviveError(answer.refused));
      else settled[i]?.resolve(answer.reply);
    });
  }

  #stop(reason: WorkerStoppedError): void {
    this.#stopped = reason;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(reason);
  }
}
