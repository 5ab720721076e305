/**
 * The parent's end of a store worker: requests out, answers in.
 *
 * L1. At most `queueLimit` requests wait, and not more than {@link QUEUE_BYTES} in them; the next one is refused before it is
 *     sent. One request alone may be larger.
 * L2. A promise of this store always settles: when the worker ends unasked, every waiting request is refused.
 * L3. `end` answers what was asked before it, ends the worker and leaves no handle.
 */
import type { Worker } from "node:worker_threads";
import { QueueFullError, reviveError, StoreClosedError, WorkerStoppedError } from "./errors.ts";
import type { Answer, FromWorker, ToWorker } from "./serve.ts";
import { SlotParent } from "./shared-slot.ts";
import { WakefulLoop } from "./wakeful-loop.ts";
import { workerClock } from "./worker-clock.ts";

/** Requests that may wait at once when no limit is given. */
export const DEFAULT_QUEUE_LIMIT = 4_096;
/** The most that can be set. */
export const QUEUE_LIMIT_MOST = 65_536;

/** Bytes that may wait in requests at once: 256 MiB. */
export const QUEUE_BYTES: number = 256 * 2 ** 20;

/** So many requests are few. */
const FEW = 4;

/** The bytes a request carries. They are the worker's from `ask` on when `given` says so, else they are copied. */
export interface Load<Request> {
  /** The bytes of a request; `undefined` when it carries none to speak of. */
  bytesOf(request: Request): Uint8Array | undefined;
  /** Whether the buffer of the bytes holds nothing else and nobody uses it any more. */
  readonly given: boolean;
  /** Some requests in a form that crosses threads faster, with the buffers that go along; `undefined` to send them as they are. */
  pack?(requests: readonly Request[]): Packed | undefined;
  /** Undoes `Packing.packReply`. */
  unpackReply?(reply: unknown): unknown;
  /** Undoes `Packing.packReplies`. */
  unpackReplies?(packed: unknown): readonly unknown[];
  /** Write requests into memory that is shared. Returns the bytes they take; 0 when they cannot be written or do not fit. */
  write?(requests: readonly Request[], room: Uint8Array): number;
}

/** Requests that `serveStore` unpacks. */
export interface Packed {
  readonly packed: unknown;
  readonly given: readonly ArrayBuffer[];
}

interface Waiting<Reply> {
  readonly bytes: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (reason: unknown) => void;
}

