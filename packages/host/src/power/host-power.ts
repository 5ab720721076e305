/**
 * The power modes of `@glia-os/rt` for a process: its timers are what it can save.
 *
 * HP1. Tickless: at most one timer of the host is set, for the next thing that is due, and none when nothing is. A process with nothing to do is
 *      not woken.
 * HP2. In a mode of P percent power a periodic callback comes every `period * 100 / P`. One that would be due within a tenth of its period
 *      joins a wake-up that happens anyway, so callbacks of similar periods share their wake-ups.
 * HP3. `sleep` and `standby` hold periodic callbacks back. An alarm, or a wake source raised by the program, ends them; `standby` is not ended by
 *      a mere interrupt, as the table of wake sources says.
 * HP4. A process cannot switch its machine off: `shutdown` is refused.
 * HP5. A callback that throws ends no other; the first error is thrown when all that were due have run.
 */
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import {
  BadOptionError,
  BadTransitionError,
  type PowerMode,
  Processor,
  powerMode,
  type WakeSource,
} from "@glia-os/rt";

/** Periodic callbacks and alarms that may be set at once. */
export const POWER_CALLBACKS_MAX = 1024;
/** The part of a period that a callback may come early by, to share a wake-up. */
const SLACK = 0.1;
const LONGEST_MS = 2_147_483_647;

/** What the driver stands on. */
export interface HostPowerOptions {
  readonly clock: Clock;
  readonly timers: Timers;
}

interface Due {
  readonly periodMs: number | undefined;
  readonly fire: () => void;
  atMs: number;
}

/** The power of one process. */
export class HostPower {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #processor: Processor;
  readonly #callbacks = new Set<Due>();
  #timer: { readonly atMs: number; readonly handle: TimerHandle } | undefined;
  #waiters: ((source: WakeSource) => void)[] = [];
  #wakeUps = 0;

  constructor({ clock, timers }: HostPowerOptions) {
    this.#clock = clock;
    this.#timers = timers;
    this.#processor = new Processor({ apply: () => this.#arm() });
  }

  /** The power mode. */
  get mode(): PowerMode {
    return this.#processor.mode;
  }

  /** How often a timer of this driver woke the process. */
  get wakeUps(): number {
    return this.#wakeUps;
  }

  /** Call `fire` every `periodMs` (1 or more) while the mode runs (HP2, HP3). @throws {BadOptionError} */
  every(periodMs: number, fire: () => void): TimerHandle {
    return this.#add({
      periodMs: checked("periodMs", periodMs, 1),
      fire,
      atMs: this.#clock.monotonicMs() + periodMs,
    });
  }

  /** Call `fire` once, no earlier than in `delayMs`; it ends `sleep` and `standby` as the real-time clock does. @throws {BadOptionError} */
  alarm(delayMs: number, fire: () => void): TimerHandle {
    return this.#add({
      periodMs: undefined,
      fire,
      atMs: this.#clock.monotonicMs() + checked("delayMs", delayMs, 0),
    });
  }

  /** Change the mode. False when an interrupt is pending that keeps it from sleeping. @throws {BadTransitionError} */
  enter(mode: PowerMode): boolean {
    if (mode === "shutdown")
      throw new BadTransitionError(this.mode, mode, "a process cannot switch its machine off");
    return this.#processor.enter(mode);
  }

  /** Something happened outside: whoever waits goes on, and a mode that sleeps ends if the source is one of its wake sources. */
  raise(source: Exclude<WakeSource, "reset" | "event">): void {
    this.#processor.raise(source);
    this.#tell();
  }

  /** Wait for an interrupt: at once if one is pending. No timer is set for it. One waiter is told of each. */
  waitForInterrupt(): Promise<WakeSource> {
    const { promise, resolve } = Promise.withResolvers<WakeSource>();
    this.#waiters.push(resolve);
    if (this.#processor.state === "running") this.#tell();
    return promise;
  }

  /** Forget every callback. Whoever waits goes on waiting. */
  stop(): void {
    this.#callbacks.clear();
    this.#arm();
  }

  #tell(): void {
    while (this.#waiters.length > 0 && this.#processor.state === "running") {
      const source = this.#processor.take();
      if (source === undefined) return;
      this.#waiters.shift()?.(source);
    }
  }

  #add(due: Due): TimerHandle {
    if (this.#callbacks.size >= POWER_CALLBACKS_MAX)
      throw new BadOptionError("callbacks", this.#callbacks.size + 1, `at most ${POWER_CALLBACKS_MAX}`);
    this.#callbacks.add(due);
    this.#arm();
    return {
      cancel: () => {
        if (this.#callbacks.delete(due)) this.#arm();
      },
    };
  }

  /** When something is due in the present mode. */
  #dueMs({ periodMs, atMs }: Due): number {
    if (periodMs === undefined) return atMs;
    const { runs, powerPercent } = powerMode(this.#processor.mode);
    return runs ? atMs + periodMs * (100 / powerPercent - 1) : Number.POSITIVE_INFINITY;
  }

  /** Set the one timer, if it is not set already (HP1). */
  #arm(): void {
    let atMs = Number.POSITIVE_INFINITY;
    for (const due of this.#callbacks) atMs = Math.min(atMs, this.#dueMs(due));
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.handle.cancel();
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(LONGEST_MS, Math.max(0, atMs - this.#clock.monotonicMs()));
    this.#timer = { atMs, handle: this.#timers.schedule(delayMs, () => this.#wake()) };
  }

  #wake(): void {
    this.#timer = undefined;
    this.#wakeUps++;
    const nowMs = this.#clock.monotonicMs();
    const { powerPercent } = powerMode(this.#processor.mode);
    const slack = (SLACK * 100) / powerPercent;
    const isDue = (due: Due): boolean => this.#dueMs(due) - (due.periodMs ?? 0) * slack <= nowMs;
    const ready = [...this.#callbacks].filter((due) =>
      due.periodMs === undefined ? due.atMs <= nowMs : isDue(due),
    );
    if (ready.some(({ periodMs }) => periodMs === undefined) && this.#processor.state === "asleep") {
      this.#processor.raise("rtc");
      this.#processor.take();
      this.#tell();
    }
    const errors: unknown[] = [];
    for (const due of ready) {
      // One that ran before may have cancelled it.
      if (!this.#callbacks.has(due)) continue;
      if (due.periodMs === undefined) this.#callbacks.delete(due);
      else due.atMs = nowMs + due.periodMs;
      try {
        due.fire();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#arm();
    if (errors.length > 0) throw errors[0];
  }
}

/** The power modes of this process. */
export function createHostPower(options: HostPowerOptions): HostPower {
  return new HostPower(options);
}

function checked(option: string, value: number, least: number): number {
  if (!(value >= least && value <= Number.MAX_SAFE_INTEGER))
    throw new BadOptionError(option, value, `a number from ${least} to 2^53 - 1`);
  return value;
}
