/** The asking side of the interpreter: asks, streams that it reads, requests to the host, and deadlines (`pending-ask.ts` PA1, PA2). */
import { AgentTables } from "./agent-tables.ts";
import { continuing } from "./carried-trace.ts";
import type { CompiledAgent } from "./compiled-agent.ts";
import { MAILBOX_CAPACITY } from "./constants.ts";
import type { AgentEnvelope } from "./envelope.ts";
import { errorOf } from "./error-record.ts";
import {
  AgentMailboxFullError,
  AskSelfError,
  AskTimeoutError,
  NotAStreamError,
  UnknownAgentError,
} from "./errors.ts";
import { Inbox } from "./inbox.ts";
import type { AgentOutside, AgentSpeaker, Sent } from "./outside.ts";
import type { Asker, PendingAsk } from "./pending-ask.ts";
import type { AgentRef, AgentTarget } from "./reference.ts";
import { type AgentStep, WAITS } from "./routine.ts";
import type { Reader } from "./stream.ts";
import type { Waiting } from "./waiting.ts";

/** A deadline is late by at most this part of the time allowed. */
const DATED_PARTS = 64;

/** The host knows that there is work. */
export const AWAKE = 1;
/** It handles nothing from the next message on. */
export const PAUSED = 2;
/** It asked to end itself: when no handler is under way. */
export const LEAVING = 4;
/** It is to end; why is in the tables. */
export const STOPPING = 8;
/** Its task waits. For hosts. */
export const PARKED = 16;
/** Its code is to be exchanged: it begins no message until that is over. */
export const HELD = 32;

/** One agent that asks. */
export abstract class Asking extends Inbox implements Asker, Reader, AgentSpeaker {
  readonly ref: AgentRef;
  armed: Waiting | null = null;
  waitsFor: Waiting | null = null;
  /** Late replies and messages that nobody got. */
  dropped = 0;
  protected kind: CompiledAgent;
  protected readonly outside: AgentOutside;
  protected tables: AgentTables | null = null;
  /** Facts of one bit each, in one number: a million agents have them. */
  protected flags = 0;

  constructor(ref: AgentRef, kind: CompiledAgent, outside: AgentOutside) {
    super();
    this.ref = ref;
    this.kind = kind;
    this.outside = outside;
  }

  get definition(): CompiledAgent["definition"] {
    return this.kind.definition;
  }

  abstract get handling(): string;
  /** What is handled now. */
  abstract readonly request: AgentEnvelope | null;

  /** The tables, made on first use. */
  more(): AgentTables {
    return (this.tables ??= new AgentTables());
  }

  monotonicMs(): number {
    return this.outside.monotonicMs();
  }

  // Asks

  perform(ask: PendingAsk): void {
    const { to, input } = ask;
    if (to === this.ref.name || (typeof to === "object" && to.id === this.ref.id))
      throw new AskSelfError(ask.message);
    this.more().addAsk(ask);
    ask.input = undefined;
    const waits = ask.taker === null && !ask.kept && ask.listener === null;
    if (ask.taker === null && !waits) this.limit(ask);
    const envelope: AgentEnvelope = {
      kind: "ask",
      from: this.ref,
      correlation: ask.id,
      message: ask.message,
      input,
    };
    const { priority } = ask;
    const ranked = priority === undefined ? envelope : { ...envelope, priority };
    const sent = this.send(to, continuing(ranked, this.request), waits);
    if (sent === "full") this.#settle(ask, true, new AgentMailboxFullError(to, MAILBOX_CAPACITY));
    else if (sent === "unknown") this.#settle(ask, true, new UnknownAgentError(to));
    else if (waits && !ask.done) this.limit(ask);
  }

  forget(ask: PendingAsk): void {
    this.tables?.removeAsk(ask);
  }

  credit(ask: PendingAsk, chunks: number): void {
    this.send(ask.to, { kind: "credit", from: this.ref, correlation: ask.id, message: "", input: chunks });
  }

  /** End what the handler leaves behind. */
  protected closeAsks(): void {
    const tables = this.tables;
    if (tables === null || tables.noAsks) return;
    for (const ask of tables.asks()) {
      if (ask.listener !== null) continue;
      if (ask.taker !== null && !ask.done) this.credit(ask, 0);
      tables.removeAsk(ask);
    }
  }

