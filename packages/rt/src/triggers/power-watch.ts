/**
 * Looks at the sensors of a machine from time to time and says what changed.
 *
 * PW1. One look at a time, the next one counted from the end of the last: a sensor that hangs holds up looks, and nothing else.
 * PW2. `listen` is told when a trigger is raised or cleared, or the operating point changes, and of the first look; nothing else.
 * PW3. A sensor that fails says nothing (TH2 of threshold.ts). That it failed is told when it begins to.
 * PW4. A listener that throws, or a reading that no sensor can give, is told to `failed` and stops no later look.
 */
import type { Clock, Sensors, TimerHandle, Timers } from "@glia-os/abi/ports";
import { finite } from "../limits.ts";
import { type EnergyPolicy, FrequencyGovernor, type OperatingPoint } from "../power/frequency-governor.ts";
import { type Readings, readSensors } from "./readings.ts";
import { type Trigger, Triggers, type TriggersOptions } from "./triggers.ts";

/** Between two looks unless another time is given, in milliseconds. */
export const POWER_LOOK_MS = 10_000;

/** What is known of a machine after a look. */
export interface PowerState {
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly readings: Readings;
  /** The triggers that stand. */
  readonly standing: ReadonlySet<Trigger>;
  /** Where the governor is: of so many jobs at once, `concurrency(most)` are to run. */
  readonly point: OperatingPoint;
}

/** What a look changed. */
export interface PowerEvent extends PowerState {
  readonly raised: readonly Trigger[];
  readonly cleared: readonly Trigger[];
}

/** What a watch is made of. */
export interface PowerWatchOptions {
  readonly sensors: Sensors;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly listen: (event: PowerEvent) => void;
  /** Told once when the sensors begin to fail, and of each failure of `listen`. Default: nobody. */
  readonly failed?: (error: unknown) => void;
  /** Between two looks: 100 to 3,600,000 ms, default {@link POWER_LOOK_MS}. Loads have to last for 30 s, so some looks must fit into that. */
  readonly everyMs?: number;
  /** What the available memory is a share of; without it the memory's load is unknown. */
  readonly totalMemoryBytes?: number;
  /** Messages or jobs that wait now. */
  readonly queueDepth?: () => number;
  /** Other limits than the usual ones. */
  readonly triggers?: TriggersOptions;
  /** What the governor spends energy for; default `balanced`. */
  readonly policy?: EnergyPolicy;
}

/** Looks until it is stopped. */
export class PowerWatch {
  readonly #o: PowerWatchOptions;
  readonly #everyMs: number;
  readonly #triggers: Triggers;
  readonly #governor: FrequencyGovernor;
  #timer: TimerHandle | undefined;
  #looking: Promise<PowerState> | undefined;
  #state: PowerState | undefined;
  #failing = false;
  #running = false;

  /** @throws {BadOptionError} */
  constructor(options: PowerWatchOptions) {
    this.#o = options;
    this.#everyMs = finite("everyMs", options.everyMs ?? POWER_LOOK_MS, 100, 3_600_000);
    this.#triggers = new Triggers(options.triggers);
    this.#governor = new FrequencyGovernor(options.policy);
  }

  /** What the last look found; undefined before the first. */
  get state(): PowerState | undefined {
    return this.#state;
  }

  /** Of at most `most` jobs at once, how many the governor lets run now. @throws {BadOptionError} */
  concurrency(most: number): number {
    return this.#governor.concurrency(most);
  }

  /** Look now, and from then on. Idempotent. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#again(0);
  }

  /** Look no more. Idempotent. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  /** Look now, or wait for the look that is under way (PW1). Never rejects. */
  look(): Promise<PowerState> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  #again(delayMs: number): void {
    const turn = (): void => void this.look().finally(() => this.#running && this.#again(this.#everyMs));
    this.#timer = this.#o.timers.schedule(delayMs, turn, { toleranceMs: delayMs / 10 });
  }

  async #look(): Promise<PowerState> {
    const readings = await this.#read();
    const atMs = this.#o.clock.monotonicMs();
    const before = this.#state;
    try {
      const change = this.#triggers.observe(readings, atMs);
      const point =
        readings.cpuLoad === undefined ? this.#governor.point : this.#governor.observe(readings.cpuLoad);
      const state = { atMs, readings, standing: new Set(this.#triggers.raised), point };
      this.#state = state;
      const isNews = change.raised.length + change.cleared.length > 0 || before?.point !== point;
      if (isNews) this.#o.listen({ ...state, ...change });
    } catch (error) {
      this.#o.failed?.(error);
    }
    this.#state ??= { atMs, readings: {}, standing: new Set(), point: this.#governor.point };
    return this.#state;
  }

  /** (PW3) */
  async #read(): Promise<Readings> {
    const { sensors, totalMemoryBytes, queueDepth } = this.#o;
    try {
      const readings = await readSensors(sensors, totalMemoryBytes);
      this.#failing = false;
      return queueDepth === undefined ? readings : { ...readings, queueDepth: queueDepth() };
    } catch (error) {
      if (!this.#failing) this.#o.failed?.(error);
      this.#failing = true;
      return {};
    }
  }
}
