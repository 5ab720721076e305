/**
 * An agent as a task of a kernel: the interpreter is what the kernel steps, without a generator around it.
 *
 * LA1. The task waits for its bell, a notification; every turn handles up to 64 messages, or 16 when the agent is expected to
 *      compute much; then others have theirs.
 * LA2. However the task ends, the agent has ended: killed, cancelled or by itself, its asks are answered and its children end.
 * LA3. An ask whose asker waits for it is answered at once, within the asker's turn, when the agent rests, the message's handler cannot wait, and
 *      the agent is not expected to compute much: so it costs no switch of tasks. Of such asks one turn makes {@link AT_ONCE_MAX}; the next goes the
 *      usual way, and others have their turn.
 */
import { type Handle, type Park, type Sys, TaskCancelledError, type TaskId } from "@glia-os/kernel";
import { AgentProcess } from "../agent-process.ts";
import { AWAKE, HELD, LEAVING, PARKED, PAUSED, STOPPING } from "../asking.ts";
import { TURN_STEPS } from "../constants.ts";
import type { AgentEnvelope } from "../envelope.ts";
import type { AgentOutside } from "../outside.ts";
import type { AgentRef } from "../reference.ts";

/** No handle. */
export const NONE: Handle = 0 as Handle;

/** One turn in 61 is measured: reading the clock twice costs as much as a message. A prime, or agents that take turns could be left out. */
const SAMPLE_EVERY = 61;
/** Asks of one turn that are answered at once (LA3). */
export const AT_ONCE_MAX = 64;
/** What stands in the way of an answer at once. */
const NOT_NOW = AWAKE | PAUSED | HELD | LEAVING | STOPPING;

/** The host, as far as an agent's task knows it. */
export interface TaskHost extends AgentOutside {
  /** Turns of all agents since one was measured. */
  turns: number;
  /** Whose turn it is; null between turns. */
  speaking: LocalAgent | null;
  /** Asks that this turn may still have answered at once (LA3). */
  atOnce: number;
  /** The syscalls of the kernel whose tasks the agents are; set with the first task. */
  sys: Sys;
  /** What every parked agent goes on by: the kernel has one for all. */
  resumption: Iterator<Park, unknown>;
}

type Stepped = IteratorResult<Park, unknown>;

/** One agent and its task. */
export class LocalAgent extends AgentProcess {
  /** Its place among the alarms. */
  timerAt = -1;
  task: TaskId = 0 as TaskId;
  /** Whom it wrote to last: most write to the same again. */
  lastTo: AgentRef | null = null;
  last: LocalAgent | null = null;
  /** The bell in the hands of the shell; 0 after the end. */
  bell: Handle = NONE;
  /** The bell in the hands of the task. */
  ownBell: Handle = NONE;

  [Symbol.iterator](): this {
    return this;
  }

  /** One turn (LA1). */
  next(): Stepped {
    const host = this.outside as TaskHost;
    host.speaking = this;
    host.atOnce = AT_ONCE_MAX;
    try {
      if ((this.flags & PARKED) !== 0) {
        this.flags &= ~PARKED;
        host.resumption.next();
      }
      for (;;) {
        const more = this.#turn(host);
        if (this.over) return { done: true, value: undefined };
        const operation = more ? host.sys.yield() : host.sys.waitSignal(this.ownBell);
        const iterator = (operation as Iterable<Park>)[Symbol.iterator]() as Iterator<Park, unknown>;
        const stepped = iterator.next();
        if (stepped.done !== true) {
          host.resumption = iterator;
          this.flags |= PARKED;
          return stepped;
        }
      }
    } catch (error) {
      // The kernel wants the task to end; or something of the host has failed, a listener for example, and the kernel hears of it.
      const cancelled = error instanceof TaskCancelledError;
      this.end(cancelled ? "shutdown" : "failed");
      if (!cancelled) throw error;
      return { done: true, value: undefined };
    } finally {
      host.speaking = null;
    }
  }

  /** Answer an ask before this returns, if nothing stands in the way (LA3). */
  answerNow(envelope: AgentEnvelope): boolean {
    if ((this.flags & NOT_NOW) !== 0 || this.routine !== null || this.hasMail) return false;
    const message = this.kind.messages.get(envelope.message);
    if (message === undefined || message.waits || message.chunk !== null) return false;
    const { tables } = this;
    if (tables !== null && (tables.upgrade !== null || tables.turnSteps !== TURN_STEPS)) return false;
    if (this.lifecycle !== "running") return false;
    this.flags |= AWAKE;
    try {
      this.#handleOne(this.outside as TaskHost, envelope);
    } finally {
      this.flags &= ~AWAKE;
      if (this.hasMail || (this.flags & (LEAVING | STOPPING)) !== 0) this.rouse();
    }
    return true;
  }

  /** The task is killed (LA2). */
  return(): Stepped {
    this.end("killed");
    return { done: true, value: undefined };
  }

  /** Only asked of a routine that yielded no syscall, which this never does. */
  throw(error: unknown): Stepped {
    throw error;
  }

  #turn(host: TaskHost): boolean {
    if (++host.turns < SAMPLE_EVERY) return this.run(this.turnSteps);
    host.turns = 0;
    const startMs = host.monotonicMs();
    const { handled } = this;
    const more = this.run(this.turnSteps);
    const nowMs = host.monotonicMs();
    this.measured(this.handled - handled, nowMs - startMs, nowMs);
    return more;
  }

  /** One message of somebody else's turn. */
  #handleOne(host: TaskHost, envelope: AgentEnvelope): void {
    if (++host.turns < SAMPLE_EVERY) {
      this.handle(envelope);
      return;
    }
    host.turns = 0;
    const startMs = host.monotonicMs();
    this.handle(envelope);
    const nowMs = host.monotonicMs();
    this.measured(1, nowMs - startMs, nowMs);
  }
}
