/**
 * A program of an engine, such as a WebAssembly module, as a program of the kernel: one task runs it, and every host call of the guest is a
 * syscall of that task.
 *
 * GP1. The guest runs inside the task's turns only, in slices of fuel; while it waits, the task waits in a syscall. So priorities, budgets,
 *      cancelling, killing, deadlines, supervisors, traces and dumps treat it as any task.
 * GP2. However the task ends, the guest's memory is given back; what it was asked and did not answer is refused, once.
 * GP3. A guest that fails fails its task with the engine's error; one that ends gives its status as the task's value.
 */
import type {
  AdmittedProgram,
  CallResult,
  EngineInstance,
  EngineLimits,
  GuestHost,
  InstanceImage,
  Meter,
  StepOutcome,
} from "@glia-os/abi/ports";
import { RANDOM_BYTES_LIMIT } from "../constants.ts";
import type { Handle } from "../handle.ts";
import { whole } from "../mailbox.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import type { Sys } from "../sys.ts";
import { FuelCount } from "./fuel-count.ts";
import { GuestAttendant } from "./guest-attendant.ts";
import { type GuestGift, HeldCapabilities } from "./held-capabilities.ts";

/** What a guest is given, wherever it runs. */
export interface GuestTerms {
  /** Its limits; the engine's defaults for the rest. */
  readonly limits?: Partial<EngineLimits>;
  /** What it holds, in the order of the handles that the spawn gives after the inbox. */
  readonly capabilities?: readonly GuestGift[];
  /** Whether it may look up names of the kernel. Default false. */
  readonly names?: boolean;
  /** Go on with this state instead of from the start. */
  readonly image?: InstanceImage;
  /** Where the fuel it uses is counted, as `glia_guest_fuel_total`: exact, after each slice. */
  readonly meter?: Meter;
}

/** How a guest is run. */
export interface GuestProgramOptions extends GuestTerms {
  /**
   * Fuel of one turn of a pre-emptive guest, and of one step of a metered one, which fails when it uses it up: from 1. Default 10,000,000,
   * some tenths of a millisecond, and 10,000,000,000.
   */
  readonly sliceFuel?: number;
}

/** What the task of a guest is given: its syscalls, its mailbox, and the handles of the capabilities. */
export interface GuestGiven {
  readonly sys: Sys;
  readonly inbox: Handle;
  readonly given: readonly Handle[];
}

const SLICE_FUEL = 10_000_000;
const STEP_FUEL = 10_000_000_000;

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
  readonly #held: HeldCapabilities;
  readonly #attendant: GuestAttendant;
  readonly #instance: EngineInstance;
  readonly #fuel: FuelCount;
  readonly #slice: number;

  constructor(
    program: AdmittedProgram,
    { capabilities, names, limits, image, sliceFuel, meter }: GuestProgramOptions,
    { sys, inbox, given }: GuestGiven,
  ) {
    this.#sys = sys;
    this.#held = new HeldCapabilities(capabilities, names);
    this.#held.attach(sys, given);
    this.#attendant = new GuestAttendant({
      sys,
      inbox,
      held: this.#held,
      messageBytes: limits?.messageBytes,
    });
    const all = { ...limits, messageBytes: this.#attendant.most };
    const host = this.#host();
    this.#instance = image === undefined ? program.instantiate(all, host) : program.restore(image, all, host);
    this.#fuel = new FuelCount(meter, this.#instance.fuelUsed);
    this.#slice = sliceFuel ?? (this.#instance.preemptible ? SLICE_FUEL : STEP_FUEL);
  }

  *run(): Routine<number> {
    const instance = this.#instance;
    const { pending } = instance;
    let outcome: StepOutcome =
      pending === undefined ? this.#step(undefined) : { kind: "pending", call: pending };
    for (;;) {
      if (outcome.kind === "finished") return outcome.status;
      if (outcome.kind === "failed") throw outcome.error;
      let result: CallResult | undefined;
      if (outcome.kind === "yielded") yield* this.#sys.yield();
      else result = yield* this.#attendant.perform(outcome.call, instance);
      outcome = this.#step(result);
    }
  }

  #step(result: CallResult | undefined): StepOutcome {
    const outcome = this.#instance.step(result, this.#slice);
    this.#fuel.reached(this.#instance.fuelUsed);
    return outcome;
  }

  /** GP2 */
  end(): void {
    this.#instance.dispose();
    this.#attendant.end();
  }

  /** What the guest may ask for without waiting: plain syscalls of its task. */
  #host(): GuestHost {
    const [sys, attendant] = [this.#sys, this.#attendant];
    return {
      log: (level, text) => attendant.log(level, text),
      wallMs: () => sys.now(),
      random: (target) => {
        for (let at = 0; at < target.length; at += RANDOM_BYTES_LIMIT)
          target.set(sys.random(Math.min(RANDOM_BYTES_LIMIT, target.length - at)), at);
      },
      reply: (payload) => attendant.reply(payload),
      capabilities: this.#held,
    };
  }
}
