/**
 * The kernel task that runs one guest: each blocking import of the guest becomes a syscall of this task.
 *
 * GT1. The guest only runs inside `step`; while it waits, the task waits in a syscall.
 * GT2. A freeze is seen at every blocking import, also when its result is there already, and at the end of every slice of a
 *      pre-emptive guest: nothing is consumed after the freeze.
 * GT3. A message that does not fit the guest's buffer stays first in line; the guest learns its length class by `E_TOO_BIG`.
 * GT4. A call on a capability that was begun is finished here: its outcome goes to the guest before it is frozen. One that was not begun
 *      travels and is made where the guest arrives.
 * GT5. What was not received when the task ends frozen is handed back in order.
 * GT7. While pages of a guest are on their way its steps are made elsewhere, and the task waits for their ends; it takes what it takes here.
 * GT6. A guest that runs again from a record gets from it what it got before, without waiting, and then goes on live.
 * GT9. A call of a guest with a replica that has an effect of its own is begun when everything before it is held (docs/spec/replica.md).
 * GT7. While a message with a priority waits, the next one is chosen among all that wait (mail-order.ts).
 * GT8. A freeze that is wanted at a message is seen where the guest waits for one, and nowhere else.
 */
import type { CallResult, EngineInstance, PendingCall, StepOutcome } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { after, type Handle, type Routine, receiveFrom, type Sys, signalOf } from "@glia-os/kernel";
import { GuestCalls, isGuestCall } from "@glia-os/kernel/guests";
import type { MailOrder } from "./mail-order.ts";
import { type AwayCell, AwaySteps, doAfter } from "./postcopy/away-steps.ts";
import type { AwayOutcome } from "./postcopy/pages-port.ts";
import { effectOf } from "./replica/effect.ts";
import { ReplayDivergedError } from "./replica/errors.ts";
import type { Tape } from "./replica/tape.ts";
import type { CellEnd, MailItem } from "./runner-port.ts";

/** How a guest's task ended. */
export type GuestTaskEnd =
  | CellEnd
  | { readonly kind: "frozen"; readonly mailbox: readonly MailItem[]; readonly sleepMs: number | undefined };

/** What the task needs of the cell it runs. */
export interface GuestTaskCell extends AwayCell {
  /** The guest, here or, while its pages come, elsewhere. */
  readonly guest: Pick<EngineInstance, "pending" | "preemptible">;
  /** Longest result of a call on a capability, in bytes. */
  readonly messageBytes: number;
  /** Whether somebody wants the guest frozen. */
  readonly freezeWanted: boolean;
  /** Whether that is to be where the guest waits for a message, and nowhere else. */
  readonly freezesAtMessage?: boolean;
  /** Messages that come before those of the mailbox: the rest of a frozen mailbox. */
  readonly backlog: MailItem[];
  /** Which of those that wait is next; absent for one with a replica, which gets them as they came. */
  readonly order?: MailOrder | undefined;
  /** How long a wait of this duration lasts: shorter for the first after the guest was frozen, if it was in it. Milliseconds. */
  takeSleepRest(durationMs: number): number;
  /** The node's monotonic clock. */
  monotonicMs(): number;
  /** The guest received a message. */
  received(item: MailItem): void;
  /** Whether what its number stands for is recorded with the answer, and done later. */
  recorded(handle: number): boolean;
  /** Records what the guest is given, and gives it what was recorded; absent for one without a replica. */
  readonly tape?: Tape | undefined;
  /** How long a wait that begins now may last, and that none lasts any more. */
  waiting(durationMs: number | undefined): void;
}

/** Fuel of a pre-emptive guest's turn: some tenths of a millisecond. */
const SLICE_FUEL = 10_000_000;
/** Fuel of one step of a metered guest, some seconds: one that uses it up without coming back is ended, and the rest goes on. */
const STEP_FUEL = 10_000_000_000;
/** The kernel's longest sleep. */
const SLEEP_MS_MAX = 9e12;
const DONE: CallResult = { value: 0 };
const TIMED_OUT: CallResult = { value: GUEST_ERRORS.E_TIMEOUT };
const TOO_BIG: CallResult = { value: GUEST_ERRORS.E_TOO_BIG };

/**
 * Run a guest until it ends or is frozen. The handles: its mailbox, the notification that interrupts a wait, and those of its capabilities; one that
 * arrives without its pages has none of those, and a mailbox for the ends of its steps.
 */
export function guestTask(
  cell: GuestTaskCell,
): (sys: Sys, inbox: Handle<MailItem>, control: Handle, ...given: Handle[]) => Routine<GuestTaskEnd> {
  return function* runGuest(sys, inbox, control, ...given): Routine<GuestTaskEnd> {
    const steps = cell.away === undefined ? undefined : (given.shift() as Handle<AwayOutcome>);
    cell.held.attach(sys, given);
    doAfter(cell);
    const driver = new GuestDriver(cell, sys, { inbox, control, steps });
    return yield* driver.run();
  };
}

