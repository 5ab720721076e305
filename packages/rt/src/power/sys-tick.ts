/**
 * SysTick: a counter of 24 bits that runs down, wraps to its reload value and raises an interrupt each time it gets to 0. After the Armv7-M
 * Architecture Reference Manual, B3.3.
 *
 * ST1. With reload value N the interrupt comes every N+1 ticks.
 * ST2. Reading the count flag clears it.
 * ST3. Nothing is kept per tick: advancing by any number of ticks takes the same time.
 */
import { BadOptionError } from "../errors.ts";
import { whole } from "../limits.ts";

/** The largest reload value. */
export const SYSTICK_RELOAD_MAX = 0xff_ffff;

/** The counter. Time is given to it, in its own ticks. */
export class SysTick {
  #reload = 0;
  #current = 0;
  #enabled = false;
  #flag = false;

  /** Whether it counts. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** The counter's value. */
  get current(): number {
    return this.#current;
  }

  /** Count down from `reload` (1 to 2^24-1), again and again. @throws {BadOptionError} */
  start(reload: number): void {
    this.#reload = whole("reload", reload, 1, SYSTICK_RELOAD_MAX);
    this.#current = reload;
    this.#enabled = true;
    this.#flag = false;
  }

  /** Count no more; the value stays. */
  stop(): void {
    this.#enabled = false;
  }

  /** Whether the counter got to 0 since this was asked last (ST2). */
  takeCountFlag(): boolean {
    const flag = this.#flag;
    this.#flag = false;
    return flag;
  }

  /** Ticks until the counter is 0 next; undefined when it is stopped. */
  untilZero(): number | undefined {
    if (!this.#enabled) return undefined;
    return this.#current === 0 ? this.#reload + 1 : this.#current;
  }

  /** So many ticks passed: how often the counter got to 0. @throws {BadOptionError} */
  advance(ticks: number): number {
    whole("ticks", ticks, 0, Number.MAX_SAFE_INTEGER);
    const first = this.untilZero();
    if (first === undefined) return 0;
    if (ticks < first) {
      this.#current = this.#current === 0 && ticks > 0 ? this.#reload + 1 - ticks : this.#current - ticks;
      return 0;
    }
    const period = this.#reload + 1;
    const past = ticks - first;
    const rest = past % period;
    this.#current = rest === 0 ? 0 : period - rest;
    this.#flag = true;
    return 1 + (past - rest) / period;
  }
}

/** The reload value for an interrupt every `micros` of a clock of `hertz`. @throws {BadOptionError} when it does not fit into 24 bits */
export function reloadFor(micros: number, hertz: number): number {
  const ticks = Math.round((micros * hertz) / 1_000_000) - 1;
  if (!(ticks >= 1 && ticks <= SYSTICK_RELOAD_MAX))
    throw new BadOptionError("micros", micros, `a period of 2 to 2^24 ticks of a clock of ${hertz} Hz`);
  return ticks;
}
