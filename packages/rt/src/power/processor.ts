/**
 * A core that runs, waits and sleeps: what of it a program can see, as a machine without time or hardware.
 *
 * The waits follow the Armv7-M Architecture Reference Manual (B1.5.17 to B1.5.19, event register, WFE and WFI).
 *
 * PR1. WFI waits until an interrupt is pending, whether or not interrupts are masked. One that is pending already ends it at once.
 * PR2. WFE consumes the event register if it is set, and goes on at once. Otherwise it waits until an event or an interrupt that is not masked.
 * PR3. A raised interrupt stays pending until it is taken, across sleep. What is raised in a mode whose clocks are stopped is not seen, except
 *      by the mode's wake sources (WS1).
 * PR4. Modes change as the transition table says; an impossible change is refused and changes nothing.
 * PR5. Every change is told to the driver, which makes it so, before the call returns.
 */
import { AsleepError, BadOptionError, BadTransitionError } from "../errors.ts";
import { type PowerMode, type PowerModeFacts, powerMode } from "./power-mode.ts";
import { transitionRefusal } from "./transitions.ts";
import { WAKE_SOURCES, type WakeSource } from "./wake-source.ts";

/** What a core does right now. */
export type ProcessorState = "running" | "waiting-for-interrupt" | "waiting-for-event" | "asleep" | "off";

/** Who makes a power mode so: registers of a device, or timers of a process. */
export interface PowerDriver {
  /** The core is in this mode from now on. */
  apply(facts: PowerModeFacts, state: ProcessorState): void;
}

/** What raising a source did. */
export interface Wake {
  /** Whether the core went from not running to running. */
  readonly woke: boolean;
  /** Time until its first instruction. */
  readonly afterMicros: number;
  /** Whether the memory was lost: the program starts from the beginning. */
  readonly memoryLost: boolean;
}

const NOTHING: Wake = { woke: false, afterMicros: 0, memoryLost: false };

/** A core. */
export class Processor {
  readonly #driver: PowerDriver;
  #mode: PowerMode = "normal";
  /** The mode to come back to from sleep. */
  #running: PowerMode = "normal";
  #state: ProcessorState = "running";
  #event = false;
  #masked = false;
  #boots = 1;
  /** In the order in which they were raised. */
  readonly #pending: WakeSource[] = [];

  constructor(driver: PowerDriver) {
    this.#driver = driver;
  }

  /** The power mode. */
  get mode(): PowerMode {
    return this.#mode;
  }

  /** What the core does. */
  get state(): ProcessorState {
    return this.#state;
  }

  /** How often the program started from the beginning: 1 at first. */
  get boots(): number {
    return this.#boots;
  }

  /** The interrupts that wait to be taken, oldest first. */
  get pending(): readonly WakeSource[] {
    return this.#pending;
  }

  /**
   * Change the mode. In `sleep`, `standby` and `shutdown` the core stops before the call returns, unless an interrupt that would wake it is
   * pending: then the mode stays and the result is false (PR1).
   * @throws {BadTransitionError} {BadOptionError}
   */
  enter(mode: PowerMode): boolean {
    const why = transitionRefusal(this.#mode, mode);
    if (why !== undefined) throw new BadTransitionError(this.#mode, mode, why);
    this.#mustRun(`enter ${mode}`);
    const facts = powerMode(mode);
    if (!facts.runs && this.#pending.some((source) => WAKE_SOURCES[mode].includes(source))) return false;
    if (facts.runs) this.#running = mode;
    this.#set(mode, facts.runs ? "running" : mode === "shutdown" ? "off" : "asleep");
    return true;
  }

  /** Mask interrupts, or take the mask away. Pending ones are not taken while masked; they end WFI all the same. @throws {AsleepError} */
  mask(masked: boolean): void {
    this.#mustRun("change the mask");
    this.#masked = masked;
  }

  /** Wait for an interrupt. True when it waits, false when one is pending (PR1). @throws {AsleepError} */
  waitForInterrupt(): boolean {
    this.#mustRun("wait");
    if (this.#pending.length > 0) return false;
    this.#set(this.#mode, "waiting-for-interrupt");
    return true;
  }

  /** Wait for an event. True when it waits (PR2). @throws {AsleepError} */
  waitForEvent(): boolean {
    this.#mustRun("wait");
    if (this.#event || (!this.#masked && this.#pending.length > 0)) {
      this.#event = false;
      return false;
    }
    this.#set(this.#mode, "waiting-for-event");
    return true;
  }

  /** Something happened: `event` sets the event register, `reset` starts anew, all others are interrupts. */
  raise(source: WakeSource): Wake {
    if (WAKE_SOURCES[this.#mode]?.includes(source) !== true) {
      if (WAKE_SOURCES.normal.includes(source)) return NOTHING;
      throw new BadOptionError("source", source, `one of ${WAKE_SOURCES.normal.join(", ")}`);
    }
    if (source === "reset" || this.#state === "off") return this.#boot();
    if (source === "event") {
      const waits = this.#state === "waiting-for-event" || this.#state === "asleep";
      this.#event = this.#state !== "waiting-for-event";
      return waits ? this.#wake() : NOTHING;
    }
    if (!this.#pending.includes(source)) this.#pending.push(source);
    if (this.#state === "running" || (this.#state === "waiting-for-event" && this.#masked)) return NOTHING;
    return this.#wake();
  }

  /** The oldest pending interrupt, which is pending no more; undefined when there is none or they are masked. @throws {AsleepError} */
  take(): WakeSource | undefined {
    this.#mustRun("take an interrupt");
    return this.#masked ? undefined : this.#pending.shift();
  }

  /** The power is gone (TR3). */
  losePower(): void {
    this.#pending.length = 0;
    if (this.#state !== "off") this.#set("shutdown", "off");
  }

  #boot(): Wake {
    const { wakeMicros } = powerMode("shutdown");
    this.#boots++;
    this.#pending.length = 0;
    this.#event = false;
    this.#masked = false;
    this.#running = "normal";
    this.#set("normal", "running");
    return { woke: true, afterMicros: wakeMicros, memoryLost: true };
  }

  #wake(): Wake {
    const { wakeMicros } = powerMode(this.#mode);
    this.#set(this.#running, "running");
    return { woke: true, afterMicros: wakeMicros, memoryLost: false };
  }

  #mustRun(what: string): void {
    if (this.#state !== "running") throw new AsleepError(what, this.#mode);
  }

  #set(mode: PowerMode, state: ProcessorState): void {
    this.#mode = mode;
    this.#state = state;
    this.#driver.apply(powerMode(mode), state);
  }
}
