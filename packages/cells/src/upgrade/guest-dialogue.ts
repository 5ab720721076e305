/**
 * A conversation with a guest that has no mailbox: it is stepped until it waits for a message, is given one, and what it replies is taken.
 *
 * GD1. The guest reaches nobody: what it replies comes here. A call that would leave it ends the conversation; one that it makes after its last
 *      reply is left to whoever goes on with it.
 * GD2. It ends: after {@link TURNS_MAX} turns, and after the fuel of a step for a guest that gives no turns.
 */
import type { CallResult, EngineInstance, GuestHost, StepOutcome } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { Routine, Sys } from "@glia-os/kernel";

/** Turns a guest may take in one conversation; one is about a millisecond. */
export const TURNS_MAX = 10_000;
/** Fuel of a turn of a pre-emptive guest, and of a step of any other: as guest-task.ts gives them. */
const TURN_FUEL = 10_000_000;
const STEP_FUEL = 10_000_000_000;
const MESSAGE_OPS: ReadonlySet<string> = new Set(["receive", "receive_within"]);

/** How a conversation came to nothing. */
export interface DialogueFailure {
  readonly why: string;
}

/** Whether a guest stands where it would take a message. */
export function waitsForMessage(instance: EngineInstance): boolean {
  return MESSAGE_OPS.has(instance.pending?.op ?? "");
}

/** One guest that is spoken with. */
export class GuestDialogue {
  /** What the guest has for a host. */
  readonly host: GuestHost;
  #reply: Uint8Array | undefined;
  #turns = 0;

  constructor(host: GuestHost) {
    this.host = {
      ...host,
      reply: (payload) => {
        if (this.#reply !== undefined) return GUEST_ERRORS.E_STATE;
        this.#reply = payload.slice();
        return 0;
      },
    };
  }

  /** Let it get to where it waits for a message. Returns what kept it from that. */
  *begin(sys: Sys, instance: EngineInstance): Routine<DialogueFailure | undefined> {
    const first: StepOutcome =
      instance.pending === undefined
        ? instance.step(undefined, fuelOf(instance))
        : { kind: "pending", call: instance.pending };
    return yield* this.#untilItWaits(sys, instance, first);
  }

  /** Give it a message; what it replies, or what kept it from replying. */
  *ask(sys: Sys, instance: EngineInstance, payload: Uint8Array): Routine<Uint8Array | DialogueFailure> {
    this.#reply = undefined;
    if (!waitsForMessage(instance)) return calledTooEarly(instance.pending?.op ?? "nothing");
    const room = yield* this.#makeRoom(sys, instance, payload.length);
    if (room !== undefined) return room;
    const result: CallResult = { value: payload.length, payload };
    const failure = yield* this.#untilItWaits(sys, instance, instance.step(result, fuelOf(instance)));
    if (failure !== undefined) return failure;
    return this.#reply ?? { why: "it did not answer" };
  }

  /** A buffer that is too small is made larger by the guest itself, as for any message. */
  *#makeRoom(sys: Sys, instance: EngineInstance, bytes: number): Routine<DialogueFailure | undefined> {
    for (let known = -1; ; ) {
      const capacity = instance.pending?.args[1] ?? 0;
      if (bytes <= capacity) return undefined;
      if (capacity <= known) return { why: `it takes no message of ${bytes} bytes` };
      known = capacity;
      const tooBig = instance.step({ value: GUEST_ERRORS.E_TOO_BIG }, fuelOf(instance));
      const failure = yield* this.#untilItWaits(sys, instance, tooBig);
      if (failure !== undefined) return failure;
    }
  }

  *#untilItWaits(
    sys: Sys,
    instance: EngineInstance,
    first: StepOutcome,
  ): Routine<DialogueFailure | undefined> {
    let outcome = first;
    for (; this.#turns < TURNS_MAX; this.#turns++) {
      if (outcome.kind === "failed") return { why: messageOf(outcome.error) };
      if (outcome.kind === "finished") return { why: `it ended with status ${outcome.status}` };
      if (outcome.kind === "pending" && MESSAGE_OPS.has(outcome.call.op)) return undefined;
      if (outcome.kind === "pending" && outcome.call.op !== "yield")
        return this.#reply === undefined ? calledTooEarly(outcome.call.op) : undefined;
      const turn: CallResult | undefined = outcome.kind === "pending" ? { value: 0 } : undefined;
      yield* sys.yield();
      outcome = instance.step(turn, fuelOf(instance));
    }
    return { why: `it took more than ${TURNS_MAX} turns` };
  }
}

function calledTooEarly(op: string): DialogueFailure {
  return { why: `it called ${op}, which it cannot while its code is exchanged` };
}

function fuelOf({ preemptible }: EngineInstance): number {
  return preemptible ? TURN_FUEL : STEP_FUEL;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
