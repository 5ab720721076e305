/**
 * An agent as a task of a kernel: the interpreter is what the kernel steps, without a generator around it.
 *
 * LA1. The task waits for its bell, a notification; every turn does up to 64 steps of work, then others have theirs.
 * LA2. However the task ends, the agent has ended: killed, cancelled or by itself, its asks are answered and its children end.
 */
import type { Handle, Park, Sys, TaskId } from "@glia-os/kernel";
import type { TimerHeap } from "@glia-os/kernel/timer-wheel";
import { AgentProcess, type ProcessOptions } from "../agent-process.ts";

/** Steps of one turn. */
const TURN_STEPS = 64;

/** The host, as far as an agent's task knows it. */
export interface TaskHost {
  /** Every this many turns one is measured. */
  readonly sampleTurns: number;
  /** Turns of all agents. */
  turns: number;
  monotonicMs(): number;
}

type Stepped = IteratorResult<Park, unknown>;

/** One agent and its task. */
export class LocalAgent extends AgentProcess {
  /** Its place among the alarms. */
  timerAt = -1;
  task: TaskId = 0 as TaskId;
  /** The bell in the hands of the shell; undefined after the end. */
  bell: Handle | undefined = undefined;
  #sys: Sys | null = null;
  #ownBell: Handle | undefined = undefined;
  #parked: Iterator<Park, unknown> | null = null;

  /** Become what the kernel steps. */
  launched(sys: Sys, bell: Handle): this {
    this.#sys = sys;
    this.#ownBell = bell;
    return this;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** One turn (LA1). */
  next(): Stepped {
    const sys = this.#sys!;
    try {
      if (this.#parked !== null) this.#parked.next();
      for (;;) {
        const more = this.#turn();
        if (this.lifecycle === "terminated") return { done: true, value: undefined };
        const operation = more ? sys.yield() : sys.waitSignal(this.#ownBell!);
        const iterator = (operation as Iterable<Park>)[Symbol.iterator]() as Iterator<Park, unknown>;
        const stepped = iterator.next();
        if (stepped.done !== true) {
          this.#parked = iterator;
          return stepped;
        }
      }
    } catch {
      // The kernel wants the task to end: nothing else is thrown at a wait for a bell.
      this.end("shutdown");
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

  #turn(): boolean {
    const host = this.#sys === null ? null : (this.host as unknown as TaskHost);
    if (host === null || ++host.turns % host.sampleTurns !== 0) return this.run(TURN_STEPS);
    const startMs = host.monotonicMs();
    const { handled } = this;
    const more = this.run(TURN_STEPS);
    const nowMs = host.monotonicMs();
    this.measured(this.handled - handled, nowMs - startMs, nowMs);
    return more;
  }
}

/** Alarms of agents, by time. */
export type Alarms = TimerHeap<LocalAgent>;

/** What a local agent is made with. */
export type LocalAgentOptions = ProcessOptions;
