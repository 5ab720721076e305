/**
 * What the interpreter needs of the host it runs in: a kernel of this thread, a worker, a WebAssembly cell, a durable program.
 *
 * AO1. One `AgentOutside` may serve many agents: the first argument says which one speaks.
 * AO2. No call may run a handler of any agent before it returns: work is announced by `wake` and done when the host calls `run`. Only
 *      `ask` may run one, of another agent, whose handlers do not wait.
 */
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import type { SpawnOptions } from "./context.ts";
import type { AgentEnvelope } from "./envelope.ts";
import type { AnyAgent, StopReason } from "./kind.ts";
import type { AgentRef, AgentTarget } from "./reference.ts";

/**
 * What became of an envelope at once. `full`: not taken, the receiver has no room; `unknown`: there is nobody. A host that learns that
 * only later says `taken` and delivers an `error` envelope to whoever asked.
 */
export type Sent = "taken" | "pressured" | "full" | "unknown";

/** The agent that speaks, as its host sees it. `place` is for the host's own use. */
export interface AgentSpeaker {
  readonly ref: AgentRef;
  readonly definition: AnyAgent;
}

/** The host of an interpreter. */
export interface AgentOutside<Speaker extends AgentSpeaker = AgentSpeaker> {
  /**
   * Set where reading the clock is dear beside a message: asks get their deadlines by an alarm this many milliseconds later, and so end
   * that much later than exactly, at most a 64th of the time they have.
   */
  readonly datingMs?: number;
  /** Carry an envelope. `from` of the envelope is the speaker's own address. */
  send(speaker: Speaker, to: AgentTarget, envelope: AgentEnvelope): Sent;
  /** As `send`, of an ask whose asker does nothing until it is answered: it may be handled, and answered, before this returns. */
  ask?(speaker: Speaker, to: AgentTarget, envelope: AgentEnvelope): Sent;
  /** Call `speaker.run()` soon: it has work. Called again and again without harm. */
  wake(speaker: Speaker): void;
  /** Call `speaker.alarm()` in `delayMs` or a little later. One alarm per agent: another call replaces it; a late one does no harm. */
  setAlarm(speaker: Speaker, delayMs: number): void;
  /**
   * Make a child. The address, when it is known at once; else undefined, and `speaker.answer(request, ...)` later. @throws what is refused
   */
  spawn(speaker: Speaker, request: number, definition: AnyAgent, options: SpawnOptions): AgentRef | undefined;
  /** Find a name: its address, null for nobody, or undefined, and `speaker.answer(request, ...)` later. */
  find(speaker: Speaker, request: number, name: string): AgentRef | null | undefined;
  /** Deliver envelopes of kind `publish` for a topic from now on. */
  subscribe(speaker: Speaker, topic: string): void;
  /** Deliver them no longer. */
  unsubscribe(speaker: Speaker, topic: string): void;
  /** Send a `publish` envelope to everyone who subscribes to the topic. */
  publish(speaker: Speaker, topic: string, envelope: AgentEnvelope): void;
  /** The agent has ended: forget it. Its name, subscriptions and alarm are free. */
  ended(speaker: Speaker, reason: StopReason, error: unknown): void;
  /** The agent gave up waiting for the answer to an ask; `code`: why. For hosts that want to know. */
  unanswered?(speaker: Speaker, correlation: number, code: string): void;
  /** Write a log line of this agent. */
  log(speaker: Speaker, level: LogLevel, message: string, fields: LogFields | undefined): void;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
  /** A uniformly distributed integer from 0 to 2^32 - 1. */
  uint32(): number;
}
