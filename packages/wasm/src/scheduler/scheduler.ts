/**
 * Many guests in one thread, in turns.
 *
 * GS1. A turn is one step of one guest: pre-emptive guests get a slice of fuel (quantum.ts), the others run until they wait. Turns
 *      are shared by weight (turn-ring.ts), whatever a guest does.
 * GS2. At most `liveGuests` guests have memory in place. The guest that waited longest gives way and hibernates; it wakes at its
 *      next turn with the state it had.
 * GS3. A guest that fails, is stopped or has lived for its `lifeMs` ends alone: the others' turns are as they were.
 * GS4. Each message is answered or reported as not answered, once, in the order it was received.
 * GS5. Guests, messages per guest, host calls per second and everything the engine limits are bounded.
 * GS6. Nothing is thrown for what a guest does; a refusal to a caller leaves everything as it was.
 */
import type { CallResult, GuestAnswer, InstanceImage, PendingCall, StepOutcome } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { WasmProgram } from "../engine/engine.ts";
import type { WasmInstance } from "../engine/instance.ts";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import { BadResultError, HostMemoryError, NotPendingError, PayloadTooBigError } from "../errors.ts";
import type { Heartbeat } from "../watchdog.ts";
import { AttendedGuest, attends, type GuestAttendance } from "./attended-guest.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import {
  BadMessageError,
  GuestMailboxFullError,
  GuestOverdueError,
  GuestUnknownError,
  TooManyGuestsError,
  WaitUnansweredError,
} from "./errors.ts";
import type { GuestEnd, SchedulerEvents } from "./events.ts";
import { Guest, type GuestServices } from "./guest.ts";
import { MemberList } from "./member-list.ts";
import {
  checkOption,
  completeTerms,
  DEFAULT_BOUNDS,
  type GuestOptions,
  type SchedulerBounds,
} from "./options.ts";
import { HostedProgram } from "./program.ts";
import { monotonicMs, servicesFor } from "./services.ts";
import { TurnRing } from "./turn-ring.ts";

/** How to make a scheduler. */
export interface SchedulerOptions extends SchedulerBounds {
  readonly events?: SchedulerEvents;
  /**
   * Performs the operations of host modules that guests wait for. The guest goes on with what it gives; when it throws or rejects,
   * the guest fails.
   */
  readonly answer?: (guest: number, call: PendingCall) => CallResult | Promise<CallResult>;
  /** Monotonic milliseconds. Default: the process's clock. */
  readonly nowMs?: () => number;
  /** Milliseconds since 1970 and random bytes, as guests get them. Default: the system's. */
  readonly wallMs?: () => number;
  readonly random?: (target: Uint8Array) => void;
  /** Where each turn is announced, with the guest's number, for a watching thread. */
  readonly heartbeat?: Heartbeat;
}

/** What a scheduler holds at a moment. */
export interface SchedulerCounts {
  readonly guests: number;
  /** With memory in place. */
  readonly live: number;
  readonly ready: number;
  /** Bytes of all hibernated guests. */
  readonly frozenBytes: number;
  readonly turns: number;
}

/** The kernel's longest sleep. */
const SLEEP_MS_MAX = 9e12;
/** How many guests give way when the process has no addresses for one more. */
const MAKE_WAY = 16;
/** Turns after which it is looked whether there are addresses again: to find out that there are none takes the platform long. */
const LOOK_AGAIN = 100_000;
const OUT_OF_RANGE: CallResult = { value: GUEST_ERRORS.E_RANGE };

/** The guests of one thread. Call {@link GuestScheduler.turn} while there is work. */
export class GuestScheduler {
  readonly #options: SchedulerOptions;
  readonly #most: { readonly guests: number; readonly liveGuests: number };
  readonly #nowMs: () => number;
  readonly #services: GuestServices;
  readonly #guests = new Map<number, Guest>();
  readonly #programs = new Map<WasmProgram, HostedProgram>();
  readonly #ring = new TurnRing<Guest>();
  readonly #idle = new MemberList<Guest>();
  readonly #due: DeadlineHeap<Guest>;
  #ids = 0;
  #live = 0;
  /** How many had room when the process had none left, until turn {@link GuestScheduler.#lookAgain}. */
  #fits = Number.POSITIVE_INFINITY;
  #lookAgain = 0;
  #frozenBytes = 0;
  #turns = 0;
  #running: Guest | undefined;
  #stopRunning = false;

