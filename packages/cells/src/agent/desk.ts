/**
 * How a program outside talks to agents: by an agent of its own, the desk, whose asks settle promises. Every system has one.
 *
 * DK1. A promise is settled when the ask is, inside whatever brought the answer; what follows it runs as a microtask of the host.
 */
import { agent } from "./agent.ts";
import type { AgentProcess } from "./agent-process.ts";
import { ASK_TIMEOUT_MS, MAILBOX_CAPACITY } from "./constants.ts";
import type { AgentContext, AskOptions, TellOptions } from "./context.ts";
import type { AgentEnvelope } from "./envelope.ts";
import { AgentEndedError, AgentMailboxFullError, UnknownAgentError } from "./errors.ts";
import type { AnyAgent, StopReason } from "./kind.ts";
import { PendingAsk } from "./pending-ask.ts";
import { passable } from "./plain-value.ts";
import { unusual } from "./priority.ts";
import { checkTarget } from "./process-context.ts";
import type { AgentRef, AgentTarget } from "./reference.ts";
import type { AgentRoutine } from "./routine.ts";
import { StreamReader } from "./stream.ts";

/** The kind of the desk: it handles nothing. */
export const DESK: AnyAgent = agent({ name: "desk", on: { nothing: { handle(): void {} } } });

/** Talks for a program. */
export class AgentDesk {
  readonly #process: AgentProcess;

  /** `process`: an agent of the kind {@link DESK}. */
  constructor(process: AgentProcess) {
    this.#process = process;
  }

  /** @throws {UnknownAgentError} {AgentMailboxFullError} */
  tell(to: AgentTarget, message: string, input: unknown, options: TellOptions = {}): void {
    checkTarget(to);
    const process = this.#process;
    const priority = unusual(options.priority);
    const envelope: AgentEnvelope = {
      kind: "tell",
      from: process.ref,
      correlation: 0,
      message,
      input: passable(input),
    };
    const sent = process.send(to, priority === undefined ? envelope : { ...envelope, priority });
    if (sent === "full") throw new AgentMailboxFullError(to, MAILBOX_CAPACITY);
    if (sent === "unknown") throw new UnknownAgentError(to);
  }

  ask(to: AgentTarget, message: string, input: unknown, options: AskOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      checkTarget(to);
      const settled = (ask: PendingAsk): void => (ask.failed ? reject(ask.value) : resolve(ask.value));
      this.#process.askFor(to, message, input, settled, options);
    });
  }

  stream(
    to: AgentTarget,
    message: string,
    input: unknown,
    options: AskOptions = {},
  ): AsyncIterableIterator<unknown, unknown> {
    checkTarget(to);
    const { timeoutMs = ASK_TIMEOUT_MS } = options;
    const parts = { to, message, input: passable(input), timeoutMs, priority: unusual(options.priority) };
    return new OutsideStream(this.#process, new PendingAsk(this.#process, parts));
  }
}

/** A stream as a program reads it. */
class OutsideStream implements AsyncIterableIterator<unknown, unknown> {
  readonly #process: AgentProcess;
  readonly #reader: StreamReader;
  #over = false;

  constructor(process: AgentProcess, ask: PendingAsk) {
    this.#process = process;
    this.#reader = new StreamReader(process, ask);
    ask.taker = this.#reader;
    ask.listener = () => {};
    process.perform(ask);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown, unknown>> {
    if (this.#over) return { done: true, value: undefined };
    try {
      for (;;) {
        const item = this.#reader.item();
        if (item !== undefined) {
          this.#over = item.done;
          return item;
        }
        await this.#news();
      }
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.#over = true;
    this.#reader.cancel();
    return Promise.resolve({ done: true, value });
  }

  /** Wait until something has come, or the time for an item is over. */
  #news(): Promise<void> {
    const { ask } = this.#reader;
    const now = this.#process.monotonicMs();
    ask.deadlineMs = now + ask.timeoutMs;
    this.#process.wakeAt(ask.deadlineMs, now);
    return new Promise<void>((resolve) => {
      this.#reader.waiting = {
        set done(_: boolean) {
          resolve();
        },
      };
    }).then(() => {
      this.#reader.waiting = null;
      ask.deadlineMs = Number.POSITIVE_INFINITY;
    });
  }
}

/** What became of a routine. */
export interface RoutineEnd<Result> {
  readonly result: Promise<Result>;
  /** The kind of the agent that runs it: tell it `run` once. */
  readonly kind: AnyAgent;
}

/** The agent that runs a routine of a program, and the promise of its result. */
export function routineAgent<Result>(
  routine: (ctx: AgentContext) => AgentRoutine<Result>,
): RoutineEnd<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const kind = agent({
    name: "routine",
    on: {
      run: {
        *handle(ctx: AgentContext): AgentRoutine<void> {
          try {
            resolve(yield* routine(ctx));
          } catch (error) {
            reject(error);
          } finally {
            ctx.stop();
          }
        },
      },
    },
    stop: (ctx, reason: StopReason) => reject(new AgentEndedError(ctx.self as AgentRef, reason)),
  });
  return { result: promise, kind };
}
