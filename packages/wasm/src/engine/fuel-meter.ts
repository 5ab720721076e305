/**
 * The host's side of fuel: fills the guest's counter for a slice and takes what was used (docs/spec/fuel.md).
 *
 * FM1. Only what the guest charges while it runs normally counts. What it charges while its calls are saved or put back is
 *      charged to an allowance and forgotten, so the total does not depend on where a guest was stopped.
 * FM2. What the host does for the guest counts like what the guest does: 1 for every 64 bytes of guest memory a host call looks at
 *      or writes. It ends the slice when it uses it up, and no pre-emptive guest traps for it: the rest is only counted.
 * FM3. The allowance is bounded: a guest that does not stop while its calls are saved or put back runs dry and traps.
 */
import { BadResultError } from "../errors.ts";
import { FUEL_EXPORT, FUEL_GRACE } from "../layout.ts";
import { isMetered } from "../profile.ts";
import type { GlobalCell, Namespace } from "../web-assembly.ts";

/** Fuel for saving or putting back the frames of one suspended guest; a full stack memory takes about a tenth. */
const ALLOWANCE = 2n ** 28n;
const GRACE = BigInt(FUEL_GRACE);

/** The counter of one instance. */
export class FuelMeter {
  readonly #counter: GlobalCell;
  readonly #grace: bigint;
  readonly #limit: number;
  #left = 0n;
  #used = 0;
  #before = 0;
  #running = false;

  private constructor(counter: GlobalCell, preemptive: boolean, limit: number, used: number) {
    this.#counter = counter;
    this.#grace = preemptive ? GRACE : 0n;
    this.#limit = limit;
    this.#used = used;
  }

  /** The meter of an instance, or undefined when its profile counts no fuel. */
  static of(exports: Namespace, profile: string, limit: number, used = 0): FuelMeter | undefined {
    if (!isMetered(profile)) return undefined;
    return new FuelMeter(exports[FUEL_EXPORT] as GlobalCell, profile === "preemptive", limit, used);
  }

  /** Fuel used in all slices so far. */
  get used(): number {
    return this.#used;
  }

  /** Whether the limit of the instance's life is reached. */
  get spent(): boolean {
    return this.#used >= this.#limit;
  }

  /** Whether the counter went below zero: the guest's last trap was for fuel. */
  get dry(): boolean {
    return (this.#counter.value as bigint) < 0n;
  }

  /** Start a slice. A whole number from 1 is taken as it is; undefined is all that is left. @throws BadResultError */
  begin(fuel: number | undefined): void {
    const rest = Math.max(0, this.#limit - this.#used);
    if (fuel !== undefined && !(Number.isSafeInteger(fuel) && fuel > 0))
      throw new BadResultError(`the slice of ${fuel} fuel is not a whole number from 1`);
    this.#before = this.#used;
    this.#left = BigInt(Math.min(fuel ?? rest, rest)) + this.#grace;
  }

  /** The guest runs normally from here. */
  run(): void {
    this.#counter.value = this.#left;
    this.#running = true;
  }

  /** It does not any more: it waits, ended, or its calls are being saved (FM1). Idempotent. */
  pause(): void {
    if (!this.#running) return;
    this.#running = false;
    const left = this.#counter.value as bigint;
    this.#used += Number(this.#left - left);
    this.#left = left;
  }

  /**
   * Take off what will be charged again after a yield (leaf-loops.ts, LL1): never more than was charged since the slice began, so
   * a guest that lies about it still uses no less than nothing.
   */
  forgive(fuel: number): void {
    this.#used -= Math.max(0, Math.min(fuel, this.#used - this.#before));
  }

  /** Count work of the host (FM2). Nothing while the guest does not run. */
  charge(fuel: number): void {
    if (!this.#running) return;
    const left = this.#counter.value as bigint;
    const floor = this.#grace / 2n;
    const room = left > floor ? Number(left - floor) : 0;
    const now = Math.min(fuel, room);
    this.#counter.value = left - BigInt(now);
    this.#used += fuel - now;
  }

  /** Give the allowance for saving or putting back calls (FM3). */
  allow(): void {
    this.#counter.value = ALLOWANCE;
  }
}
