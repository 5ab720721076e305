/**
 * An agent as a task of a kernel: the interpreter is what the kernel steps, without a generator around it.
 *
 * LA1. The task waits for its bell, a notification; every turn handles up to 64 messages, or 16 when the agent is expected to
 *      compute much; then others have theirs.
 * LA2. However the task ends, the agent has ended: killed, cancelled or by itself, its asks are answered and its children end.
 */
import { type Handle, type Park, type Sys, TaskCancelledError, type TaskId } from "@glia-os/kernel";
import { AgentProcess } from "../agent-process.ts";
import { PARKED } from "../asking.ts";
import type { AgentOutside } from "../outside.ts";
import type { AgentRef } from "../reference.ts";

/** No handle. */
export const NONE: Handle = 0 as Handle;

/** One turn in 64 is measured: reading the clock twice costs as much as a message. */
const SAMPLE_MASK = 63;

/** The host, as far as an agent's task knows it. */
export interface TaskHost extends AgentOutside {
  /** Turns of all agents. */
  turns: number;
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
    }
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
    host.turns = (host.turns + 1) & SAMPLE_MASK;
    if (host.turns !== 0) return this.run(this.turnSteps);
    const startMs = host.monotonicMs();
    const { handled } = this;
    const more = this.run(this.turnSteps);
    const nowMs = host.monotonicMs();
    this.measured(this.handled - handled, nowMs - startMs, nowMs);
    return more;
  }
}
