/**
 * Asks that are under way: what `ask` performs, what `begin` leaves behind, and the wait for several of them.
 *
 * PA1. An ask is settled once: by its reply, an error, its deadline, or the end of who asked. What comes later is late.
 * PA2. An ask that began in a handler ends with that handler.
 */
import type { Settled, Ticket } from "./context.ts";
import type { UnusualPriority } from "./priority.ts";
import type { AgentTarget } from "./reference.ts";
import type { AgentStep } from "./routine.ts";
import { type Waiter, Waiting } from "./waiting.ts";

/** The interpreter, as far as asks know it. */
export interface Asker extends Waiter {
  /** Send it and keep it until it is settled; gives it its id. It may be settled at once. */
  perform(ask: PendingAsk): void;
  /** Forget it: what comes for it is late. */
  forget(ask: PendingAsk): void;
}

/** Who takes the chunks of a stream. */
export interface ChunkTaker {
  /** A chunk came. */
  chunk(value: unknown): void;
  /** The stream has ended: its ask is settled. */
  ended(): void;
}

/** What an ask is made of. */
export interface AskParts {
  readonly to: AgentTarget;
  readonly message: string;
  readonly input: unknown;
  readonly timeoutMs: number;
  readonly priority?: UnusualPriority | undefined;
}

/** An ask. */
export class PendingAsk extends Waiting {
  get operation(): string {
    return "ask";
  }
  readonly to: AgentTarget;
  readonly message: string;
  readonly timeoutMs: number;
  readonly priority: UnusualPriority | undefined;
  /** What it asks with, until it is sent. */
  input: unknown;
  /** The correlation; 0 until it is sent. */
  id = 0;
  failed = false;
  value: unknown = undefined;
  /** Place in the order in which asks were settled. */
  order = 0;
  /** Whether it is kept after it is settled, for `settled`. */
  kept = false;
  /** Set for streams. */
  taker: ChunkTaker | null = null;
  /** Who waits for several. */
  group: SettledWait | null = null;
  /** Set by hosts: hears of the end instead of a routine. */
  listener: ((ask: PendingAsk) => void) | null = null;
  readonly #asker: Asker;

  constructor(asker: Asker, parts: AskParts) {
    super();
    this.#asker = asker;
    this.to = parts.to;
    this.message = parts.message;
    this.input = parts.input;
    this.timeoutMs = parts.timeoutMs;
    this.priority = parts.priority;
  }

  /** Make it an operation to be performed by `yield*`. */
  armed(): this {
    this.arm(this.#asker);
    return this;
  }

  next(): IteratorResult<AgentStep, unknown> {
    this.#asker.armed = null;
    if (this.id === 0) this.#asker.perform(this);
    if (!this.done) return this.#asker.park(this);
    if (this.failed) throw this.value;
    return { done: true, value: this.value };
  }

  override return(value?: unknown): IteratorResult<AgentStep, unknown> {
    this.#asker.forget(this);
    return { done: true, value };
  }

  /** It has ended, well or not. Sets nothing in motion. */
  settle(failed: boolean, value: unknown): void {
    this.failed = failed;
    this.value = value;
    this.done = true;
    this.taker?.ended();
    this.group?.settledOne();
    this.listener?.(this);
  }
}

/** Waiting for some of several asks. */
export class SettledWait extends Waiting {
  get operation(): string {
    return "settled";
  }
  readonly #asker: Asker;
  readonly #asks: readonly PendingAsk[];
  readonly #tickets: readonly Ticket[];
  readonly #count: number;
  #settled = 0;
  #waits = false;

  constructor(asker: Asker, asks: readonly PendingAsk[], tickets: readonly Ticket[], count: number) {
    super();
    this.#asker = asker;
    this.#asks = asks;
    this.#tickets = tickets;
    this.#count = count;
    this.arm(asker);
  }

  /** One of them has settled. */
  settledOne(): void {
    if (++this.#settled >= this.#count) this.done = true;
  }

  next(): IteratorResult<AgentStep, unknown> {
    this.#asker.armed = null;
    if (!this.#waits) {
      this.#waits = true;
      this.#settled = this.#asks.filter((ask) => ask.done).length;
      if (this.#settled < this.#count) {
        for (const ask of this.#asks) ask.group = this;
        return this.#asker.park(this);
      }
    }
    return { done: true, value: this.#collect() };
  }

  #collect(): readonly Settled[] {
    const found: { ask: PendingAsk; ticket: Ticket }[] = [];
    for (const [i, ask] of this.#asks.entries()) {
      ask.group = null;
      if (ask.done) found.push({ ask, ticket: this.#tickets[i]! });
    }
    found.sort((a, b) => a.ask.order - b.ask.order);
    return found.map(({ ask, ticket }) => {
      this.#asker.forget(ask);
      return ask.failed ? { ticket, ok: false, error: ask.value } : { ticket, ok: true, value: ask.value };
    });
  }
}