  /** @throws BadGuestOptionError */
  constructor(options: SchedulerOptions = {}) {
    for (const name of ["guests", "liveGuests", "sliceFuel"] as const) checkOption(name, options[name]);
    this.#options = options;
    this.#most = {
      guests: options.guests ?? DEFAULT_BOUNDS.guests,
      liveGuests: options.liveGuests ?? DEFAULT_BOUNDS.liveGuests,
    };
    this.#nowMs = options.nowMs ?? monotonicMs;
    this.#services = servicesFor(options);
    this.#due = new DeadlineHeap<Guest>(
      ({ atMs, item }) => item.state !== "ended" && (atMs === item.endMs || atMs === item.wakeMs),
    );
  }

  /** What it holds. */
  get counts(): SchedulerCounts {
    return {
      guests: this.#guests.size,
      live: this.#live,
      ready: this.#ring.size,
      frozenBytes: this.#frozenBytes,
      turns: this.#turns,
    };
  }

  /** A new guest, which starts at its first turn; its number, never used again. @throws TooManyGuestsError, BadGuestOptionError */
  spawn(program: WasmProgram, options?: GuestOptions): number {
    const guest = this.#made(program, options);
    this.#lineUp(guest);
    return guest.id;
  }

  /** A guest that continues an image. It is checked at its first turn. @throws TooManyGuestsError, BadGuestOptionError */
  restore(program: WasmProgram, image: InstanceImage, options?: GuestOptions): number {
    const guest = this.#made(program, options);
    guest.frozen = guest.program.hibernation.freeze(image);
    this.#frozenBytes += guest.frozen.length;
    const { op, args } = image.pending;
    if (op === "receive" || op === "receive_within" || op === "sleep")
      this.#wait(guest, { requestId: 0, op, args });
    else this.#lineUp(guest);
    return guest.id;
  }

  /**
   * A guest whose calls are performed elsewhere, new or from an image; its news go to `attendance`.
   * @throws TooManyGuestsError, BadGuestOptionError
   */
  attend(
    program: WasmProgram,
    attendance: GuestAttendance,
    image?: InstanceImage,
    options?: GuestOptions,
  ): number {
    checkOption("leaseFuel", attendance.leaseFuel);
    const guest = this.#made(program, options, attendance);
    if (image !== undefined) {
      guest.frozen = guest.program.hibernation.freeze(image);
      this.#frozenBytes += guest.frozen.length;
    }
    this.#lineUp(guest);
    return guest.id;
  }

  /** An attended guest goes on after its news; nothing happens to one that does not wait for it. @throws GuestUnknownError */
  goOn(id: number, answer?: GuestAnswer): void {
    const guest = this.#guest(id);
    if (!(guest instanceof AttendedGuest) || guest.state !== "answer") return;
    guest.take(answer);
    this.#wake(guest);
  }

  /**
   * Give a guest a message, known as `token` in events. The payload is the guest's from here.
   * @throws GuestUnknownError, BadMessageError, GuestMailboxFullError, PayloadTooBigError
   */
  post(id: number, payload: Uint8Array, token = 0): void {
    const guest = this.#guest(id);
    if (!(payload instanceof Uint8Array)) throw new BadMessageError(payload);
    const { mailbox, limits } = guest.terms;
    const longest = limits.messageBytes ?? DEFAULT_LIMITS.messageBytes;
    if (payload.length > longest) throw new PayloadTooBigError(payload.length, longest, "limit");
    if ((guest.mailbox?.size ?? 0) >= mailbox) throw new GuestMailboxFullError(id, mailbox);
    guest.post({ token, payload });
    if (guest.state === "message") this.#wake(guest);
  }

  /** End a guest; nothing of it runs again. @throws GuestUnknownError */
  stop(id: number): void {
    const guest = this.#guest(id);
    if (guest === this.#running) this.#stopRunning = true;
    else this.#end(guest, { kind: "stopped" });
  }

  /** The whole state of a guest that has had a turn; it goes on. @throws GuestUnknownError, NotPendingError */
  image(id: number): InstanceImage {
    const guest = this.#guest(id);
    if (guest.frozen !== undefined) return guest.program.hibernation.thaw(guest.frozen);
    if (guest.instance === undefined || guest === this.#running) throw new NotPendingError();
    return guest.instance.snapshot();
  }

  /**
   * Put up to `most` of the guests that have waited longest away, those only that began to wait before turn `sinceTurn` ended (see
   * `counts.turns`); how many it were.
   */
  hibernateIdle(most: number, sinceTurn: number = this.#turns): number {
    let done = 0;
    for (let guest = this.#idle.first; guest !== undefined && done < most; guest = this.#idle.first) {
      if (guest.restTurn > sinceTurn) break;
      this.#hibernate(guest);
      done += 1;
    }
    return done;
  }

  /** When the next waiting guest is due, in terms of `nowMs`; undefined when none is. */
  get nextDueMs(): number | undefined {
    return this.#due.nextMs();
  }

  /** Whether a call of {@link turn} would find a guest in line, apart from those that become due. */
  get ready(): boolean {
    return this.#ring.size > 0;
  }

  /** Give one guest its turn. False when none is in line: call again after a post, an answer, or at {@link nextDueMs}. */
  turn(): boolean {
    if (this.#running !== undefined) return false;
    if (this.#due.size > 0) this.#wakeDue(this.#nowMs());
    const guest = this.#ring.take();
    if (guest === undefined) return false;
    this.#turns += 1;
    this.#run(guest);
    return true;
  }

  #made(program: WasmProgram, options: GuestOptions | undefined, attendance?: GuestAttendance): Guest {
    if (this.#guests.size >= this.#most.guests) throw new TooManyGuestsError(this.#most.guests);
    const terms = completeTerms(options);
    let hosted = this.#programs.get(program);
    if (hosted === undefined) this.#programs.set(program, (hosted = new HostedProgram(program)));
    const guest =
      attendance === undefined
        ? new Guest(++this.#ids, hosted, terms, this.#services)
        : new AttendedGuest(++this.#ids, hosted, terms, this.#services, attendance);
    this.#guests.set(guest.id, guest);
    if (terms.lifeMs !== undefined) {
      guest.endMs = this.#nowMs() + terms.lifeMs;
      this.#due.add(guest.endMs, guest, 2 * this.#guests.size);
    }
    return guest;
  }

  #guest(id: number): Guest {
    const guest = this.#guests.get(id);
    if (guest === undefined) throw new GuestUnknownError(id);
    return guest;
  }

  #wakeDue(nowMs: number): void {
    for (let due = this.#due.take(nowMs); due !== undefined; due = this.#due.take(nowMs)) {
      const { atMs, item } = due;
      if (atMs !== item.endMs) this.#wake(item);
      else this.#end(item, { kind: "failed", error: new GuestOverdueError(item.terms.lifeMs ?? 0) });
    }
  }

  #run(guest: Guest): void {
    this.#running = guest;
    const outcome = this.#step(guest);
    this.#running = undefined;
    if (this.#stopRunning) {
      this.#stopRunning = false;
      this.#end(guest, { kind: "stopped" });
    } else if (outcome.kind === "finished" || outcome.kind === "failed") this.#end(guest, outcome);
    else if (outcome.kind === "yielded") this.#sliced(guest);
    else {
      this.#keepGolden(guest, outcome.call);
      guest.calls += 1;
      this.#wait(guest, outcome.call);
    }
  }

  /** A pre-emptive guest has used up its slice. */
  #sliced(guest: Guest): void {
    const { instance } = guest;
    if (guest instanceof AttendedGuest && instance !== undefined) {
      if (guest.spent(instance)) {
        guest.tellSpent(instance);
        this.#rest(guest, "answer");
        return;
      }
      guest.tellNotes(instance.fuelUsed);
    }
    this.#lineUp(guest);
  }

  #step(guest: Guest): StepOutcome {
    const { heartbeat } = this.#options;
    try {
      const instance = guest.instance ?? this.#enter(guest);
      const { pending } = instance;
      const attended = guest instanceof AttendedGuest;
      // It comes from an image, and nobody here has heard of its call yet.
      if (pending !== undefined && guest.answer === undefined && (attended || pending.op.includes("/")))
        return { kind: "pending", call: pending };
      if (attended) guest.begin(instance);
      heartbeat?.begin(guest.id, instance.limits.stepMs);
      const result = guest.takeResult(instance.pending);
      return instance.preemptible ? this.#slice(guest, instance, result) : instance.step(result);
    } catch (error) {
      return { kind: "failed", error };
    } finally {
      heartbeat?.end();
    }
  }

  /** A slice of fuel; how long it took tells how much fuel the next ones get. */
  #slice({ program }: Guest, instance: WasmInstance, result: CallResult | undefined): StepOutcome {
    const { sliceFuel } = this.#options;
    if (sliceFuel !== undefined) return instance.step(result, sliceFuel);
    const { quantum } = program;
    const [fuel, startMs] = [instance.fuelUsed, this.#nowMs()];
    const outcome = instance.step(result, quantum.slice(this.#ring.size + 1));
    if (outcome.kind === "yielded") quantum.learn(instance.fuelUsed - fuel, this.#nowMs() - startMs);
    return outcome;
  }

  /** Its memory into place: new, or as it was when it was put away (GS2). */
  #enter(guest: Guest): WasmInstance {
    if (this.#turns >= this.#lookAgain) this.#fits = Number.POSITIVE_INFINITY;
    while (this.#live >= Math.min(this.#most.liveGuests, this.#fits) && this.#putAwayOne()) {}
    for (let tries = MAKE_WAY; ; tries--) {
      try {
        const instance = this.#instanceOf(guest);
        guest.instance = instance;
        this.#live += 1;
        return instance;
      } catch (error) {
        if (!(error instanceof HostMemoryError) || tries === 0) throw error;
        this.#fits = Math.max(1, this.#live);
        this.#lookAgain = this.#turns + LOOK_AGAIN;
        if (!this.#putAwayOne()) throw error;
      }
    }
  }

  #instanceOf(guest: Guest): WasmInstance {
    const { program, terms, frozen } = guest;
    if (frozen === undefined) return program.program.instantiate(terms.limits, guest);
    const instance = program.hibernation.wake(program.program, frozen, terms.limits, guest);
    this.#frozenBytes -= frozen.length;
    guest.frozen = undefined;
    return instance;
  }

  /** The one that has waited longest, or else the one whose next turn is farthest away. False when there is none. */
  #putAwayOne(): boolean {
    const victim = this.#idle.first ?? this.#ring.last(({ instance }) => instance !== undefined);
    if (victim !== undefined) this.#hibernate(victim);
    return victim !== undefined;
  }

  #hibernate(guest: Guest): void {
    const { instance, program } = guest;
    if (instance === undefined) return;
    try {
      guest.frozen = program.hibernation.freeze(instance.snapshot(true));
    } catch (error) {
      this.#end(guest, { kind: "failed", error });
      return;
    }
    this.#frozenBytes += guest.frozen.length;
    guest.dropEmptyMailbox();
    this.#idle.remove(guest);
    this.#leave(guest);
  }

  #leave(guest: Guest): void {
    if (guest.instance === undefined) return;
    guest.instance.dispose();
    guest.instance = undefined;
    this.#live -= 1;
  }

  #keepGolden({ program, instance }: Guest, call: PendingCall): void {
    const { hibernation } = program;
    if (!hibernation.wantsGolden || call.requestId !== 1 || instance === undefined) return;
    hibernation.offerGolden(() => instance.snapshot());
  }

  /** The guest waits in a blocking call. */
  #wait(guest: Guest, call: PendingCall): void {
    const { op, args } = call;
    const hasMessage = guest.mailbox !== undefined && guest.mailbox.size > 0;
    if (guest instanceof AttendedGuest && guest.instance !== undefined && attends(call)) {
      guest.tellPending(guest.instance, call);
      this.#rest(guest, "answer");
    } else if (op === "yield") this.#lineUp(guest);
    else if (op === "receive") {
      if (hasMessage) this.#lineUp(guest);
      else this.#rest(guest, "message");
    } else if (op === "receive_within" || op === "sleep") {
      const forMs = args[op === "sleep" ? 0 : 2] ?? 0;
      if (!(forMs >= 0 && forMs <= SLEEP_MS_MAX)) guest.answer = OUT_OF_RANGE;
      if (guest.answer !== undefined || forMs === 0 || (op !== "sleep" && hasMessage)) this.#lineUp(guest);
      else this.#restUntil(guest, op === "sleep" ? "time" : "message", this.#nowMs() + forMs);
    } else this.#ask(guest, call);
  }

  #rest(guest: Guest, state: Guest["state"]): void {
    guest.state = state;
    guest.restTurn = this.#turns;
    if (guest.instance !== undefined) this.#idle.push(guest);
  }

  #restUntil(guest: Guest, state: Guest["state"], atMs: number): void {
    guest.wakeMs = atMs;
    this.#due.add(atMs, guest, 2 * this.#guests.size);
    this.#rest(guest, state);
  }

  #wake(guest: Guest): void {
    guest.wakeMs = Number.POSITIVE_INFINITY;
    this.#idle.remove(guest);
    this.#lineUp(guest);
  }

  /** In line for a turn, unless it has made too many host calls. */
  #lineUp(guest: Guest): void {
    if (guest.calls > guest.terms.hostCallsPerSecond) {
      const nowMs = this.#nowMs();
      const waitMs = guest.overRateMs(nowMs);
      if (waitMs > 0) {
        this.#restUntil(guest, "rate", nowMs + waitMs);
        return;
      }
    }
    guest.state = "turn";
    this.#ring.push(guest);
  }

  /** An operation of a host module. */
  #ask(guest: Guest, call: PendingCall): void {
    const { answer } = this.#options;
    const failed = (cause?: unknown): void =>
      this.#end(guest, { kind: "failed", error: new WaitUnansweredError(call.op, cause) });
    if (answer === undefined) {
      failed();
      return;
    }
    let given: CallResult | Promise<CallResult>;
    try {
      given = answer(guest.id, call);
    } catch (cause) {
      failed(cause);
      return;
    }
    this.#rest(guest, "answer");
    const take = (result: CallResult): void => {
      if (guest.state !== "answer") return;
      if (typeof result?.value !== "number") {
        failed(new BadResultError(`the answer to ${call.op} has no value`));
        return;
      }
      guest.answer = result;
      this.#wake(guest);
    };
    if (!(given instanceof Promise)) {
      take(given);
      return;
    }
    given
      .then(take, (cause: unknown) => guest.state === "answer" && failed(cause))
      .finally(() => this.#options.events?.awake?.());
  }

  #end(guest: Guest, end: GuestEnd): void {
    if (guest.state === "ended") return;
    guest.state = "ended";
    this.#ring.remove(guest);
    this.#idle.remove(guest);
    if (guest instanceof AttendedGuest) guest.tellLast(guest.instance);
    this.#leave(guest);
    this.#frozenBytes -= guest.frozen?.length ?? 0;
    guest.frozen = undefined;
    this.#guests.delete(guest.id);
    guest.forgetMessages();
    this.#options.events?.ended?.(guest.id, end);
  }
}
