/** One agent made by `agent()` between two checkpoints of its domain: the host of its interpreter (DA1 to DA5 of durable-agent.ts). */
import { after, type Handle, type Routine, receiveFrom, type Sys } from "@glia-os/kernel";
import { AgentProcess } from "../agent/agent-process.ts";
import { MAILBOX_CAPACITY } from "../agent/constants.ts";
import type { SpawnOptions } from "../agent/context.ts";
import type { AgentDefinition } from "../agent/definition.ts";
import type { AgentEnvelope } from "../agent/envelope.ts";
import { decodeEnvelope, encodeEnvelope } from "../agent/envelope-codec.ts";
import { errorOf, recordOf } from "../agent/error-record.ts";
import {
  AgentMailboxFullError,
  BadArgumentError,
  BadReplyError,
  UnknownAgentError,
  ValueNotPlainError,
} from "../agent/errors.ts";
import { type AnyAgent, kindKey, type StopReason } from "../agent/kind.ts";
import type { AgentOutside, Sent } from "../agent/outside.ts";
import { packedText, unpackedProcess } from "../agent/packed-process.ts";
import type { AgentTarget } from "../agent/reference.ts";
import { NotInDomainError } from "../errors.ts";
import { ActQueue } from "./act-queue.ts";
import { type CellNote, isRestNote, type RestNote } from "./cell-act.ts";
import { askerOf, type CellMessage, MESSAGE_BYTES_MAX } from "./cell-message.ts";
import { type BeginWord, HOST_WORD, type HostWord, LATER } from "./host-words.ts";
import { answerWord } from "./told-agent.ts";
import { bytesOf, textOf } from "./utf8.ts";

/** Messages after which it begins anew when it rests. */
const MESSAGES_PER_CHECKPOINT = 100;
/** Bytes of what an agent has, above which no checkpoint is made of it: a record takes 1 MiB with everything else in it. */
const KEPT_BYTES_MAX = 524_288;
/** Bytes on their way to others, above which none is made. */
const HELD_BYTES_MAX = 131_072;
/** Steps of the interpreter before other domains have a turn. */
const STEPS = 64;
/** How soon an agent that is to rest is looked at again, whatever comes. */
const REST_AGAIN_MS = 20;
/** Messages that wait here beside those of the interpreter. */
const OVERFLOW_MAX = 4096;
const NAME_BYTES = 8;

/** How it begins, or goes on. */
export interface Beginning {
  readonly agent: string;
  readonly name: string;
  /** The word of its node with which an agent begins that talks to others. */
  readonly begin?: string;
  /** What it had at the checkpoint, packed. */
  readonly kept?: string;
  /** Whether it talked to others before the checkpoint. */
  readonly talks?: boolean;
  /** Asks of links that it had no reply for: who and number, what names the ask, and whether its answer may come as a message. */
  readonly asked?: readonly (readonly [key: string, reply: string, hasAddress: boolean])[];
}

/** What it is made of. */
export interface RunningParts {
  readonly sys: Sys;
  readonly own: AnyAgent;
  readonly definitions: ReadonlyMap<string, AnyAgent>;
  readonly cell: Handle;
}

interface Answer {
  readonly reply: string;
  readonly payload: Uint8Array;
}

/** An ask of a link that has no reply yet. */
interface Asked {
  readonly reply: string;
  /** Whether its answer may come as a message instead. */
  readonly hasAddress: boolean;
}

/** One agent. */
export class RunningAgent implements AgentOutside {
  readonly #sys: Sys;
  readonly #parts: RunningParts;
  readonly #beginning: Beginning;
  readonly #process: AgentProcess;
  readonly #asked = new Map<string, Asked>();
  readonly #answers: Answer[] = [];
  readonly #acts: ActQueue;
  readonly #overflow: AgentEnvelope[] = [];
  readonly #talks: boolean;
  #alarmMs: number | undefined;
  #failure: unknown;
  /** It is to be upgraded (RestNote). */
  #rests = false;

