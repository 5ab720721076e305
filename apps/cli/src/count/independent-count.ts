/**
 * The count the mesh's result is compared with, made by the command line itself from the same bytes.
 *
 * C1. At most {@link OUTSTANDING_MAX} bytes wait for the thread: `push` waits beyond that.
 * C2. A failure of the thread fails every call made before or after it.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { CountingThreadError, InputChangedError } from "../errors.ts";
import type { CountedFile, CountReply, CountRequest } from "./count-messages.ts";
import type { Count } from "./tally.ts";
import type { WordCount } from "./words.ts";

/** Bytes that may wait for the counting thread. */
export const OUTSTANDING_MAX: number = 4 * 1024 * 1024;

const MIB = 1024 * 1024;
/** Buffers kept for the next chunks. */
const SPARE_MAX = 64;
/** JavaScript heap of the thread in MiB; the tables live outside it. Small young space: decoded text is garbage at once. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

function workerUrl(): URL {
  const source = import.meta.url.endsWith(".ts");
  return new URL(source ? "./count-worker.ts" : "./count-worker.js", import.meta.url);
}

/** A running count (C1, C2). Close it when done. */
export class IndependentCount {
  readonly #worker = new Worker(workerUrl(), { resourceLimits: LIMITS });
  readonly #failed: Promise<never>;
  readonly #replies: ((reply: CountReply) => void)[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #waiting: (() => void) | undefined;
  #outstanding = 0;
  #digest = 0;

  constructor() {
    this.#worker.on("message", (reply: CountReply) => this.#receive(reply));
    this.#failed = once(this.#worker, "error").then(([cause]) => {
      throw new CountingThreadError(cause);
    });
    this.#failed.catch(() => {});
  }

  /** Count the next piece of the current file. The bytes are copied. */
  async push(chunk: Uint8Array): Promise<void> {
    const buffer = this.#bufferFor(chunk.length);
    new Uint8Array(buffer).set(chunk);
    this.#outstanding += chunk.length;
    this.#post({ kind: "chunk", buffer, bytes: chunk.length }, [buffer]);
    if (this.#outstanding <= OUTSTANDING_MAX) return;
    await Promise.race([new Promise<void>((resolve) => (this.#waiting = resolve)), this.#failed]);
  }

  /** The current file is over. */
  endFile(): void {
    this.#post({ kind: "end-file" });
  }

  /** The count of everything pushed. */
  async finish(): Promise<Count> {
    this.#post({ kind: "finish" });
    const reply = await this.#reply("count");
    this.#digest = reply.digest;
    return reply.count;
  }

  /**
   * After `finish`: how often each word occurs, by reading the files again.
   * @throws {InputChangedError} when the files do not hold what was counted any more.
   */
  async recount(files: readonly CountedFile[], words: readonly WordCount[]): Promise<readonly number[]> {
    this.#post({ kind: "recount", files, words });
    const { counts, digest } = await this.#reply("recount");
    if (digest !== this.#digest) throw new InputChangedError();
    return counts;
  }

  /** End the thread. Idempotent. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  /** A buffer that came back, if it is large enough: garbage in buffers is collected late. */
  #bufferFor(bytes: number): ArrayBuffer {
    const spare = this.#spare.pop();
    return spare !== undefined && spare.byteLength >= bytes ? spare : new ArrayBuffer(bytes);
  }

  #post(request: CountRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(reply: CountReply): void {
    if (reply.kind !== "credit") {
      this.#replies.shift()?.(reply);
      return;
    }
    this.#outstanding -= reply.bytes;
    if (this.#spare.length < SPARE_MAX) this.#spare.push(reply.buffer);
    if (this.#outstanding > OUTSTANDING_MAX - MIB) return;
    this.#waiting?.();
    this.#waiting = undefined;
  }

  async #reply<Kind extends CountReply["kind"]>(kind: Kind): Promise<Extract<CountReply, { kind: Kind }>> {
    const reply = new Promise<CountReply>((resolve) => this.#replies.push(resolve));
    return (await Promise.race([reply, this.#failed])) as Extract<CountReply, { kind: typeof kind }>;
  }
}