/** A conversation with one worker. */
export class WorkerLink<Request, Reply> {
  /** Settles when the worker opened its files or refused to. */
  readonly #opened: Promise<void>;
  /** Resolves when the worker is gone. */
  readonly #exited: Promise<void>;
  readonly #worker: Worker;
  readonly #queueLimit: number;
  readonly #load: Load<Request> | undefined;
  #bytes = 0;
  /** Requests without an answer, oldest first. */
  #waiting: Waiting<Reply>[] = [];
  #unsent: Request[] = [];
  readonly #slot: SlotParent | undefined;
  /** Awake while few wait for an answer that is a flush away: what many wait for takes longer, and they share it. */
  readonly #loop: WakefulLoop = new WakefulLoop({
    nowMs: workerClock.monotonicMs,
    nextTurn: setImmediate,
    look: () => this.#look(),
    awake: (awake) => {
      if (this.#slot !== undefined) this.#slot.isAwake = awake;
    },
  });
  #ending: Promise<void> | undefined;
  #stopped: WorkerStoppedError | undefined;

  /** With `memory`, which the worker has too, single requests go by that while both are awake. */
  constructor(worker: Worker, queueLimit: number, load?: Load<Request>, memory?: SharedArrayBuffer) {
    this.#slot = memory === undefined ? undefined : new SlotParent(memory);
    this.#worker = worker;
    this.#queueLimit = queueLimit;
    this.#load = load;
    const opening = Promise.withResolvers<void>();
    this.#opened = opening.promise;
    worker.on("message", (message: FromWorker<Reply>) => {
      this.#loop.came();
      this.#look();
      if ("done" in message) this.#done(message.done);
      else if ("answers" in message) this.#settle(message.answers);
      else if ("replies" in message) this.#settleAll(message.replies);
      else if ("ready" in message) opening.resolve();
      else if ("refused" in message) opening.reject(reviveError(message.refused));
    });
    let why = "it ended before it was asked to";
    worker.on("error", (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        if (this.#ending === undefined || this.#waiting.length > 0) this.#stop(new WorkerStoppedError(why));
        opening.reject(this.#stopped);
        resolve();
      });
    });
  }

  /** Resolves when the worker opened its files. When it refuses to, it is gone before the refusal is thrown. */
  async ready(): Promise<void> {
    try {
      await this.#opened;
    } catch (error) {
      await this.#exited;
      throw error;
    }
  }

  /** Answer one request; refused when the store is closed, its worker gone or its queue full. */
  ask(request: Request): Promise<Reply> {
    const bytes = this.#load?.bytesOf(request)?.length ?? 0;
    const refusal = this.#refusal(bytes);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#bytes += bytes;
      this.#waiting.push({ resolve, reject, bytes });
      this.#unsent.push(request);
      if (this.#unsent.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  #refusal(bytes: number): Error | undefined {
    if (this.#ending !== undefined) return new StoreClosedError();
    if (this.#stopped !== undefined) return this.#stopped;
    if (this.#waiting.length >= this.#queueLimit) return new QueueFullError(this.#queueLimit);
    if (this.#bytes > 0 && this.#bytes + bytes > QUEUE_BYTES) return new QueueFullError(QUEUE_BYTES, "bytes");
    return undefined;
  }

  /** Finish the requests under way and end the worker. Idempotent. */
  end(): Promise<void> {
    this.#ending ??= this.#close();
    return this.#ending;
  }

  #close(): Promise<void> {
    this.#flush();
    this.#send({ close: true });
    return this.#exited;
  }

  /** Requests asked in one turn travel as one message, so that they can share one commit. */
  #flush(): void {
    if (this.#unsent.length === 0) return;
    const requests = this.#unsent;
    this.#unsent = [];
    if (this.#slotted(requests)) return;
    const packed = this.#load?.pack?.(requests);
    if (packed !== undefined) {
      this.#send({ packed: packed.packed }, packed.given);
      return;
    }
    const given = this.#load?.given === true ? requests.map((request) => this.#load?.bytesOf(request)) : [];
    this.#send(
      { requests },
      given.flatMap((bytes) => (bytes === undefined ? [] : [bytes.buffer as ArrayBuffer])),
    );
  }

  /** Put requests into the slot when nothing else is under way (SL1). Returns whether they are there. */
  #slotted(requests: readonly Request[]): boolean {
    const slot = this.#slot;
    if (slot === undefined || requests.length > FEW || this.#waiting.length > requests.length) return false;
    const length = this.#load?.write?.(requests, slot.room) ?? 0;
    if (length === 0) return false;
    this.#loop.expect();
    if (slot.put(length)) this.#worker.postMessage({ look: true } satisfies ToWorker<Request>);
    return true;
  }

  /** Take the answers that were counted in the slot. */
  #look(): void {
    const answered = this.#slot?.takeAnswered() ?? 0;
    if (answered === 0) return;
    this.#loop.came();
    this.#done(answered);
  }

  #send(message: ToWorker<Request>, given: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, given);
    if (this.#waiting.length > 0 && this.#waiting.length <= FEW) this.#loop.expect();
  }

  /** The oldest requests were performed and have no reply. */
  #done(count: number): void {
    for (const { bytes, resolve } of this.#waiting.splice(0, count)) {
      this.#bytes -= bytes;
      resolve(undefined as Reply);
    }
  }

  #settle(answers: readonly Answer<Reply>[]): void {
    const settled = this.#waiting.splice(0, answers.length);
    for (const { bytes } of settled) this.#bytes -= bytes;
    answers.forEach((answer, i) => {
      if ("refused" in answer) settled[i]?.reject(reviveError(answer.refused));
      else settled[i]?.resolve(this.#unpacked(answer.reply));
    });
  }

  #settleAll(packed: unknown): void {
    const replies = (this.#load?.unpackReplies?.(packed) ?? []) as readonly Reply[];
    const settled = this.#waiting.splice(0, replies.length);
    for (const { bytes } of settled) this.#bytes -= bytes;
    for (const [i, { resolve }] of settled.entries()) resolve(replies[i] as Reply);
  }

  #unpacked(reply: Reply): Reply {
    return this.#load?.unpackReply === undefined ? reply : (this.#load.unpackReply(reply) as Reply);
  }

  #stop(reason: WorkerStoppedError): void {
    this.#stopped = reason;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(reason);
  }
}
