/**
 * Runs one agent of `@glia-os/cells/agent` in a guest: the mailbox, clock and timers of the guest and the service `agents` of its node, as the
 * host of its interpreter (`AgentOutside`).
 *
 * SD1. The first message says who the agent is and which definition; nothing is handled before.
 * SD2. Messages are taken from the node as they come, so that a reply is found behind others; what the interpreter has no room for waits here,
 *      at most {@link OVERFLOW_MAX}, then messages wait with the node.
 * SD3. An ask that is answered while its message is handled is answered as that message is, without another call; when whoever sent it does not
 *      wait for that, or the answer comes later, it is a message of its own. It leaves after everything that the agent asked its node for before it.
 * SD4. The agent ends with status 0, or 1 when it failed, after everything it asked of its node was done.
 * SD5. What cannot be read, of a node or of an agent, is refused by itself and logged; the agent hears what comes behind it.
 */
import {
  type AgentEnvelope,
  type AgentOutside,
  AgentProcess,
  type AgentRef,
  type AgentSpeaker,
  type AgentTarget,
  type AnyAgent,
  decodeEnvelope,
  encodeEnvelope,
  errorOf,
  kindKey,
  type PackedProcess,
  recordOf,
  type Sent,
  type SpawnOptions,
  type StopReason,
  ValueNotPlainError,
} from "@glia-os/cells/agent";
import { CodeExchange, definitionNamed } from "./code-exchange.ts";
import { GuestError } from "./errors.ts";
import { host } from "./host.ts";
import type { Message } from "./message.ts";
import { ACTS_HIGH, ACTS_MAX, act, actsWaiting, sendActs } from "./outgoing.ts";
import { doWhenIdle, nextMessage } from "./schedule.ts";
import { sys } from "./sys.ts";
import { clearTimer, setTimer } from "./timers.ts";

/** Messages that wait here beside those of the interpreter. */
export const OVERFLOW_MAX = 4096;
const STEPS = 1000;
/** As `ENVELOPE_BYTES` of the node. */
const ENVELOPE_BYTES = 1024 * 1024 - 4096;
const UTF8_MOST = 3;

interface Begin {
  readonly host: "begin";
  readonly self: AgentRef;
  readonly definition?: string;
  readonly parent?: AgentRef;
  /** An envelope whose input it is. */
  readonly input?: unknown;
}

type HostMessage =
  | Begin
  | {
      readonly host: "answer";
      readonly request: number;
      readonly value?: unknown;
      readonly error?: unknown;
    }
  | { readonly host: "report" | "messages" }
  | { readonly host: "log"; readonly entries: number }
  | { readonly host: "upgrade"; readonly definition: string }
  | { readonly host: "hand-over"; readonly part: number }
  | { readonly host: "take-over"; readonly part: number; readonly parts: number }
  | { readonly host: "hold" | "go" }
  | { readonly host: "stop" | "pause" | "resume" };

/** The answer to a message whose answer comes later, as a message. */
const LATER = '{"host":"later"}';
/** Fields of a host message come in this order, and no envelope begins so. */
const HOST_MESSAGE = '{"host":';

class Guest implements AgentOutside {
  readonly #own: AnyAgent;
  readonly #definitions: ReadonlyMap<string, AnyAgent>;
  readonly #overflow: AgentEnvelope[] = [];
  readonly #exchange: CodeExchange = new CodeExchange();
  #process: AgentProcess | undefined;
  #work = false;
  #alarm: number | undefined;
  #status: number | undefined;
  /** The ask that came last, until it is answered or set aside (SD3). */
  #asked: AgentEnvelope | undefined;
  /** Its answer, while acts that were asked for before it wait (SD3). No message is taken meanwhile. */
  #answer: { readonly text: string; readonly send: string } | undefined;

  constructor(own: AnyAgent, definitions: ReadonlyMap<string, AnyAgent>) {
    this.#own = own;
    this.#definitions = definitions;
  }

