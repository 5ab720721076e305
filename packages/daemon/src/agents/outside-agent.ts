/**
 * A routine of a program outside as an agent of the mesh: its own mailbox, interpreted like any agent.
 *
 * OA1. What it asks of its node leaves in order; while the node has no room, more waits here.
 * OA2. It ends when its routine does: what it spawned without `detached` is ended, its mailbox is closed.
 */
import {
  type AgentContext,
  type AgentEnvelope,
  type AgentOutside,
  AgentProcess,
  type AgentRef,
  type AgentRoutine,
  type AgentSpeaker,
  type AgentTarget,
  type AnyAgent,
  agent,
  decodeEnvelope,
  encodeEnvelope,
  errorOf,
  type Sent,
  type SpawnOptions,
} from "@glia-os/cells/agent";
import type { AgentAct } from "./act.ts";
import { agentError } from "./agent-words.ts";
import type { AgentsApi } from "./agents-api.ts";
import { type MailboxReader, readMailbox } from "./mailbox-reader.ts";

const STEPS = 1000;
/** Acts that wait for room, above which a sender is asked to hold back, and at which it is refused. */
const ACTS_HIGH = 512;
const ACTS_MAX = 8192;

/** What an outside agent needs. */
export interface OutsideAgentParts {
  readonly node: AgentsApi;
  spawn(definition: AnyAgent, options: SpawnOptions, parent: AgentRef | undefined): Promise<AgentRef>;
  log: AgentOutside["log"];
  /** Hears of messages that cannot be read. */
  refused(error: unknown): void;
}

/** Run a routine. Rejects with what it throws. */
export function runOutside<Result>(
  parts: OutsideAgentParts,
  routine: (ctx: AgentContext) => AgentRoutine<Result>,
): Promise<Result> {
  return new OutsideAgent(parts).run(routine);
}

class OutsideAgent implements AgentOutside {
  readonly #parts: OutsideAgentParts;
  readonly #acts: AgentAct[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #sending: Promise<void> | undefined;
  #process: AgentProcess | undefined;
  #mailbox: MailboxReader | undefined;
  #alarm: NodeJS.Timeout | undefined;

  constructor(parts: OutsideAgentParts) {
    this.#parts = parts;
  }

  async run<Result>(routine: (ctx: AgentContext) => AgentRoutine<Result>): Promise<Result> {
    const outcome = Promise.withResolvers<Result>();
    const definition = agent({
      name: "routine",
      on: { nothing: { handle: () => undefined } },
      *start(ctx) {
        try {
          outcome.resolve(yield* routine(ctx as AgentContext));
        } catch (error) {
          outcome.reject(error);
        }
        ctx.stop();
      },
    });
    this.#mailbox = await readMailbox(this.#parts.node, {
      take: (payload) => this.#came(payload),
      refused: this.#parts.refused,
      gone: (error) => {
        outcome.reject(error);
        this.#process?.end("shutdown");
      },
    });
    const ref = { id: this.#mailbox.id };
    this.#process = new AgentProcess({ ref, definition, outside: this });
    try {
      return await outcome.promise;
    } finally {
      await this.#ended.promise;
      await this.#sending;
      await this.#mailbox.close();
    }
  }

  #came(payload: Uint8Array): void {
    const text = new TextDecoder().decode(payload);
    if (text.startsWith('{"host":')) {
      const { request, value, error } = JSON.parse(text) as {
        request: number;
        value?: unknown;
        error?: unknown;
      };
      if (error === undefined) this.#process?.answer(request, true, value ?? undefined);
      else this.#process?.answer(request, false, errorOf(error));
    } else this.#process?.deliver(decodeEnvelope(text));
  }

  send(_speaker: AgentSpeaker, to: AgentTarget, envelope: AgentEnvelope): Sent {
    if (this.#acts.length >= ACTS_MAX) return "full";
    const payload = new TextEncoder().encode(encodeEnvelope(envelope));
    this.#act({ kind: "send", to: typeof to === "string" ? to : to.id, payload });
    return this.#acts.length >= ACTS_HIGH ? "pressured" : "taken";
  }

  wake(): void {
    queueMicrotask(() => {
      while (this.#process?.run(STEPS) === true);
    });
  }

  setAlarm(_speaker: AgentSpeaker, delayMs: number): void {
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(() => this.#process?.alarm(), Math.ceil(delayMs));
  }

  spawn(speaker: AgentSpeaker, request: number, definition: AnyAgent, options: SpawnOptions): undefined {
    const parent = options.detached === true ? undefined : speaker.ref;
    this.#parts.spawn(definition, options, parent).then(
      (ref) => this.#process?.answer(request, true, ref),
      (error: unknown) => this.#process?.answer(request, false, agentError(error)),
    );
    return undefined;
  }

  find(_speaker: AgentSpeaker, request: number, name: string): undefined {
    this.#act({ kind: "find", request, name });
    return undefined;
  }

  subscribe(_speaker: AgentSpeaker, topic: string): void {
    this.#act({ kind: "subscribe", topic });
  }

  unsubscribe(_speaker: AgentSpeaker, topic: string): void {
    this.#act({ kind: "unsubscribe", topic });
  }

  publish(_speaker: AgentSpeaker, topic: string, envelope: AgentEnvelope): void {
    this.#act({ kind: "publish", topic, payload: new TextEncoder().encode(encodeEnvelope(envelope)) });
  }

  ended(): void {
    clearTimeout(this.#alarm);
    this.#ended.resolve();
  }

  log(...line: Parameters<AgentOutside["log"]>): void {
    this.#parts.log(...line);
  }

  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  uint32(): number {
    return crypto.getRandomValues(new Uint32Array(1))[0] as number;
  }

  #act(act: AgentAct): void {
    this.#acts.push(act);
    this.#sending ??= this.#sendAll();
  }

  /** OA1. */
  async #sendAll(): Promise<void> {
    await Promise.resolve(); // What the same step asks for goes in one call.
    const id = this.#mailbox?.id;
    while (id !== undefined && this.#acts.length > 0) {
      const acts = this.#acts.splice(0, ACTS_HIGH);
      await this.#parts.node.actAs(id, acts).catch(() => undefined); // A mailbox that is gone ends the reading, and that the run.
    }
    this.#sending = undefined;
  }
}
