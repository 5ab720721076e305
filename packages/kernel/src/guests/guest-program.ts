/**
 * A program of an engine, such as a WebAssembly module, as a program of the kernel: one task runs it, and every host call of the guest is a
 * syscall of that task.
 *
 * GP1. The guest runs inside the task's turns only, in slices of fuel; while it waits, the task waits in a syscall. So priorities, budgets,
 *      cancelling, killing, deadlines, supervisors, traces and dumps treat it as any task.
 * GP2. However the task ends, the guest's memory is given back; what it was asked and did not answer is refused, once.
 * GP3. A guest that fails fails its task with the engine's error; one that ends gives its status as the task's value.
 * GP4. A message stays first in line until the guest has room for it. What is neither bytes nor text, or too long, never gets to the guest:
 *      a call is refused, anything else is logged.
 */
import type {
  AdmittedProgram,
  CallResult,
  EngineInstance,
  EngineLimits,
  GuestHost,
  InstanceImage,
  LogLevel,
  PendingCall,
  StepOutcome,
} from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { type Call, isCall } from "../call.ts";
import { RANDOM_BYTES_LIMIT } from "../constants.ts";
import { BadOptionError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { whole } from "../mailbox.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import type { Sys } from "../sys.ts";
import { after, receiveFrom } from "../wait.ts";
import { GuestMessageError, GuestNoReplyError } from "./errors.ts";
import { GuestCalls, isGuestCall } from "./guest-calls.ts";
import { messageBytes } from "./guest-requests.ts";
import { type GuestGift, HeldCapabilities } from "./held-capabilities.ts";
import { Parcel } from "./parcel.ts";

/** How a guest is run. */
export interface GuestProgramOptions {
  /** Its limits; the engine's defaults for the rest. */
  readonly limits?: Partial<EngineLimits>;
  /** What it holds, in the order of the handles that the spawn gives after the inbox. */
  readonly capabilities?: readonly GuestGift[];
  /** Whether it may look up names of the kernel. Default false. */
  readonly names?: boolean;
  /** Go on with this state instead of from the start. */
  readonly image?: InstanceImage;
  /**
   * Fuel of one turn of a pre-emptive guest, and of one step of a metered one, which fails when it uses it up: from 1. Default 10,000,000,
   * some tenths of a millisecond, and 10,000,000,000.
   */
  readonly sliceFuel?: number;
}

/** What the engine takes unless it is told (docs/guests.md). */
const MESSAGE_BYTES = 1_048_576;
const SLICE_FUEL = 10_000_000;
const STEP_FUEL = 10_000_000_000;
/** The kernel's longest sleep. */
const SLEEP_MS_MAX = 9e12;
const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];
const DONE: CallResult = { value: 0 };
const TIMED_OUT: CallResult = { value: GUEST_ERRORS.E_TIMEOUT };

/**
 * A program for `spawn`: it takes the handle of its mailbox, with the right `receive`, and those of its capabilities, and ends with the
 * guest's status. May be spawned many times; each task has a guest of its own. Give it a `quantum` of some syscalls, so that a guest that
 * computes gives way also while no other task is ready. @throws {BadOptionError}
 */
export function guestProgram(
  program: AdmittedProgram,
  options: GuestProgramOptions = {},
): (sys: Sys, inbox: Handle, ...given: Handle[]) => Routine<number> {
  checkOptions("the options of a guest", options);
  const { sliceFuel } = options;
  if (sliceFuel !== undefined) whole("sliceFuel", sliceFuel, 1, Number.MAX_SAFE_INTEGER);
  return function* runGuest(sys, inbox, ...given): Routine<number> {
    const task = new GuestTask(program, options, { sys, inbox, given });
    try {
      return yield* task.run();
    } finally {
      task.end();
    }
  };
}

class GuestTask {
  readonly #sys: Sys;
  readonly #inbox: Handle;
  readonly #held: HeldCapabilities;
  readonly #calls: GuestCalls;
  readonly #instance: EngineInstance;
  readonly #most: number;
  readonly #slice: number;
  /** The message that the guest had no room for. */
  #next: { readonly bytes: Uint8Array; readonly message: unknown } | undefined;
  /** The call that the guest is to answer. */
  #asked: Call | undefined;

  constructor(
    program: AdmittedProgram,
    { capabilities, names, limits, image, sliceFuel }: GuestProgramOptions,
    { sys, inbox, given }: { readonly sys: Sys; readonly inbox: Handle; readonly given: readonly Handle[] },
  ) {
    this.#sys = sys;
    this.#inbox = inbox;
    this.#most = limits?.messageBytes ?? MESSAGE_BYTES;
    this.#held = new HeldCapabilities(capabilities, names);
    this.#held.attach(sys, given);
    const all = { ...limits, messageBytes: this.#most };
    const host = this.#host();
    this.#instance = image === undefined ? program.instantiate(all, host) : program.restore(image, all, host);
    this.#calls = new GuestCalls(sys, this.#held, this.#instance, this.#most);
    this.#slice = sliceFuel ?? (this.#instance.preemptible ? SLICE_FUEL : STEP_FUEL);
  }

  *run(): Routine<number> {
    const instance = this.#instance;
    const { pending } = instance;
    let outcome: StepOutcome =
      pending === undefined ? instance.step(undefined, this.#slice) : { kind: "pending", call: pending };
    for (;;) {
      if (outcome.kind === "finished") return outcome.status;
      if (outcome.kind === "failed") throw outcome.error;
      let result: CallResult | undefined;
      if (outcome.kind === "yielded") yield* this.#sys.yield();
      else result = yield* this.#perform(outcome.call);
      outcome = instance.step(result, this.#slice);
    }
  }

  /** GP2 */
  end(): void {
    this.#instance.dispose();
    const asked = [this.#asked, this.#next?.message];
    for (const call of asked)
      if (isCall(call) && call.open) this.#sys.refuse(call, new GuestNoReplyError("it ended"));
  }

  *#perform(call: PendingCall): Routine<CallResult> {
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
        return yield* this.#calls.perform(call);
    }
  }

  /** Wait until there is a message that the guest can be given (GP4), or, with a time, until that is over. */
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
      if (bytes.length > this.#most)
        throw new GuestMessageError(`it has ${bytes.length} bytes, over the limit of ${this.#most}`);
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

  /** What the guest may ask for without waiting: plain syscalls of its task. */
  #host(): GuestHost {
    const sys = this.#sys;
    return {
      log: (level, text) => sys.log(LEVELS[level] ?? "info", text),
      wallMs: () => sys.now(),
      random: (target) => {
        for (let at = 0; at < target.length; at += RANDOM_BYTES_LIMIT)
          target.set(sys.random(Math.min(RANDOM_BYTES_LIMIT, target.length - at)), at);
      },
      reply: (payload) => {
        const asked = this.#asked;
        if (asked === undefined) return GUEST_ERRORS.E_STATE;
        this.#asked = undefined;
        if (!asked.open) return GUEST_ERRORS.E_GONE;
        sys.reply(asked, payload);
        return 0;
      },
      capabilities: this.#held,
    };
  }
}
