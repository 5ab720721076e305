/**
 * The task of a guest as the one who performs its calls: those of `glia.v1` on the task's mailbox and clock, those of `glia.sys.v1` by
 * {@link GuestCalls}.
 *
 * GA1. A message stays first in line until the guest has room for it. What is neither bytes nor text, or too long, never gets to the guest:
 *      a call is refused, anything else is logged.
 * GA2. What the guest was asked and does not answer is refused, once: when it takes the next message, or ends.
 */
import type { CallResult, EngineInstance, LogLevel, PendingCall } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { type Call, isCall } from "../call.ts";
import { BadOptionError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import type { Sys } from "../sys.ts";
import { after, receiveFrom } from "../wait.ts";
import { GuestMessageError, GuestNoReplyError } from "./errors.ts";
import { GuestCalls, isGuestCall } from "./guest-calls.ts";
import { messageBytes } from "./guest-requests.ts";
import type { HeldCapabilities } from "./held-capabilities.ts";
import { Parcel } from "./parcel.ts";

/** What the engine takes unless it is told (docs/guests.md). */
const MESSAGE_BYTES = 1_048_576;
/** The kernel's longest sleep. */
const SLEEP_MS_MAX = 9e12;
const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];
const DONE: CallResult = { value: 0 };
const TIMED_OUT: CallResult = { value: GUEST_ERRORS.E_TIMEOUT };

/** What an attendant works with. */
export interface Attended {
  readonly sys: Sys;
  readonly inbox: Handle;
  readonly held: HeldCapabilities;
  /** Longest message and result in bytes; the engine's default when it is undefined. */
  readonly messageBytes: number | undefined;
}

/** One guest's; see the banner. */
export class GuestAttendant {
  readonly #sys: Sys;
  readonly #inbox: Handle;
  readonly #held: HeldCapabilities;
  /** Longest message and result in bytes. */
  readonly most: number;
  /** The message that the guest had no room for. */
  #next: { readonly bytes: Uint8Array; readonly message: unknown } | undefined;
  /** The call that the guest is to answer. */
  #asked: Call | undefined;

  constructor({ sys, inbox, held, messageBytes: most = MESSAGE_BYTES }: Attended) {
    this.#sys = sys;
    this.#inbox = inbox;
    this.#held = held;
    this.most = most;
  }

  /** Whether the guest has a call to answer. */
  get asked(): boolean {
    return this.#asked !== undefined;
  }

  /** The answer to a pending call of a guest with this memory. @throws what ends the task, and for a call of no task {BadOptionError} */
  *perform(call: PendingCall, memory: Pick<EngineInstance, "read">): Routine<CallResult> {
    const [first = 0, second = 0, third = 0] = call.args;
    switch (call.op) {
      case "receive":
        if (this.#next === undefined) yield* this.#nextWithin(undefined);
        return this.#firstMessage(second);
      case "receive_within":
        if (!(third >= 0 && third <= SLEEP_MS_MAX)) return { value: GUEST_ERRORS.E_RANGE };
        if (this.#next === undefined) yield* this.#nextWithin(third);
        return this.#next === undefined ? TIMED_OUT : this.#firstMessage(second);
      case "sleep":
        if (!(first >= 0 && first <= SLEEP_MS_MAX)) return { value: GUEST_ERRORS.E_RANGE };
        yield* this.#sys.sleep(first);
        return DONE;
      case "yield":
        yield* this.#sys.yield();
        return DONE;
      default:
        if (!isGuestCall(call))
          throw new BadOptionError("a guest's call", call.op, "one that a task performs");
        return yield* new GuestCalls(this.#sys, this.#held, memory, this.most).perform(call);
    }
  }

  /** A log line of the guest. */
  log(level: number, text: string): void {
    this.#sys.log(LEVELS[level] ?? "info", text);
  }

  /** The guest's answer; 0 or a code. */
  reply(payload: Uint8Array): number {
    const asked = this.#asked;
    if (asked === undefined) return GUEST_ERRORS.E_STATE;
    this.#asked = undefined;
    if (!asked.open) return GUEST_ERRORS.E_GONE;
    this.#sys.reply(asked, payload);
    return 0;
  }

  /** The guest has ended (GA2). */
  end(): void {
    const asked = [this.#asked, this.#next?.message];
    for (const call of asked)
      if (isCall(call) && call.open) this.#sys.refuse(call, new GuestNoReplyError("it ended"));
  }

  /** Wait until there is a message that the guest can be given (GA1), or, with a time, until that is over. */
  *#nextWithin(durationMs: number | undefined): Routine<void> {
    const untilMs = durationMs === undefined ? 0 : this.#sys.monotonic() + durationMs;
    while (this.#next === undefined) {
      let message: unknown;
      if (durationMs === undefined) message = yield* this.#sys.receive(this.#inbox);
      else {
        const restMs = Math.max(0, untilMs - this.#sys.monotonic());
        const [index, value] = yield* this.#sys.select([receiveFrom(this.#inbox), after(restMs)]);
        if (index === 1) return;
        message = value;
      }
      this.#take(message);
    }
  }

  #take(message: unknown): void {
    const said = isCall(message) ? message.message : message;
    try {
      const bytes = said instanceof Parcel ? said.bytes : messageBytes(said);
      if (bytes.length > this.most)
        throw new GuestMessageError(`it has ${bytes.length} bytes, over the limit of ${this.most}`);
      this.#next = { bytes, message };
    } catch (error) {
      if (!(error instanceof GuestMessageError)) throw error;
      if (isCall(message)) this.#sys.refuse(message, error);
      else this.#sys.log("warn", `a message was dropped: ${error.message}`);
    }
  }

  #firstMessage(capacity: number): CallResult {
    const next = this.#next;
    if (next === undefined) return TIMED_OUT;
    if (next.bytes.length > capacity) return { value: GUEST_ERRORS.E_TOO_BIG };
    this.#next = undefined;
    if (this.#asked?.open === true)
      this.#sys.refuse(this.#asked, new GuestNoReplyError("it took the next message"));
    const { message } = next;
    this.#asked = isCall(message) ? message : undefined;
    const said = isCall(message) ? message.message : message;
    this.#held.came(said instanceof Parcel ? said : undefined);
    return { value: next.bytes.length, payload: next.bytes };
  }
}