  constructor(parts: RunningParts, beginning: Beginning) {
    const { sys, own, definitions, cell } = parts;
    this.#sys = sys;
    this.#parts = parts;
    this.#beginning = beginning;
    this.#acts = new ActQueue(sys, cell);
    const { agent: id, name, begin, kept, talks, asked = [] } = beginning;
    for (const [key, reply, hasAddress] of asked) this.#asked.set(key, { reply, hasAddress });
    if (kept !== undefined) {
      this.#talks = talks === true;
      const resumed = unpackedProcess(kept);
      const definition = sameVersion(definitions.get(kindKey(resumed)) ?? own);
      this.#process = new AgentProcess({
        ref: { id, name },
        definition,
        outside: this,
        parent: resumed.parent,
        resumed,
      });
      return;
    }
    this.#talks = begin !== undefined;
    const word = begin === undefined ? undefined : (JSON.parse(begin) as BeginWord);
    this.#process = this.#begun(word ?? { host: "begin", self: { id, name } });
  }

  #begun({ self, definition: key, parent, input }: BeginWord): AgentProcess {
    const { own, definitions } = this.#parts;
    const definition = key === undefined ? own : definitions.get(key);
    if (definition === undefined)
      throw new BadArgumentError("definition", `the bundle exports no agent ${key}`);
    if (parent !== undefined) this.#acts.push({ act: "parent", agent: parent.id });
    const given = input === undefined ? undefined : decodeEnvelope(JSON.stringify(input)).input;
    return new AgentProcess({ ref: self, definition, outside: this, parent, input: given });
  }

  /** Until it ends, or rests after enough messages (DA2). */
  *run(inbox: Handle<CellMessage>): Routine<unknown> {
    for (let messages = 0; ; messages++) {
      yield* this.#work();
      if (this.#process.over) return this.#end();
      if (messages >= MESSAGES_PER_CHECKPOINT || this.#rests) {
        const kept = yield* this.#kept();
        if (kept !== undefined) return yield* this.#sys.checkpoint(kept);
      } else if (this.#acts.isPressed) yield* this.#acts.refresh();
      const message = yield* this.#next(inbox);
      if (message === "alarm") this.#process.alarm();
      else if (message !== "again") this.#take(message);
    }
  }

  /** All there is to do now, and what came of it on its way. */
  *#work(): Routine<void> {
    do {
      while (this.#process.run(STEPS)) yield* this.#sys.yield();
      yield* this.#acts.flush();
      for (const { reply, payload } of this.#answers.splice(0))
        yield* this.#sys.exec(this.#parts.cell, { reply, payload });
    } while (this.#takeOverflow() || this.#setAside());
  }

  #end(): unknown {
    // With a parent that is told, failing is no more than an end.
    if (this.#failure !== undefined && this.#process.parent === undefined) throw this.#failure;
    return null;
  }

  /** Give the interpreter what waits here. Returns whether it took something. */
  #takeOverflow(): boolean {
    let took = false;
    for (let first = this.#overflow[0]; first !== undefined; first = this.#overflow[0]) {
      if (this.#process.deliver(first) === "full") break;
      this.#overflow.shift();
      took = true;
    }
    return took;
  }

  /** Asks that are not answered now are answered later, by a message (DA1). */
  #setAside(): boolean {
    let some = false;
    for (const [key, { reply, hasAddress }] of this.#asked) {
      if (!hasAddress) continue;
      this.#asked.delete(key);
      this.#answers.push({ reply, payload: bytesOf(LATER) });
      some = true;
    }
    return some;
  }

  /** DA2. Undefined while it does not rest, and for more than a record takes. What waits for one that is to be upgraded goes along. */
  *#kept(): Routine<Beginning | undefined> {
    const waits = this.#asked.size > 0 || this.#overflow.length > 0 || this.#process.waiting > 0;
    if (this.#alarmIsOld() || (waits && !this.#rests)) return undefined;
    if (this.#acts.heldBytes > HELD_BYTES_MAX || this.#acts.isPressed) yield* this.#acts.refresh();
    if (this.#acts.heldBytes > HELD_BYTES_MAX) return undefined;
    const packed = this.#process.packed();
    if (packed === undefined) return undefined;
    const kept = packedText({ ...packed, mail: [...packed.mail, ...this.#overflow] });
    if (bytesOf(kept).length > KEPT_BYTES_MAX) return undefined;
    const { agent, name } = this.#beginning;
    const asked = [...this.#asked].map(([key, { reply, hasAddress }]) => [key, reply, hasAddress] as const);
    return { agent, name, kept, talks: this.#talks, ...(asked.length === 0 ? {} : { asked }) };
  }

  /** An alarm that is due comes first. */
  #alarmIsOld(): boolean {
    return this.#alarmMs !== undefined && this.#alarmMs <= this.#sys.monotonic();
  }

  /** The next message, or that the alarm is due, or that it is time to look again whether it rests. */
  *#next(inbox: Handle<CellMessage>): Routine<CellMessage | "alarm" | "again"> {
    const again = this.#rests ? this.#sys.monotonic() + REST_AGAIN_MS : undefined;
    const until = Math.min(this.#alarmMs ?? Number.POSITIVE_INFINITY, again ?? Number.POSITIVE_INFINITY);
    if (until === Number.POSITIVE_INFINITY) return yield* this.#sys.receive(inbox);
    const waitMs = Math.max(0, until - this.#sys.monotonic());
    const [index, value] = yield* this.#sys.select([receiveFrom(inbox), after(waitMs)] as const);
    if (index === 0) return value;
    if (until !== this.#alarmMs) return "again";
    this.#alarmMs = undefined;
    return "alarm";
  }

  // What comes

  #take(message: CellMessage): void {
    const { id, ask, payload, note } = message;
    if (note !== undefined) {
      this.#noted(note);
      return;
    }
    try {
      const text = textOf(payload);
      if (this.#talks && text.startsWith(HOST_WORD)) this.#told(JSON.parse(text) as HostWord, ask ? id : "");
      else this.#envelope(message, decodeEnvelope(text));
    } catch (error) {
      if (ask) this.#answer(id, errorEnvelope(0, error));
      const { code, message: why } = recordOf(error, "a message");
      this.#sys.log("warn", "a message was refused", { code, error: why });
    }
  }

  #envelope({ id, ask }: CellMessage, envelope: AgentEnvelope): void {
    // Where nobody says who it is from, the link is all that is known.
    const said = this.#talks ? envelope.from : undefined;
    const from = said ?? { id: askerOf(id).link };
    const { kind, correlation } = envelope;
    const key = `${from.id}/${correlation}`;
    if (!this.#talks && kind !== "ask" && kind !== "tell") {
      if (ask) this.#answer(id, errorEnvelope(correlation, new NotInDomainError(kind)));
      return;
    }
    if (ask && kind === "ask") this.#asked.set(key, { reply: id, hasAddress: said !== undefined });
    const given = kind === "ask" || kind === "tell" ? { ...envelope, from } : envelope;
    if (kind === "control" && envelope.message === "ended" && said !== undefined)
      this.#acts.push({ act: "gone", agent: said.id });
    const waits = kind === "ask" || kind === "tell" || kind === "publish";
    const sent = waits && this.#overflow.length > 0 ? "full" : this.#process.deliver(given);
    if (sent === "full") this.#waitHere(given, key);
    if (sent === "unknown") this.#asked.delete(key);
  }

  #waitHere(envelope: AgentEnvelope, key: string): void {
    if (this.#overflow.length < OVERFLOW_MAX) {
      this.#overflow.push(envelope);
      return;
    }
    const full = new AgentMailboxFullError(this.#process.ref, MAILBOX_CAPACITY);
    const { from, kind, correlation } = envelope;
    const reply = this.#asked.get(key)?.reply;
    this.#asked.delete(key);
    if (reply !== undefined) this.#answer(reply, errorEnvelope(correlation, full));
    else if (kind === "ask" && from !== undefined)
      this.send(undefined, from, errorEnvelope(correlation, full));
    else this.#sys.log("warn", "a message was refused", { code: full.code, error: full.message });
  }

  #noted(note: CellNote | RestNote): void {
    if (isRestNote(note)) {
      this.#rests = note.note === "rest";
      this.#process.hold(this.#rests);
      return;
    }
    if (note.note === "answer") {
      if ("error" in note) this.#process.answer(note.request, false, errorOf(note.error));
      else this.#process.answer(note.request, true, note.value ?? undefined);
      return;
    }
    if (note.note === "subscribers" || (note.note === "named" && note.agent !== null)) return;
    const to = note.note === "named" ? note.name : note.to;
    if (note.lost.length === 0) this.#sys.log("warn", "messages to nobody were dropped", { to });
    const error = new UnknownAgentError(note.note === "named" ? note.name : { id: note.to });
    for (const correlation of note.lost) this.#process.deliver(errorEnvelope(correlation, error));
  }

  /** `reply` is empty where nobody waits. */
  #told(word: HostWord, reply: string): void {
    const answer = answerWord(this.#process, this.#parts.definitions, word, this.#overflow.length);
    if (reply !== "") this.#answers.push({ reply, payload: bytesOf(JSON.stringify(answer ?? null)) });
  }

  #answer(reply: string, envelope: AgentEnvelope): void {
    this.#answers.push({ reply, payload: payloadOf(envelope) });
  }

  // AgentOutside

  send(_speaker: unknown, to: AgentTarget, envelope: AgentEnvelope): Sent {
    const { kind, correlation } = envelope;
    const key = `${typeof to === "string" ? to : to.id}/${correlation}`;
    const asked = this.#asked.get(key);
    const isAnswer = kind === "reply" || kind === "error" || (kind === "end" && !this.#talks);
    if (asked !== undefined && (isAnswer || !this.#talks)) {
      this.#asked.delete(key);
      const own = { ...envelope, from: this.#talks ? envelope.from : undefined };
      this.#answer(asked.reply, isAnswer ? own : errorEnvelope(correlation, new NotInDomainError("stream")));
      return "taken";
    }
    if (!this.#talks) return "unknown";
    return this.#acts.send(typeof to === "string" ? to : to.id, encoded(envelope));
  }

  wake(): void {}

  setAlarm(_speaker: unknown, delayMs: number): void {
    this.#alarmMs = this.#sys.monotonic() + delayMs;
  }

  spawn(_speaker: unknown, request: number, definition: AnyAgent, options: SpawnOptions): undefined {
    if (!this.#talks) throw new NotInDomainError("spawn");
    const key = kindKey(definition);
    if (this.#parts.definitions.get(key) !== definition)
      throw new BadArgumentError("definition", `the bundle does not export the agent ${key}`);
    const { name = this.#ownName(definition.name), on, input, detached } = options;
    const start = { kind: "tell", from: undefined, correlation: 0, message: "start", input } as const;
    this.#acts.push({
      act: "spawn",
      request,
      child: {
        definition: key,
        name,
        ...(on === undefined ? {} : { on: String(on) }),
        ...(input === undefined ? {} : { input: JSON.parse(encodeEnvelope(start)) as unknown }),
        ...(detached === true ? { detached } : {}),
      },
    });
    return undefined;
  }

  find(_speaker: unknown, request: number, name: string): null | undefined {
    if (!this.#talks) return null;
    this.#acts.push({ act: "find", request, name });
    return undefined;
  }

  subscribe(_speaker: unknown, topic: string): void {
    if (!this.#talks) throw new NotInDomainError("subscribe");
    this.#acts.push({ act: "subscribe", topic });
  }

  unsubscribe(_speaker: unknown, topic: string): void {
    if (this.#talks) this.#acts.push({ act: "unsubscribe", topic });
  }

  publish(_speaker: unknown, topic: string, envelope: AgentEnvelope): void {
    if (!this.#talks) throw new NotInDomainError("publish");
    this.#acts.push({ act: "publish", topic, payload: encoded(envelope) });
  }

  ended(_speaker: unknown, reason: StopReason, error: unknown): void {
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

  #ownName(definition: string): string {
    const hex = [...this.#sys.random(NAME_BYTES)].map((byte) => byte.toString(16).padStart(2, "0"));
    return `${definition.slice(0, 40)}.${hex.join("")}`;
  }
}

/** The definition for an agent whose state is of its version already. */
function sameVersion(definition: AnyAgent): AnyAgent {
  const { codeChange: _, ...rest } = definition as AgentDefinition;
  return rest as unknown as AnyAgent;
}

function errorEnvelope(correlation: number, error: unknown): AgentEnvelope {
  const input = recordOf(error, "a message");
  return { kind: "error", from: undefined, correlation: Math.max(1, correlation), message: "", input };
}

/** @throws {ValueNotPlainError} for more than a message takes */
function encoded(envelope: AgentEnvelope): Uint8Array {
  const bytes = bytesOf(encodeEnvelope(envelope));
  if (bytes.length <= MESSAGE_BYTES_MAX) return bytes;
  const why = `too large: ${bytes.length} bytes as a message, more than ${MESSAGE_BYTES_MAX}`;
  throw new ValueNotPlainError("", why);
}

/** DA4. The ask is in the journal: an answer that ended the agent would end it again each time it is taken up. */
function payloadOf(envelope: AgentEnvelope): Uint8Array {
  const payload = bytesOf(encodeEnvelope(envelope));
  if (payload.length <= MESSAGE_BYTES_MAX) return payload;
  const issue = { path: "", message: `it has ${payload.length} bytes of at most ${MESSAGE_BYTES_MAX}` };
  const why = new BadReplyError("a message", [issue]);
  return bytesOf(encodeEnvelope(errorEnvelope(envelope.correlation, why)));
}
