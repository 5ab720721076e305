/**
 * The primitive `channel`: typed values in order from one routine to one message of one agent, with at most `capacity` under way.
 *
 * CH1. A value is under way from `put` until its receiver has handled it: the reply of the receiver's handler is the credit for one more.
 * CH2. `put` waits while `capacity` values are under way, so the receiver's mailbox never holds more of this channel than that.
 * CH3. A value that its receiver fails on ends the channel: the failure is thrown by the next `put`, `flush` or `close`, once, and every
 *      `put` after it throws `orchestration.channel-closed`. Values that were under way may have been handled.
 *
 * Promised: order, the bound, and that after `flush` every value was handled. Not promised: that a value was not handled when the channel
 * failed while it was under way. The other direction, where the receiver sets the pace chunk by chunk, is a stream (`ctx.open`).
 */
import type {
  AgentContext,
  AgentRoutine,
  AgentTarget,
  InputOf,
  MessageName,
  ReplyOf,
  Ticket,
} from "../agent/index.ts";
import { checkWhole } from "./check-option.ts";
import { ChannelClosedError } from "./errors.ts";

/** Values under way unless a channel says otherwise: the credit of a stream. */
export const CHANNEL_CAPACITY = 16;
/** Values under way at most: what a mailbox holds before it asks senders to hold back. */
export const CHANNEL_CAPACITY_MAX = 800;

/** How a channel works. */
export interface ChannelOptions {
  /** Values under way: 1 to 800, default 16. */
  readonly capacity?: number;
  /** How long the receiver may take for one value, in milliseconds, from when it was put: default 30,000. */
  readonly timeoutMs?: number;
}

/** Open a channel to a message of an agent; costs nothing until the first `put`. @throws {BadOptionError} */
export function channel<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
  ctx: AgentContext,
  to: AgentTarget<Def>,
  message: Name,
  options: ChannelOptions = {},
): Channel<InputOf<Def, Name>, ReplyOf<Def, Name>> {
  const capacity = checkWhole("capacity", options.capacity ?? CHANNEL_CAPACITY, 1, CHANNEL_CAPACITY_MAX);
  const timeoutMs = checkWhole("timeoutMs", options.timeoutMs ?? 30_000, 1, 2_147_483_647);
  return new Channel(ctx, capacity, (value) =>
    ctx.begin<Def, Name>(to, message, value as InputOf<Def, Name>, { timeoutMs }),
  );
}

/** The sending end. It belongs to the handler or routine that opened it. */
export class Channel<Value, Reply = unknown> {
  readonly capacity: number;
  readonly #ctx: AgentContext;
  readonly #send: (value: Value) => Ticket<Reply>;
  #open: Ticket<Reply>[] = [];
  #put = 0;
  #state:
    | { readonly kind: "open" }
    | { readonly kind: "closed"; readonly reason: string; readonly cause?: unknown } = {
    kind: "open",
  };

  /** Made by `channel`. */
  constructor(ctx: AgentContext, capacity: number, send: (value: Value) => Ticket<Reply>) {
    this.#ctx = ctx;
    this.capacity = capacity;
    this.#send = send;
  }

  /** Values under way. */
  get underway(): number {
    return this.#open.length;
  }

  /** Values that the receiver has handled. */
  get handled(): number {
    return this.#put - this.#open.length;
  }

  /** Send a value, after waiting for room (CH2). @throws {ChannelClosedError}, what an earlier value failed with (CH3) */
  *put(value: Value): AgentRoutine<void> {
    while (this.#state.kind === "open" && this.#open.length >= this.capacity) yield* this.#take(1);
    if (this.#state.kind === "closed") throw new ChannelClosedError(this.#state.reason, this.#state.cause);
    this.#open.push(this.#send(value));
    this.#put++;
  }

  /** Wait until everything that was put has been handled. @throws what a value failed with (CH3) */
  *flush(): AgentRoutine<void> {
    while (this.#open.length > 0) yield* this.#take(this.#open.length);
  }

  /** Flush, and take no more. Idempotent. @throws what a value failed with (CH3) */
  *close(): AgentRoutine<void> {
    yield* this.flush();
    if (this.#state.kind === "open") this.#state = { kind: "closed", reason: "it was closed" };
  }

  /** Take no more and wait for nothing: values under way may still be handled. */
  abandon(): void {
    this.#ctx.abandon(this.#open);
    this.#open = [];
    if (this.#state.kind === "open") this.#state = { kind: "closed", reason: "it was abandoned" };
  }

  *#take(count: number): AgentRoutine<void> {
    const settled = yield* this.#ctx.settled(this.#open, { count });
    const over = new Set(settled.map(({ ticket }) => ticket.id));
    this.#open = this.#open.filter(({ id }) => !over.has(id));
    for (const one of settled) {
      if (one.ok) continue;
      this.#ctx.abandon(this.#open);
      this.#open = [];
      this.#state = { kind: "closed", reason: "its receiver failed on a value", cause: one.error };
      throw one.error;
    }
  }
}
