/** The handling side of the interpreter: a message comes in, its handler runs and perhaps waits, an answer goes out (AP2, AP4). */
import type { LogFields } from "@glia-os/abi/ports";
import { Asking } from "./asking.ts";
import { tracedFields } from "./carried-trace.ts";
import type { AgentContext } from "./context.ts";
import type { AgentEnvelope, EnvelopeKind } from "./envelope.ts";
import { recordOf } from "./error-record.ts";
import {
  BadArgumentError,
  BadChunkError,
  BadMessageError,
  BadReplyError,
  InvariantError,
  NotAStreamError,
  StreamClosedError,
  UnknownMessageError,
} from "./errors.ts";
import type { CompiledMessage } from "./kind.ts";
import { copyOf, passable } from "./plain-value.ts";
import { type AgentRoutine, STEP } from "./routine.ts";
import { plainIssues, validate } from "./standard-schema.ts";
import { type Source, StreamSource } from "./stream.ts";
import { unperformed } from "./waiting.ts";

/** What every generator goes on by. Generators of different functions have different shapes; this has one. */
const NEXT: () => IteratorResult<unknown, unknown> = (function* (): Generator<unknown, unknown> {
  return undefined;
})().next;

/** One agent that handles messages. */
export abstract class Handling extends Asking implements Source {
  state: unknown = undefined;
  /** Messages handled. */
  handled = 0;
  request: AgentEnvelope | null = null;
  protected message: CompiledMessage | null = null;
  protected routine: AgentRoutine<unknown> | null = null;

  get handling(): string {
    return this.message?.name ?? "nothing";
  }

  protected abstract get context(): AgentContext;
  /** The agent cannot go on with its state. */
  protected abstract fail(error: unknown): void;

