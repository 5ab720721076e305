/**
 * A server: a task that keeps a state and handles one message after another, in the shape of OTP's gen_server.
 *
 * SV1. Messages are handled in the order they came, one at a time. A call is answered at most once; a late answer is dropped.
 * SV2. When the server ends, for whatever reason, every caller that waits is told at once; none waits for its time limit.
 * SV3. `terminate` runs when the server ends after `init`, except when it is killed.
 */
import { type Call, isCall } from "../call.ts";
import { TaskKilledError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import type { Program, Sys } from "../sys.ts";
import type { TaskId } from "../task.ts";
import { BadServerResultError, ExitError, NoHandlerError, ServerEndedError } from "./errors.ts";
import { errorReason } from "./exit-reason.ts";
import { isExitNotice } from "./notice.ts";
import { OpenCalls } from "./open-calls.ts";
import { type CallResult, type CastResult, NoReply, Reply, Stop } from "./server-result.ts";

/** What a server does. Each callback is a generator and may wait; while it does, no other message is handled. */
export interface ServerDefinition<State, Question = unknown, Answer = unknown, Cast = unknown> {
  /** Make the first state. Who starts the server waits for it; what it throws is the reason why the start failed. */
  init(sys: Sys): Routine<State>;
  /** A call came. Without this callback a call ends the server. */
  handleCall?(sys: Sys, question: Question, call: Call, state: State): Routine<CallResult<State, Answer>>;
  /** A cast came. Without this callback a cast ends the server. */
  handleCast?(sys: Sys, message: Cast, state: State): Routine<CastResult<State>>;
  /** Any other message came: a notice, or something sent. Without this callback it is logged and dropped. */
  handleInfo?(sys: Sys, message: unknown, state: State): Routine<CastResult<State>>;
  /** The server ends with this reason. May wait, up to what its supervisor allows. */
  terminate?(sys: Sys, reason: unknown, state: State): Routine<void>;
  /** Get exits as messages to `handleInfo`. Default false. The end of its parent ends a server in any case. */
  readonly trapExits?: boolean;
}

/** What a cast travels as. */
export class CastMessage {
  readonly message: unknown;

  constructor(message: unknown) {
    this.message = message;
  }
}

/** The question of who waits for a start. */
export const STARTED: { readonly asks: "started" } = { asks: "started" };

/** A server as a program; its one handle is its inbox. Who starts it by hand keeps no right to receive from the inbox. */
export function server<State, Question, Answer, Cast>(
  definition: ServerDefinition<State, Question, Answer, Cast>,
  parent?: TaskId,
): Program<void> {
  return (sys, inbox) => new Serving(sys, inbox as Handle, definition as never, parent).run();
}

class Serving {
  readonly #sys: Sys;
  readonly #inbox: Handle;
  readonly #definition: ServerDefinition<unknown>;
  readonly #parent: TaskId | undefined;
  readonly #open: OpenCalls = new OpenCalls();
  #state: unknown = undefined;
  /** What callers are told when nothing better is known: a killed task is not asked. */
  #reason: unknown = "killed";

  constructor(sys: Sys, inbox: Handle, definition: ServerDefinition<unknown>, parent: TaskId | undefined) {
    this.#sys = sys;
    this.#inbox = inbox;
    this.#definition = definition;
    this.#parent = parent;
  }

  *run(): Routine<void> {
    const sys = this.#sys;
    sys.serve(this.#inbox);
    if (this.#definition.trapExits === true) sys.trapExits(this.#inbox);
    try {
      try {
        this.#state = yield* this.#definition.init(sys);
      } catch (error) {
        this.#reason = errorReason(error);
        throw error;
      }
      yield* this.#serve();
    } finally {
      for (const call of this.#open.all())
        if (call.open) sys.refuse(call, new ServerEndedError(sys.getTid(), this.#reason));
    }
  }

  *#serve(): Routine<void> {
    try {
      this.#reason = yield* this.#loop();
    } catch (error) {
      if (error instanceof TaskKilledError) throw error;
      this.#reason = errorReason(error);
      yield* this.#terminate();
      throw error;
    }
    yield* this.#terminate();
    if (this.#reason !== "normal") throw new ExitError(this.#reason);
  }

  /** Handle messages until one ends the server; gives the reason. */
  *#loop(): Routine<unknown> {
    for (;;) {
      const message = yield* this.#sys.receive(this.#inbox);
      if (isExitNotice(message) && message.from === this.#parent) return message.reason;
      const result = isCall(message)
        ? yield* this.#called(message)
        : message instanceof CastMessage
          ? yield* this.#cast(message.message)
          : yield* this.#informed(message);
      if (result === undefined) continue;
      this.#state = result.state;
      if (result instanceof Stop) return result.reason;
    }
  }

  *#called(call: Call): Routine<CallResult<unknown, unknown> | undefined> {
    if (call.message === STARTED) {
      replyTo(this.#sys, call, true);
      return undefined;
    }
    if (!call.open) return undefined;
    this.#open.add(call);
    const { handleCall } = this.#definition;
    if (handleCall === undefined) throw new NoHandlerError("calls");
    const result = yield* handleCall.call(this.#definition, this.#sys, call.message, call, this.#state);
    if (result instanceof Reply || (result instanceof Stop && result.answers)) {
      replyTo(this.#sys, call, result.answer);
      this.#open.delete(call);
    } else if (!(result instanceof NoReply || result instanceof Stop))
      throw new BadServerResultError("handleCall");
    return result;
  }

  *#cast(message: unknown): Routine<CastResult<unknown>> {
    const { handleCast } = this.#definition;
    if (handleCast === undefined) throw new NoHandlerError("casts");
    return checked("handleCast", yield* handleCast.call(this.#definition, this.#sys, message, this.#state));
  }

  *#informed(message: unknown): Routine<CastResult<unknown> | undefined> {
    const { handleInfo } = this.#definition;
    if (handleInfo !== undefined)
      return checked("handleInfo", yield* handleInfo.call(this.#definition, this.#sys, message, this.#state));
    this.#sys.log("warn", "a server without handleInfo dropped a message");
    return undefined;
  }

  *#terminate(): Routine<void> {
    const { terminate } = this.#definition;
    if (terminate !== undefined)
      yield* terminate.call(this.#definition, this.#sys, this.#reason, this.#state);
  }
}

function checked(callback: string, result: unknown): CastResult<unknown> {
  if (result instanceof NoReply || (result instanceof Stop && !result.answers))
    return result as CastResult<unknown>;
  throw new BadServerResultError(callback);
}

/** Answer a call, now or later, from the server or from a task it handed the call to. Returns false when nobody waits any more. */
export function replyTo(sys: Sys, call: Call, answer: unknown): boolean {
  if (!call.open) return false;
  sys.reply(call, answer);
  return true;
}
