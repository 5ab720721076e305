/**
 * A guest that runs in another thread as a program of the kernel: the place steps it, one task performs its calls.
 *
 * PG1. Every host call that waits travels to the task and is a syscall of it, as in guest-program.ts; what the guest did before it is
 *      performed before it. So rights, budgets, cancelling, killing, deadlines, supervisors, traces and dumps treat it as any task.
 * PG2. The guest computes beside the kernel's thread on a lease of fuel. A used-up lease is one syscall of the task, so a budget of
 *      syscalls bounds fuel, too.
 * PG3. However the task ends, the guest is ended, and what it was asked and did not answer is refused, once.
 * PG4. A guest that fails, or whose thread is lost, fails its task with the error.
 */
import type {
  GuestAnswer,
  GuestNews,
  GuestNote,
  GuestPlace,
  GuestStand,
  PlacedGuest,
  PlacedGuestEnd,
} from "@glia-os/abi/ports";
import type { Settle } from "../effect.ts";
import type { Handle } from "../handle.ts";
import { whole } from "../mailbox.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import type { Sys } from "../sys.ts";
import { CarriedRanges } from "./carried-ranges.ts";
import { FuelCount } from "./fuel-count.ts";
import { GuestAttendant } from "./guest-attendant.ts";
import type { GuestGiven, GuestTerms } from "./guest-program.ts";
import { HeldCapabilities } from "./held-capabilities.ts";

/** How a placed guest is run. */
export interface PlacedGuestOptions extends GuestTerms {
  /** Fuel that a pre-emptive guest uses until its task has its turn (PG2): from 1. Default 1,000,000,000, some tens of milliseconds. */
  readonly leaseFuel?: number;
}

const LEASE_FUEL = 1_000_000_000;

/**
 * A program for `spawn`, as {@link guestProgram}, whose guests run where `place` puts them, such as `pool.place(name)` of
 * `@glia-os/wasm/pool`. Not for durable domains: what the guest computes between its calls is not replayed. @throws {BadOptionError}
 */
export function placedGuestProgram(
  place: GuestPlace,
  options: PlacedGuestOptions = {},
): (sys: Sys, inbox: Handle, ...given: Handle[]) => Routine<number> {
  checkOptions("the options of a guest", options);
  const { leaseFuel } = options;
  if (leaseFuel !== undefined) whole("leaseFuel", leaseFuel, 1, Number.MAX_SAFE_INTEGER);
  return function* runPlacedGuest(sys, inbox, ...given): Routine<number> {
    const task = new PlacedGuestTask(options, { sys, inbox, given });
    try {
      return yield* task.run(place);
    } finally {
      task.end();
    }
  };
}

type Told = GuestNews | PlacedGuestEnd;

class PlacedGuestTask {
  readonly #sys: Sys;
  readonly #options: PlacedGuestOptions;
  readonly #held: HeldCapabilities;
  readonly #attendant: GuestAttendant;
  readonly #fuel: FuelCount;
  #guest: PlacedGuest | undefined;
  /** What was told and not yet looked at: bounded by the port (GL2). */
  #told: Told[] = [];
  #waiting: Settle<undefined> | undefined;

  constructor(options: PlacedGuestOptions, { sys, inbox, given }: GuestGiven) {
    const { capabilities, names, limits, meter, image } = options;
    this.#sys = sys;
    this.#options = options;
    this.#held = new HeldCapabilities(capabilities, names);
    this.#held.attach(sys, given);
    const { messageBytes } = limits ?? {};
    this.#attendant = new GuestAttendant({ sys, inbox, held: this.#held, messageBytes });
    this.#fuel = new FuelCount(meter, image === undefined ? 0 : undefined);
  }

  *run(place: GuestPlace): Routine<number> {
    const { limits, names = false, image, leaseFuel = LEASE_FUEL } = this.#options;
    const placement = {
      limits: { ...limits, messageBytes: this.#attendant.most },
      initial: this.#held.offered,
      names,
      leaseFuel,
      ...(image === undefined ? {} : { image }),
    };
    const hear = (told: Told): void => {
      this.#told.push(told);
      this.#waiting?.ok(undefined);
    };
    this.#guest = place.place(placement, { news: hear, ended: hear });
    for (;;) {
      if (this.#told.length === 0) yield* this.#toBeTold();
      for (const told of this.#told.splice(0)) {
        const status = "stand" in told ? yield* this.#attend(told) : statusOf(told);
        if (status !== undefined) return status;
      }
    }
  }

  /** PG3 */
  end(): void {
    this.#guest?.end();
    this.#attendant.end();
  }

  *#toBeTold(): Routine<void> {
    yield* this.#sys.external<undefined>((settle) => {
      this.#waiting = settle;
      return () => {
        this.#waiting = undefined;
      };
    });
    this.#waiting = undefined;
  }

  *#attend({ notes, fuelUsed, stand }: GuestNews): Routine<undefined> {
    for (const note of notes) this.#note(note);
    this.#fuel.reached(fuelUsed);
    if (stand.kind === "spent") {
      yield* this.#sys.yield();
      this.#guest?.goOn();
    } else if (stand.kind === "pending") this.#guest?.goOn(yield* this.#answer(stand));
    return undefined;
  }

  *#answer({ call, ranges }: GuestStand & { readonly kind: "pending" }): Routine<GuestAnswer> {
    const result = yield* this.#attendant.perform(call, new CarriedRanges(ranges));
    const isMessage = result.payload !== undefined && call.op.startsWith("receive");
    if (!isMessage) return { result };
    return { result, message: { asked: this.#attendant.asked, grants: this.#held.offeredByMessage } };
  }

  #note(note: GuestNote): void {
    if (note.kind === "log") this.#attendant.log(note.level, note.text);
    else if (note.kind === "reply") this.#attendant.reply(note.payload);
    else if (note.kind === "bind") {
      const { handle, row, parent, accepted } = note;
      if (accepted === undefined || this.#held.accept(accepted) !== undefined)
        this.#held.bind(handle, row, parent);
    } else if (note.kind === "drop") this.#held.drop(note.handle);
    else this.#held.revoke(note.handle);
  }
}

/** PG4 */
function statusOf(end: PlacedGuestEnd): number {
  if (end.kind === "failed") throw end.error;
  return end.status;
}
