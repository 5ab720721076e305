/**
 * An agent of `@glia-os/cells/agent` as a durable program: the interpreter runs inside the domain, on the domain's time and randomness.
 *
 * DA1. A message is an envelope (docs/spec/agent-message.md) in the payload of a link message. A `tell` comes without, an `ask` with a reply of the link,
 *      which is the envelope of the answer.
 * DA2. The agent begins anew from a checkpoint of its state when it rests: no handler waits, no timer runs, no message lies there.
 * DA4. An answer that is longer than a reply may be is an error to its asker, and the agent goes on.
 * DA3. It reaches nobody but its askers: a message to another agent finds nobody, and children, names and topics are refused.
 */
import type { DurableProgram } from "@glia-os/durable";
import { after, type Handle, type Routine, receiveFrom, type Sys } from "@glia-os/kernel";
import type { AgentDefinition } from "../agent/definition.ts";
import {
  type AgentEnvelope,
  type AgentOutside,
  AgentProcess,
  BadReplyError,
  decodeEnvelope,
  encodeEnvelope,
  recordOf,
} from "../agent/index.ts";
import type { AnyAgent } from "../agent/kind.ts";
import { NotInDomainError } from "../errors.ts";
import { askerOf, type CellMessage, MESSAGE_BYTES_MAX } from "./cell-message.ts";
import { CELL_SERVICE } from "./cell-service.ts";

/** Messages after which it begins anew when it rests. */
const MESSAGES_PER_CHECKPOINT = 100;
/** Steps of the interpreter before other domains have a turn. */
const STEPS = 64;

/** How it begins, or goes on. */
type Beginning =
  | { readonly agent: string; readonly name: string }
  | { readonly agent: string; readonly name: string; readonly state: string };

interface Answer {
  readonly reply: string;
  readonly envelope: AgentEnvelope;
}

/** The program of a definition. The agent's state has to be plain data. */
export function durableAgent(definition: AnyAgent): DurableProgram<unknown> {
  return {
    name: definition.name,
    uses: [CELL_SERVICE],
    run: (input) =>
      function* (sys, inbox, cell) {
        const running = new RunningAgent(sys, definition, input as Beginning);
        return yield* running.run(inbox as Handle<CellMessage>, cell as Handle);
      },
  };
}

/** One agent between two checkpoints. */
class RunningAgent implements AgentOutside {
  readonly #sys: Sys;
  readonly #beginning: Beginning;
  readonly #process: AgentProcess;
  readonly #asked = new Map<string, string>();
  readonly #answers: Answer[] = [];
  #alarmMs: number | undefined;
  #failure: unknown;

  constructor(sys: Sys, definition: AnyAgent, beginning: Beginning) {
    this.#sys = sys;
    this.#beginning = beginning;
    const { agent: id, name } = beginning;
    const resumed = "state" in beginning ? resumedFrom(definition, beginning.state) : definition;
    this.#process = new AgentProcess({ ref: { id, name }, definition: resumed, outside: this });
  }