  /** What belongs to an ask has come. */
  protected settleBy(envelope: AgentEnvelope): void {
    const ask = this.tables?.findAsk(envelope.correlation);
    if (ask === undefined || ask.done || !isFrom(envelope.from, ask.to)) {
      this.dropped++;
      return;
    }
    if (envelope.kind === "error") this.#settle(ask, true, errorOf(envelope.input));
    else if (envelope.kind !== "chunk") this.#settle(ask, false, envelope.input);
    else if (ask.taker !== null) {
      ask.taker.chunk(envelope.input);
      this.notice();
    } else {
      this.credit(ask, 0);
      this.#settle(
        ask,
        true,
        new NotAStreamError(ask.message, "it gives chunks and was asked for a reply; open it"),
      );
    }
  }

  /** The host's answer to a request. Late ones are ignored. */
  answer(request: number, ok: boolean, value: unknown): void {
    this.tables?.takeRequest(request)?.answer(ok, value);
    this.notice();
  }

  /** Nobody will answer it any more. */
  protected failAsk(ask: PendingAsk, error: unknown): void {
    if (!ask.done) this.#settle(ask, true, error);
  }

  #settle(ask: PendingAsk, failed: boolean, value: unknown): void {
    const tables = this.more();
    ask.order = ++tables.settled;
    if (!ask.kept) tables.removeAsk(ask);
    ask.settle(failed, value);
    this.notice();
  }

  // Time

  /**
   * Give an ask its deadline. Where reading the clock is dear, long ones get theirs a little later, all at once, by the next alarm: so the
   * deadline is never early, and late by that little.
   */
  protected limit(ask: PendingAsk): void {
    const { datingMs } = this.outside;
    const tables = this.more();
    if (datingMs !== undefined && ask.timeoutMs >= datingMs * DATED_PARTS) {
      if (tables.dating) return;
      tables.dating = true;
      const now = this.outside.monotonicMs();
      this.wakeAt(now + datingMs, now);
      return;
    }
    const now = this.outside.monotonicMs();
    ask.deadlineMs = now + ask.timeoutMs;
    this.wakeAt(ask.deadlineMs, now);
  }

  /** Have the host call `alarm` at a time or before. */
  wakeAt(deadlineMs: number, nowMs: number): void {
    const tables = this.more();
    if (deadlineMs >= tables.alarmMs) return;
    tables.alarmMs = deadlineMs;
    this.outside.setAlarm(this, Math.max(0, deadlineMs - nowMs));
  }

  /** What the host calls when the alarm has come. Early or late calls do no harm. */
  alarm(): void {
    const tables = this.tables;
    if (tables === null) return;
    const now = this.outside.monotonicMs();
    tables.alarmMs = Number.POSITIVE_INFINITY;
    tables.dating = false;
    for (const ask of tables.asks()) {
      if (ask.done) continue;
      if (ask.deadlineMs <= now) this.#expire(ask);
      else if (ask.taker === null && ask.deadlineMs === Number.POSITIVE_INFINITY)
        ask.deadlineMs = now + ask.timeoutMs;
    }
    const { waitsFor } = this;
    if (waitsFor !== null && !waitsFor.done && waitsFor.deadlineMs <= now) waitsFor.expire();
    if (tables.hasTimers) this.tick(now);
    const waitMs = waitsFor === null || waitsFor.done ? Number.POSITIVE_INFINITY : waitsFor.deadlineMs;
    const nextMs = Math.min(tables.nextDeadline(), waitMs);
    if (nextMs < Number.POSITIVE_INFINITY) this.wakeAt(nextMs, now);
    this.notice();
  }

  #expire(ask: PendingAsk): void {
    const error = new AskTimeoutError(ask.to, ask.message, ask.timeoutMs);
    this.outside.unanswered?.(this, ask.id, error.code);
    this.#settle(ask, true, error);
  }

  /** Put the ticks of timers that are due into the mailbox. */
  protected tick(nowMs: number): void {
    for (const timer of this.tables!.timers.due(nowMs)) {
      this.push({
        kind: "tell",
        from: undefined,
        correlation: timer.id,
        message: timer.message,
        input: timer.input,
      });
      this.rouse();
    }
  }

  // Waiting

  park(waiting: Waiting): IteratorYieldResult<AgentStep> {
    this.waitsFor = waiting;
    if (waiting.deadlineMs < Number.POSITIVE_INFINITY && !waiting.done)
      this.wakeAt(waiting.deadlineMs, this.outside.monotonicMs());
    return WAITS;
  }

  /** Go on if what the routine waits for is there. */
  protected notice(): void {
    if (this.waitsFor?.done === true) this.rouse();
  }

  /** Tell the host that there is work, once. */
  protected rouse(): void {
    if ((this.flags & AWAKE) !== 0) return;
    this.flags |= AWAKE;
    this.outside.wake(this);
  }

  /** Send, and keep a line of it when somebody wants one. `waits`: this agent does nothing until it is answered. */
  send(to: AgentTarget, envelope: AgentEnvelope, waits = false): Sent {
    const log = this.tables?.log;
    if (log)
      log.add(
        this.outside.wallMs(),
        this.ref,
        "out",
        envelope,
        typeof to === "string" ? to : (to.name ?? to.id),
      );
    const { outside } = this;
    return waits && outside.ask !== undefined
      ? outside.ask(this, to, envelope)
      : outside.send(this, to, envelope);
  }
}

/** Whether an answer comes from whom it was asked. The host itself answers for agents it cannot reach. */
function isFrom(from: AgentRef | undefined, asked: AgentTarget): boolean {
  if (from === undefined) return true;
  return typeof asked === "string" ? from.name === asked || from.id === asked : from.id === asked.id;
}