interface DriverHandles {
  readonly inbox: Handle<MailItem>;
  readonly control: Handle;
  readonly steps: Handle<AwayOutcome> | undefined;
}

class GuestDriver {
  readonly #cell: GuestTaskCell;
  readonly #sys: Sys;
  readonly #inbox: Handle<MailItem>;
  readonly #messageOrControl: readonly [
    ReturnType<typeof receiveFrom<MailItem>>,
    ReturnType<typeof signalOf>,
  ];
  readonly #control: Handle;
  readonly #calls: GuestCalls;
  /** GT7. */
  readonly #away: AwaySteps | undefined;
  readonly #slice: number;
  #sleepRestMs: number | undefined;

  constructor(cell: GuestTaskCell, sys: Sys, { inbox, control, steps }: DriverHandles) {
    this.#cell = cell;
    this.#sys = sys;
    this.#inbox = inbox;
    this.#control = control;
    const memory = { read: (pointer: number, length: number) => this.#read(pointer, length) };
    this.#calls = new GuestCalls(sys, cell.held, memory, cell.messageBytes);
    this.#away = steps && new AwaySteps(cell, sys, steps);
    this.#slice = cell.guest.preemptible ? SLICE_FUEL : STEP_FUEL;
    this.#messageOrControl = [receiveFrom(inbox), signalOf(control)];
  }

  *run(): Routine<GuestTaskEnd> {
    const { pending } = this.#cell.guest;
    let outcome = pending === undefined ? yield* this.#step() : yield* this.#stand(pending);
    for (;;) {
      if (outcome.kind === "finished" || outcome.kind === "failed") return endOf(outcome);
      if (outcome.kind === "yielded") {
        if (!this.#freezesAnywhere) yield* this.#sys.yield();
        // Not in the middle of its record: an image has no place for the rest of it.
        if (this.#freezesAnywhere && this.#cell.tape?.replaying !== true) return this.#frozen();
        outcome = yield* this.#step();
        continue;
      }
      const { call } = outcome;
      const result: CallResult | undefined = this.#again(call) ?? (yield* this.#perform(call));
      if (result === undefined) return this.#frozen();
      if (isGuestCall(call)) this.#cell.tape?.answered(call.op, result);
      else if (result.payload === undefined) this.#cell.tape?.returned(result.value);
      outcome = yield* this.#step(result);
    }
  }

  *#step(result?: CallResult): Routine<StepOutcome> {
    if (this.#away !== undefined) return yield* this.#away.step(result, this.#slice);
    return this.#cell.instance.step(result, this.#slice);
  }

  *#stand(call: PendingCall): Routine<StepOutcome> {
    return this.#away === undefined ? { kind: "pending", call } : yield* this.#away.stand(call);
  }

  #read(pointer: number, length: number): Uint8Array | undefined {
    return (this.#away ?? this.#cell.instance).read(pointer, length);
  }

  /** What the guest was given before, when it runs again from a record (GT6). */
  #again({ op }: PendingCall): CallResult | undefined {
    const given = this.#cell.tape?.nextResult(op);
    if (given === undefined || "value" in given) return given;
    const [item] = this.#cell.backlog;
    if (item === undefined) throw new ReplayDivergedError("it took a message that is not there");
    return this.#firstOfBacklog(item.payload.length);
  }

  /** The result of a blocking import, or undefined when the guest is to be frozen instead (GT2). */
  *#perform(call: PendingCall): Routine<CallResult | undefined> {
    if (this.#freezesAnywhere) return undefined;
    switch (call.op) {
      case "receive":
        return yield* this.#receive(call.args[1] ?? 0);
      case "receive_within":
        return yield* this.#receiveWithin(call.args[1] ?? 0, this.#cell.takeSleepRest(call.args[2] ?? 0));
      case "sleep":
        return yield* this.#sleep(this.#cell.takeSleepRest(call.args[0] ?? 0));
      default:
        if (isGuestCall(call)) return yield* this.#call(call);
        yield* this.#sys.yield();
        return this.#freezesAnywhere ? undefined : DONE;
    }
  }

  /** GT8. */
  get #freezesAnywhere(): boolean {
    return this.#cell.freezeWanted && this.#cell.freezesAtMessage !== true;
  }

  /** A call on a capability: of a guest with a replica only what may not be made again waits (GT9). */
  *#call(call: PendingCall): Routine<CallResult | undefined> {
    const { tape } = this.#cell;
    if (tape !== undefined) {
      const read = (pointer: number, length: number): Uint8Array | undefined => this.#read(pointer, length);
      const effect = effectOf(call, { read, recorded: (handle) => this.#cell.recorded(handle) });
      if (effect === "once") tape.begins(call.op);
      if ((effect === "once" || effect === "repeatable") && !(yield* this.#isHeld(tape))) return undefined;
    }
    return yield* this.#calls.perform(call);
  }

  /** Wait until everything told so far is held; false when the guest is to be frozen before. */
  *#isHeld(tape: Tape): Routine<boolean> {
    const number = tape.awaitsHeld();
    while (!tape.isHeld(number)) {
      yield* this.#sys.select([signalOf(this.#control)]);
      if (this.#freezesAnywhere) return false;
    }
    return true;
  }

  *#receive(capacity: number): Routine<CallResult | undefined> {
    if (this.#cell.freezeWanted) return undefined;
    if (this.#cell.backlog.length === 0) {
      const item = yield* this.#nextItem();
      if (item === undefined) return undefined;
      this.#cell.backlog.push(item);
    }
    return this.#firstOfBacklog(capacity);
  }

  *#receiveWithin(capacity: number, durationMs: number): Routine<CallResult | undefined> {
    if (!(durationMs >= 0 && durationMs <= SLEEP_MS_MAX)) return { value: GUEST_ERRORS.E_RANGE };
    if (this.#cell.freezeWanted) {
      this.#sleepRestMs = durationMs;
      return undefined;
    }
    if (this.#cell.backlog.length > 0) return this.#firstOfBacklog(capacity);
    this.#cell.tape?.waits();
    this.#cell.waiting(durationMs);
    const startedMs = this.#cell.monotonicMs();
    const choices = [...this.#messageOrControl, after(durationMs)] as const;
    const [index, value] = yield* this.#sys.select(choices);
    this.#cell.waiting(undefined);
    if (index === 0) this.#cell.backlog.push(value as MailItem);
    if (this.#cell.freezeWanted || index === 1) {
      this.#sleepRestMs = Math.max(0, durationMs - (this.#cell.monotonicMs() - startedMs));
      return undefined;
    }
    return index === 0 ? this.#firstOfBacklog(capacity) : TIMED_OUT;
  }

  #firstOfBacklog(capacity: number): CallResult {
    const { backlog, order } = this.#cell;
    const at = order?.ranks === true ? this.#urgent(order) : 0;
    const item = backlog[at] as MailItem;
    if (item.payload.length > capacity) return TOO_BIG;
    if (at === 0) backlog.shift();
    else backlog.splice(at, 1);
    this.#cell.received(item);
    return { value: item.payload.length, payload: item.payload };
  }

  /** The place of the next one in the backlog, with everything that waits in it (GT7). */
  #urgent(order: MailOrder): number {
    this.#gather();
    return order.next(this.#cell.backlog);
  }

  #gather(): void {
    const { backlog } = this.#cell;
    for (
      let item = this.#sys.tryReceive(this.#inbox);
      item !== undefined;
      item = this.#sys.tryReceive(this.#inbox)
    )
      backlog.push(item);
  }

  *#nextItem(): Routine<MailItem | undefined> {
    for (;;) {
      const [index, value] = yield* this.#sys.select(this.#messageOrControl);
      if (index === 0) {
        if (!this.#cell.freezeWanted) return value;
        this.#cell.backlog.push(value);
      }
      if (this.#cell.freezeWanted) return undefined;
    }
  }

  *#sleep(durationMs: number): Routine<CallResult | undefined> {
    if (!(durationMs >= 0 && durationMs <= SLEEP_MS_MAX)) return { value: GUEST_ERRORS.E_RANGE };
    this.#cell.tape?.waits();
    this.#cell.waiting(durationMs);
    const startedMs = this.#cell.monotonicMs();
    const restMs = (): number => Math.max(0, durationMs - (this.#cell.monotonicMs() - startedMs));
    let woken = false;
    while (!woken && !this.#freezesAnywhere) {
      const [index] = yield* this.#sys.select([after(restMs()), signalOf(this.#control)]);
      woken = index === 0;
    }
    this.#cell.waiting(undefined);
    if (woken) return DONE;
    this.#sleepRestMs = restMs();
    return undefined;
  }

  #frozen(): GuestTaskEnd {
    this.#gather();
    return { kind: "frozen", mailbox: this.#cell.backlog.splice(0), sleepMs: this.#sleepRestMs };
  }
}

function endOf(outcome: { kind: "finished"; status: number } | { kind: "failed"; error: unknown }): CellEnd {
  if (outcome.kind === "finished") return outcome;
  const { error } = outcome;
  return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
}
