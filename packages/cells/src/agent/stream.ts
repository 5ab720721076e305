/**
 * Streams: the reader's side, and the source's (docs/spec/agent-message.md, "Streams").
 *
 * ST1. At most 16 chunks are under way or unread: the source has 16 credits, and the reader gives back 8 for every 8 it has taken.
 * ST2. A stream ends once: with the reply of its handler, an error, a cancel, or the end of the reader's handler.
 */
import { STREAM_CREDIT, STREAM_CREDIT_LOT } from "./constants.ts";
import type { AgentStream, StreamItem } from "./context.ts";
import { AskTimeoutError, BadEnvelopeError } from "./errors.ts";
import type { ChunkTaker, PendingAsk } from "./pending-ask.ts";
import type { AgentOperation, AgentStep } from "./routine.ts";
import { type Waiter, Waiting } from "./waiting.ts";

/** The interpreter, as far as readers know it. */
export interface Reader extends Waiter {
  /** Give the source of this ask so many credits; 0 cancels. */
  credit(ask: PendingAsk, chunks: number): void;
  /** Forget the ask. */
  forget(ask: PendingAsk): void;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
}

/** The reader's side. */
export class StreamReader implements AgentStream, ChunkTaker {
  readonly ask: PendingAsk;
  readonly #reader: Reader;
  readonly #unread: unknown[] = [];
  #taken = 0;
  #over = false;
  #error: { readonly value: unknown } | null = null;
  /** Who waits for the next item: is told by `done`. */
  waiting: { done: boolean } | null = null;

  constructor(reader: Reader, ask: PendingAsk) {
    this.#reader = reader;
    this.ask = ask;
  }

  next(): AgentOperation<StreamItem<unknown, unknown>> {
    return new NextChunk(this.#reader, this) as AgentOperation<unknown> as AgentOperation<
      StreamItem<unknown, unknown>
    >;
  }

  chunk(value: unknown): void {
    if (this.#over) return;
    if (this.#unread.length >= STREAM_CREDIT)
      this.fail(new BadEnvelopeError("a stream is ahead of its credit"));
    else {
      this.#unread.push(value);
      if (this.waiting !== null) this.waiting.done = true;
    }
  }

  ended(): void {
    if (this.waiting !== null) this.waiting.done = true;
  }

  cancel(): void {
    if (this.#over || this.ask.done) return;
    this.#over = true;
    this.#reader.credit(this.ask, 0);
    this.#reader.forget(this.ask);
  }

  /** End it with an error, here and at the source. */
  fail(error: unknown): void {
    this.#error = { value: error };
    this.cancel();
    this.ended();
  }

  /** The time for an item is over. */
  timedOut(): void {
    const { to, message, timeoutMs } = this.ask;
    this.fail(new AskTimeoutError(to, message, timeoutMs));
  }

  /** What there is: an item, or undefined when it has to be waited for. @throws what the stream failed with */
  item(): StreamItem<unknown, unknown> | undefined {
    if (this.#unread.length > 0) {
      const value = this.#unread.shift();
      if (++this.#taken % STREAM_CREDIT_LOT === 0 && !this.ask.done)
        this.#reader.credit(this.ask, STREAM_CREDIT_LOT);
      return { done: false, value };
    }
    if (this.#error !== null) throw this.#error.value;
    if (this.ask.failed) throw this.ask.value;
    if (this.ask.done) return { done: true, value: this.ask.value };
    return this.#over ? { done: true, value: undefined } : undefined;
  }
}

/** Waiting for the next item. */
export class NextChunk extends Waiting {
  get operation(): string {
    return "next";
  }
  readonly #reader: Reader;
  readonly #stream: StreamReader;

  constructor(reader: Reader, stream: StreamReader) {
    super();
    this.#reader = reader;
    this.#stream = stream;
    this.arm(reader);
  }

  next(): IteratorResult<AgentStep, unknown> {
    this.#reader.armed = null;
    const stream = this.#stream;
    const item = stream.item();
    stream.waiting = item === undefined ? this : null;
    if (item !== undefined) return { done: true, value: item };
    this.done = false;
    this.deadlineMs = this.#reader.monotonicMs() + stream.ask.timeoutMs;
    return this.#reader.park(this);
  }

  override expire(): void {
    this.#stream.timedOut();
    this.done = true;
  }
}

/** The source's side, of the ask that is handled. */
export class StreamSource {
  credit: number = STREAM_CREDIT;
  closed = false;
}

/** Who sends chunks. */
export interface Source extends Waiter {
  /** Send a chunk if there is credit. Returns false when it has to wait. @throws when there is no reader, or the chunk is refused */
  emitted(chunk: unknown): boolean;
}

/** Waiting for credit, to send a chunk. */
export class Emit extends Waiting {
  get operation(): string {
    return "emit";
  }
  readonly #source: Source;
  readonly #chunk: unknown;

  constructor(source: Source, chunk: unknown) {
    super();
    this.#source = source;
    this.#chunk = chunk;
    this.arm(source);
  }

  next(): IteratorResult<AgentStep, unknown> {
    this.#source.armed = null;
    if (this.#source.emitted(this.#chunk)) return { done: true, value: undefined };
    this.done = false;
    return this.#source.park(this);
  }
}