  /** Until it ends, or rests after enough messages (DA2). */
  *run(inbox: Handle<CellMessage>, cell: Handle): Routine<unknown> {
    for (let messages = 0; ; messages++) {
      while (this.#process.run(STEPS)) yield* this.#sys.yield();
      for (const { reply, envelope } of this.#answers.splice(0))
        yield* this.#sys.exec(cell, { reply, payload: payloadOf(envelope) });
      if (this.#process.over) {
        if (this.#failure !== undefined) throw this.#failure;
        return null;
      }
      if (messages >= MESSAGES_PER_CHECKPOINT && this.#rests)
        return yield* this.#sys.checkpoint(this.#kept());
      const message = yield* this.#next(inbox);
      if (message === undefined) this.#process.alarm();
      else this.#take(message);
    }
  }

  get #rests(): boolean {
    return !this.#process.busy && this.#alarmMs === undefined && this.#process.waiting === 0;
  }

  /** The next message, or undefined when the alarm is due. */
  *#next(inbox: Handle<CellMessage>): Routine<CellMessage | undefined> {
    if (this.#alarmMs === undefined) return yield* this.#sys.receive(inbox);
    const waitMs = Math.max(0, this.#alarmMs - this.#sys.monotonic());
    const [index, value] = yield* this.#sys.select([receiveFrom(inbox), after(waitMs)] as const);
    if (index === 0) return value;
    this.#alarmMs = undefined;
    return undefined;
  }

  #take({ id, ask, payload }: CellMessage): void {
    const { link } = askerOf(id);
    let envelope: AgentEnvelope;
    try {
      envelope = decodeEnvelope(textOf(payload));
    } catch (error) {
      if (ask) this.#answers.push({ reply: id, envelope: errorEnvelope(0, error) });
      return;
    }
    // Whoever carries an envelope says who it is from: here the link is all that is known.
    const from = { id: link };
    const { kind, correlation } = envelope;
    if (ask && kind === "ask") this.#asked.set(`${link}/${correlation}`, id);
    const sent = kind === "ask" || kind === "tell" ? this.#process.deliver({ ...envelope, from }) : "unknown";
    if (sent === "taken" || sent === "pressured") return;
    this.#asked.delete(`${link}/${correlation}`);
    if (ask)
      this.#answers.push({ reply: id, envelope: errorEnvelope(correlation, new NotInDomainError(kind)) });
  }

  #kept(): Beginning {
    const { agent, name } = this.#beginning;
    const input = this.#process.state;
    return {
      agent,
      name,
      state: encodeEnvelope({ kind: "tell", from: undefined, correlation: 0, message: "state", input }),
    };
  }

  // AgentOutside

  send(_speaker: unknown, to: unknown, envelope: AgentEnvelope): "taken" | "unknown" {
    const { kind, correlation } = envelope;
    const id = typeof to === "object" && to !== null ? (to as { readonly id: string }).id : "";
    const reply = this.#asked.get(`${id}/${correlation}`);
    if (reply === undefined) return "unknown";
    this.#asked.delete(`${id}/${correlation}`);
    const isAnswer = kind === "reply" || kind === "error" || kind === "end";
    this.#answers.push({
      reply,
      envelope: isAnswer
        ? { ...envelope, from: undefined }
        : errorEnvelope(correlation, new NotInDomainError("stream")),
    });
    return "taken";
  }

  wake(): void {}

  setAlarm(_speaker: unknown, delayMs: number): void {
    this.#alarmMs = this.#sys.monotonic() + delayMs;
  }

  spawn(): never {
    throw new NotInDomainError("spawn");
  }

  find(): null {
    return null;
  }

  subscribe(): never {
    throw new NotInDomainError("subscribe");
  }

  unsubscribe(): void {}

  publish(): never {
    throw new NotInDomainError("publish");
  }

  ended(_speaker: unknown, reason: string, error: unknown): void {
    if (reason === "failed") this.#failure = error ?? new NotInDomainError(reason);
  }

  log(...[, level, message, fields]: Parameters<AgentOutside["log"]>): void {
    this.#sys.log(level, message, fields);
  }

  monotonicMs(): number {
    return this.#sys.monotonic();
  }

  wallMs(): number {
    return this.#sys.now();
  }

  uint32(): number {
    const bytes = this.#sys.random(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  }
}

/** The definition of an agent that began before: its first state is the one it had, and `start` has run. */
function resumedFrom(definition: AnyAgent, kept: string): AnyAgent {
  const { start: _, state, ...rest } = definition as AgentDefinition;
  const saved = (): unknown => decodeEnvelope(kept).input;
  return {
    ...rest,
    state: typeof state === "object" ? { ...state, initial: saved } : saved,
  } as unknown as AnyAgent;
}

function errorEnvelope(correlation: number, error: unknown): AgentEnvelope {
  const input = recordOf(error, "a message");
  return { kind: "error", from: undefined, correlation: Math.max(1, correlation), message: "", input };
}

/** DA4. The ask is in the journal: an answer that ended the agent would end it again each time it is taken up. */
function payloadOf(envelope: AgentEnvelope): Uint8Array {
  const payload = bytesOf(encodeEnvelope(envelope));
  if (payload.length <= MESSAGE_BYTES_MAX) return payload;
  const issue = { path: "", message: `it has ${payload.length} bytes of at most ${MESSAGE_BYTES_MAX}` };
  const why = new BadReplyError("a message", [issue]);
  return bytesOf(encodeEnvelope(errorEnvelope(envelope.correlation, why)));
}

/** UTF-8, by the coder for addresses: a package free of its host has no other. @throws {URIError} for a lone surrogate */
function bytesOf(text: string): Uint8Array {
  const bytes: number[] = [];
  const coded = encodeURIComponent(text);
  for (let at = 0; at < coded.length; at++) {
    if (coded[at] !== "%") bytes.push(coded.charCodeAt(at));
    else bytes.push(Number.parseInt(coded.slice(at + 1, (at += 2) + 1), 16));
  }
  return Uint8Array.from(bytes);
}

/** @throws {URIError} for what is no UTF-8 */
function textOf(bytes: Uint8Array): string {
  let coded = "";
  for (const byte of bytes) coded += `%${byte.toString(16).padStart(2, "0")}`;
  return decodeURIComponent(coded);
}
