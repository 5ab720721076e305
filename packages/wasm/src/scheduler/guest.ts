/**
 * One guest of a scheduler: what is known of it between its turns, and its host while it has one.
 *
 * A guest that hibernates has no instance, no mailbox until a message comes, and a few hundred bytes; what it does not need then
 * is not kept.
 */
import { type CallResult, type GuestHost, type PendingCall, PREEMPTED_OP } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { WasmInstance } from "../engine/instance.ts";
import { Mailbox, type Message } from "./mailbox.ts";
import { type Seat, seat } from "./member-list.ts";
import type { GuestTerms } from "./options.ts";
import type { HostedProgram } from "./program.ts";

/** What a guest's host calls need of the scheduler. */
export interface GuestServices {
  wallMs(): number;
  random(target: Uint8Array): void;
  log(guest: number, level: number, text: string): void;
  output(guest: number, stream: 1 | 2, bytes: Uint8Array): void;
  reply(guest: number, token: number, payload: Uint8Array): void;
  /** A message was taken and will not be answered any more. */
  unanswered(guest: number, token: number): void;
}

/**
 * What a guest waits for. `turn`: it is in line; `message`: one, or its `wakeMs`; `time`: its `wakeMs`; `answer`: the outcome of an
 * operation of a host module; `rate`: its `wakeMs`, because it made too many host calls.
 */
export type GuestState = "turn" | "message" | "time" | "answer" | "rate" | "ended";

const DONE: CallResult = { value: 0 };
const TIMED_OUT: CallResult = { value: GUEST_ERRORS.E_TIMEOUT };
const TOO_BIG: CallResult = { value: GUEST_ERRORS.E_TOO_BIG };

/** A guest; see the banner. */
export class Guest implements GuestHost {
  readonly id: number;
  readonly program: HostedProgram;
  readonly terms: GuestTerms;
  readonly seat: Seat<Guest> = seat();
  readonly #services: GuestServices;
  state: GuestState = "turn";
  instance: WasmInstance | undefined;
  /** Its state, while it hibernates. */
  frozen: Uint8Array | undefined;
  mailbox: Mailbox | undefined;
  /** When it stops waiting; Infinity when it does not. */
  wakeMs: number = Number.POSITIVE_INFINITY;
  /** The number of the turn after which it began to wait. */
  restTurn = 0;
  /** When it has lived long enough. */
  endMs: number = Number.POSITIVE_INFINITY;
  /** The answer to its pending call, when it is not a message. */
  answer: CallResult | undefined;
  /** Host calls it has made since {@link rateMs}, less what its rate allowed. */
  calls = 0;
  rateMs = 0;
  #received: Message | undefined;

  constructor(id: number, program: HostedProgram, terms: GuestTerms, services: GuestServices) {
    this.id = id;
    this.program = program;
    this.terms = terms;
    this.#services = services;
  }

  get weight(): number {
    return this.terms.weight;
  }

  log(level: number, text: string): void {
    this.calls += 1;
    this.#services.log(this.id, level, text);
  }

  output(stream: 1 | 2, bytes: Uint8Array): void {
    this.calls += 1;
    this.#services.output(this.id, stream, bytes);
  }

  wallMs(): number {
    this.calls += 1;
    return this.#services.wallMs();
  }

  random(target: Uint8Array): void {
    this.calls += 1;
    this.#services.random(target);
  }

  reply(payload: Uint8Array): number {
    this.calls += 1;
    const message = this.#received;
    if (message === undefined) return GUEST_ERRORS.E_STATE;
    this.#received = undefined;
    this.#services.reply(this.id, message.token, payload);
    return 0;
  }

  /** A message for later. */
  post(message: Message): void {
    this.mailbox ??= new Mailbox();
    this.mailbox.push(message);
  }

  /** The result its next step needs: none for a new guest and one whose slice was used up. */
  takeResult(pending: PendingCall | undefined): CallResult | undefined {
    const { answer } = this;
    this.answer = undefined;
    if (pending === undefined || pending.op === PREEMPTED_OP) return undefined;
    if (answer !== undefined) return answer;
    if (pending.op === "receive" || pending.op === "receive_within")
      return this.#receive(pending.args[1] ?? 0);
    return DONE;
  }

  /** The first message, or `E_TOO_BIG` and the message stays; without any, the time is over. */
  #receive(capacity: number): CallResult {
    const message = this.mailbox?.first;
    if (message === undefined) return TIMED_OUT;
    const { payload } = message;
    if (payload.length > capacity) return TOO_BIG;
    this.mailbox?.shift();
    this.forgetReceived();
    this.#received = message;
    return { value: payload.length, payload };
  }

  /** The message it has is not answered any more. */
  forgetReceived(): void {
    if (this.#received === undefined) return;
    const { token } = this.#received;
    this.#received = undefined;
    this.#services.unanswered(this.id, token);
  }

  /**
   * How long it has to rest so that its host calls are within its rate again; 0 when they are. A second's worth may be made at once.
   */
  overRateMs(nowMs: number): number {
    const rate = this.terms.hostCallsPerSecond;
    this.calls = Math.max(0, this.calls - ((nowMs - this.rateMs) * rate) / 1000);
    this.rateMs = nowMs;
    return this.calls <= rate ? 0 : Math.ceil(((this.calls - rate) * 1000) / rate);
  }

  /** Nothing is kept for messages that are not there. */
  dropEmptyMailbox(): void {
    if (this.mailbox?.size === 0) this.mailbox = undefined;
  }

  /** It ended: nobody answers what it was sent. */
  forgetMessages(): void {
    this.forgetReceived();
    for (const { token } of this.mailbox?.drain() ?? []) this.#services.unanswered(this.id, token);
    this.mailbox = undefined;
  }
}