  /** Take up a message. */
  protected handle(envelope: AgentEnvelope): void {
    const log = this.tables?.log;
    if (log)
      log.add(this.outside.wallMs(), this.ref, "in", envelope, envelope.from?.name ?? envelope.from?.id);
    const name = envelope.kind === "publish" ? this.#subscribed(envelope) : envelope.message;
    if (envelope.correlation !== 0 && envelope.kind === "tell")
      this.tables?.timers.taken(envelope.correlation);
    const message = name === undefined ? undefined : this.kind.messages.get(name);
    if (message !== undefined) this.#accept(envelope, message);
    else if (name === undefined) this.dropped++;
    else
      this.#refuse(
        envelope,
        new UnknownMessageError(this.definition.name, name, [...this.kind.messages.keys()]),
      );
  }

  /** The message of a topic; undefined when it is subscribed to no longer. */
  #subscribed(envelope: AgentEnvelope): string | undefined {
    return this.tables?.topics.get(envelope.message);
  }

  #accept(envelope: AgentEnvelope, message: CompiledMessage): void {
    if (message.input === null) {
      this.begin(envelope, message, envelope.input);
      return;
    }
    let result: ReturnType<typeof validate>;
    try {
      result = validate(message.input, envelope.input, `the input of ${message.name}`);
    } catch (error) {
      this.#refuse(envelope, error);
      return;
    }
    if (result.issues === undefined) this.begin(envelope, message, result.value);
    else this.#refuse(envelope, new BadMessageError(message.name, plainIssues(result.issues)));
  }

  /** A message is refused before its handler saw it. */
  #refuse(envelope: AgentEnvelope, error: unknown): void {
    if (envelope.kind === "ask") this.reply(envelope, "error", recordOf(error, envelope.message));
    else {
      this.dropped++;
      const { code, message } = recordOf(error, envelope.message);
      this.outside.log(this, "warn", "a message was refused", { code, error: message });
    }
  }

  /** Run a handler. */
  protected begin(envelope: AgentEnvelope, message: CompiledMessage, input: unknown): void {
    this.request = envelope;
    this.message = message;
    if (this.kind.contract) this.more().before = copyOf(this.state);
    if (message.chunk !== null && envelope.kind === "ask") this.more().source = new StreamSource();
    let result: unknown;
    try {
      result = message.handle(this.context, input);
    } catch (error) {
      this.#threw(error);
      return;
    }
    if (message.waits) {
      this.routine = result as AgentRoutine<unknown>;
      this.step();
    } else this.#returned(result);
  }

  /** Go on with the handler until it waits or ends. */
  protected step(): void {
    const routine = this.routine!;
    this.waitsFor = null;
    let result: IteratorResult<unknown, unknown>;
    try {
      result = NEXT.call(routine as unknown as Generator);
    } catch (error) {
      this.routine = null;
      this.#threw(error);
      return;
    }
    if (result.done === true) {
      this.routine = null;
      this.#returned(result.value);
    } else if (result.value !== STEP || this.waitsFor === null) this.#strayed();
  }

  /** The routine yielded something that is no operation (W1 of `routine.ts`). */
  #strayed(): void {
    this.unwind();
    this.#threw(
      new BadArgumentError("yield", "a routine yields only by `yield*` of an operation of its context"),
    );
  }

  /** Close the routine: its `finally` blocks run and cannot wait. */
  protected unwind(): void {
    const { routine } = this;
    this.routine = null;
    this.waitsFor = null;
    try {
      routine?.return(undefined);
    } catch (error) {
      const { code, message } = recordOf(error, this.handling);
      this.outside.log(this, "warn", "a handler failed while it was unwound", { code, error: message });
    }
    this.waitsFor = null;
    this.armed = null;
  }

  #returned(value: unknown): void {
    if (this.armed !== null) {
      this.#threw(unperformed(this));
      return;
    }
    if (this.kind.contract && !this.#fits()) return;
    const request = this.request!;
    if (request.kind === "ask") {
      let reply: unknown;
      try {
        reply = passable(this.#checked(value));
      } catch (error) {
        this.#threw(error);
        return;
      }
      const streams = this.tables !== null && this.tables.source !== null;
      this.reply(request, streams ? "end" : "reply", reply);
    }
    this.#end();
  }

  /** What a reply's schema makes of it. @throws {BadReplyError} */
  #checked(value: unknown): unknown {
    const { reply, name } = this.message!;
    if (reply === null) return value;
    const result = validate(reply, value, `the reply to ${name}`);
    if (result.issues === undefined) return result.value;
    throw new BadReplyError(name, plainIssues(result.issues));
  }

  #threw(error: unknown): void {
    this.armed = null;
    const request = this.request!;
    const message = this.message!;
    if (this.kind.contract && !this.#fits()) return;
    const record = recordOf(error, message.name);
    const asked = request.kind === "ask";
    if (asked) this.reply(request, "error", record);
    else this.#logFailed({ message: message.name, code: record.code, error: record.message });
    this.#end();
    const starting = message === this.kind.start;
    if (starting || (asked ? this.kind.failsOnAsk : this.kind.failsOnTell)) this.fail(error);
  }

  #logFailed(fields: LogFields): void {
    this.outside.log(this, "warn", "a handler failed", tracedFields(fields, this.request));
  }

  /** Whether the state fits its contract; if not, the agent has failed (AP4). */
  #fits(): boolean {
    const tables = this.more();
    let why: string | undefined;
    try {
      why = this.kind.violation(this.state);
    } catch (error) {
      why = recordOf(error, this.handling).message;
    }
    if (why === undefined) {
      tables.before = undefined;
      return true;
    }
    const error = new InvariantError(this.handling, why);
    this.state = tables.before;
    tables.before = undefined;
    if (this.request!.kind === "ask") this.reply(this.request!, "error", recordOf(error, this.handling));
    this.#end();
    this.fail(error);
    return false;
  }

  /** The message is done with. */
  #end(): void {
    this.request = null;
    this.message = null;
    this.handled++;
    const { tables } = this;
    if (tables === null) return;
    tables.source = null;
    this.closeAsks();
  }

  /** Answer an ask. */
  protected reply(request: AgentEnvelope, kind: EnvelopeKind, input: unknown): void {
    const { from, correlation } = request;
    if (from === undefined) return;
    const sent = this.send(from, { kind, from: this.ref, correlation, message: "", input });
    if (sent === "unknown") this.dropped++;
  }

  // Streams

  emitted(chunk: unknown): boolean {
    const message = this.message!;
    const source = this.tables?.source ?? null;
    if (message.chunk === null) throw new NotAStreamError(message.name, "it has no chunk schema");
    if (source === null) throw new NotAStreamError(message.name, "it was told, and nobody reads it");
    if (source.closed) throw new StreamClosedError(message.name);
    if (source.credit === 0) return false;
    const result = validate(message.chunk, chunk, `a chunk of ${message.name}`);
    if (result.issues !== undefined) throw new BadChunkError(message.name, plainIssues(result.issues));
    const { from, correlation } = this.request!;
    const input = passable(result.value);
    source.credit--;
    if (from !== undefined)
      this.send(from, { kind: "chunk", from: this.ref, correlation, message: "", input });
    return true;
  }
}