  /** Take messages from now on. */
  listen(): void {
    nextMessage().then((message) => {
      this.#came(message);
      if (this.#overflow.length < OVERFLOW_MAX) this.listen();
    });
  }

  /** What is left to do before the guest waits. */
  idle(): boolean {
    if (this.#work) {
      this.#run();
      return true;
    }
    if (sendActs()) return true;
    if (this.#answer !== undefined) {
      this.#giveAnswer(this.#answer);
      return true;
    }
    if (this.#status !== undefined && actsWaiting() === 0) host.x(this.#status);
    return false;
  }

  #came(message: Message): void {
    const text = message.text();
    if (text.startsWith(HOST_MESSAGE)) this.#hostMessage(text, message);
    else this.#envelope(text);
    if (this.#work) this.#run();
    if (this.#asked !== undefined) host.p(LATER);
    this.#asked = undefined;
  }

  /** SD5. */
  #hostMessage(text: string, message: Message): void {
    // Some have bytes behind their line of JSON.
    const end = text.indexOf("\n");
    const line = end === -1 ? text : text.slice(0, end);
    try {
      this.#told(JSON.parse(line) as HostMessage, message, end === -1 ? "" : text.slice(end + 1));
    } catch (error) {
      refused(error);
    }
  }

  #envelope(text: string): void {
    let envelope: AgentEnvelope;
    try {
      envelope = decodeEnvelope(text);
    } catch (error) {
      refused(error);
      return;
    }
    this.#asked = envelope.kind === "ask" ? envelope : undefined;
    if (this.#overflow.length > 0 && isMail(envelope)) this.#overflow.push(envelope);
    else this.#deliver(envelope);
  }

  #deliver(envelope: AgentEnvelope): boolean {
    const taken = this.#process?.deliver(envelope) ?? "unknown";
    if (taken === "full") this.#overflow.push(envelope);
    return taken !== "full";
  }

  #told(told: HostMessage, message: Message, more: string): void {
    switch (told.host) {
      case "hand-over":
        message.reply(this.#exchange.handOver(told.part, this.#process, this.#overflow));
        return;
      case "take-over":
        message.reply(this.#exchange.takeOver({ ...told, text: more }, (packed) => this.#resume(packed)));
        return;
      case "hold":
        this.#exchange.hold(this.#process);
        return;
      case "go":
        this.#exchange.go(this.#process);
        return;
      case "begin":
        this.#begin(told);
        return;
      case "answer":
        if ("error" in told) this.#process?.answer(told.request, false, errorOf(told.error));
        else this.#process?.answer(told.request, true, told.value ?? undefined);
        return;
      case "report":
        message.reply(JSON.stringify(this.#report()));
        return;
      case "log":
        this.#process?.keepLog(told.entries);
        message.reply("null");
        return;
      case "messages":
        message.reply(JSON.stringify(this.#process?.messageLog() ?? []));
        return;
      case "upgrade":
        message.reply(JSON.stringify(this.#upgrade(told.definition)));
        return;
      case "pause":
        this.#process?.pause();
        message.reply("null");
        return;
      case "resume":
        this.#process?.resume();
        message.reply("null");
        return;
      case "stop":
        this.#process?.stop("stopped");
    }
  }

  #begin({ self, definition: name, parent, input }: Begin): void {
    if (this.#process !== undefined) return;
    const definition = name === undefined ? this.#own : this.#definitions.get(name);
    try {
      if (definition === undefined)
        throw new GuestError("bad-argument", `the module defines no agent ${name}`);
      const given = input === undefined ? undefined : decodeEnvelope(JSON.stringify(input)).input;
      this.#process = new AgentProcess({ ref: self, definition, outside: this, parent, input: given });
    } catch (error) {
      const record = recordOf(error, "start");
      sys.log("error", `the agent was not made: ${record.code}: ${record.message}`);
      const failed = { reason: "failed", error: record };
      const ended = { kind: "control", from: self, correlation: 0, message: "ended", input: failed } as const;
      if (parent !== undefined) act(`["send",${JSON.stringify(parent.id)},${encodeEnvelope(ended)}]`);
      this.#status = 1;
    }
  }

  /** Go on as another guest handed over, once the node says so. Only where nothing has begun. */
  #resume(packed: PackedProcess): AgentProcess {
    if (this.#process !== undefined) throw new GuestError("bad-argument", "an agent runs here already");
    const definition = definitionNamed(packed.name, [this.#own, ...this.#definitions.values()]);
    const { ref, parent } = packed;
    const process = new AgentProcess({ ref, definition, outside: this, parent, resumed: packed });
    process.hold(true);
    this.#process = process;
    return process;
  }

  /** Null when it was done, an error record when it was refused, and `busy` while a handler is under way: then it is to be asked again. */
  #upgrade(key: string): unknown {
    const process = this.#process;
    const definition = this.#definitions.get(key);
    if (process === undefined || definition === undefined)
      return {
        error: recordOf(new GuestError("bad-argument", `the module defines no agent ${key}`), "upgrade"),
      };
    let answer: unknown = { busy: true };
    const giveUp = process.upgrade(definition, (error) => {
      answer = error === undefined ? null : { error: recordOf(error, "upgrade") };
    });
    this.#run();
    giveUp();
    return answer;
  }

  #report(): unknown {
    const process = this.#process;
    if (process === undefined) return null;
    const { definition, lifecycle, waiting, dropped } = process;
    return {
      kind: definition.name,
      version: definition.version,
      state: lifecycle,
      waiting: waiting + this.#overflow.length,
      dropped,
      children: process.children(),
      profile: process.profile(),
    };
  }

  #run(): void {
    const process = this.#process;
    this.#work = false;
    if (process === undefined) return;
    const before = process.handled;
    const beganMs = Date.now();
    while (process.run(STEPS));
    while (this.#overflow.length > 0 && this.#deliverFirst()) while (process.run(STEPS));
    const handled = process.handled - before;
    if (handled > 0) process.measured(handled, Date.now() - beganMs, Date.now());
  }

  /** Give the interpreter the oldest message that waits here. */
  #deliverFirst(): boolean {
    const wasFull = this.#overflow.length >= OVERFLOW_MAX;
    const first = this.#overflow.shift() as AgentEnvelope;
    const taken = this.#process?.deliver(first) !== "full";
    if (!taken) this.#overflow.unshift(first);
    else if (wasFull) this.listen();
    return taken;
  }

  // AgentOutside

  send(_speaker: AgentSpeaker, to: AgentTarget, envelope: AgentEnvelope): Sent {
    const waiting = actsWaiting();
    if (waiting >= ACTS_MAX) return "full";
    const text = encoded(envelope);
    const answers = this.#answersAsked(envelope, to);
    if (answers && waiting === 0 && host.p(text) >= 0) return "taken";
    const send = `["send",${JSON.stringify(typeof to === "string" ? to : to.id)},${text}]`;
    if (answers && waiting > 0) this.#answer = { text, send };
    else act(send);
    return waiting >= ACTS_HIGH ? "pressured" : "taken";
  }

  /** Whether this is the answer to the message that is handled; if so, it is not waited for any more. */
  #answersAsked({ kind, correlation }: AgentEnvelope, to: AgentTarget): boolean {
    const asked = this.#asked;
    if (asked === undefined || (kind !== "reply" && kind !== "error")) return false;
    if (asked.correlation !== correlation || typeof to === "string" || asked.from?.id !== to.id) return false;
    this.#asked = undefined;
    return true;
  }

  /** As the answer of its message; as an act behind those that the node had no room for, or when nobody waits for it so. */
  #giveAnswer({ text, send }: { readonly text: string; readonly send: string }): void {
    this.#answer = undefined;
    if (actsWaiting() === 0 && host.p(text) >= 0) return;
    host.p(LATER);
    act(send);
  }

  wake(): void {
    this.#work = true;
  }

  setAlarm(_speaker: AgentSpeaker, delayMs: number): void {
    clearTimer(this.#alarm);
    this.#alarm = setTimer(() => this.#process?.alarm(), Math.ceil(delayMs), false);
  }

  spawn(_speaker: AgentSpeaker, request: number, definition: AnyAgent, options: SpawnOptions): undefined {
    const { name, on, input } = options;
    const start = { kind: "tell", from: undefined, correlation: 0, message: "start", input } as const;
    const given = input === undefined ? "" : `,"input":${encoded(start)}`;
    const where = { definition: kindKey(definition), name, on: on === undefined ? undefined : String(on) };
    act(`["spawn",${request},${JSON.stringify(where).slice(0, -1)}${given}}]`);
    return undefined;
  }

  find(_speaker: AgentSpeaker, request: number, name: string): undefined {
    act(`["find",${request},${JSON.stringify(name)}]`);
    return undefined;
  }

  subscribe(_speaker: AgentSpeaker, topic: string): void {
    act(`["subscribe",${JSON.stringify(topic)}]`);
  }

  unsubscribe(_speaker: AgentSpeaker, topic: string): void {
    act(`["unsubscribe",${JSON.stringify(topic)}]`);
  }

  publish(_speaker: AgentSpeaker, topic: string, envelope: AgentEnvelope): void {
    act(`["publish",${JSON.stringify(topic)},${encoded(envelope)}]`);
  }

  ended(_speaker: AgentSpeaker, reason: StopReason, _error: unknown): void {
    this.#status = reason === "failed" ? 1 : 0;
  }

  log(...[, level, message, fields]: Parameters<AgentOutside["log"]>): void {
    sys.log(level, fields === undefined ? message : `${message} ${JSON.stringify(fields)}`);
  }

  monotonicMs(): number {
    return Date.now();
  }

  wallMs(): number {
    return Date.now();
  }

  uint32(): number {
    return Math.floor(Math.random() * 4_294_967_296);
  }
}

function refused(error: unknown): void {
  sys.log("warn", `a message was refused: ${(error as Error).message}`);
}

/** What waits in the interpreter's mailbox, as opposed to what it takes at once. */
function isMail({ kind }: AgentEnvelope): boolean {
  return kind === "tell" || kind === "ask" || kind === "publish";
}

/** @throws {ValueNotPlainError} for one that a node would not carry */
function encoded(envelope: AgentEnvelope): string {
  const text = encodeEnvelope(envelope);
  if (text.length * UTF8_MOST <= ENVELOPE_BYTES) return text;
  const bytes = host.e(text).length;
  if (bytes > ENVELOPE_BYTES)
    throw new ValueNotPlainError("", `too large: ${bytes} bytes as a message, more than ${ENVELOPE_BYTES}`);
  return text;
}

/** Run the agent that begins here; `own` is what it is unless its first message says otherwise. */
export function serve(own: AnyAgent, definitions: ReadonlyMap<string, AnyAgent>): void {
  const guest = new Guest(own, definitions);
  doWhenIdle(() => guest.idle());
  guest.listen();
}
