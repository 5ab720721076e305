/**
 * Tells another thread which guest is running and since when.
 *
 * A step that never ends cannot be stopped from inside its own thread. The thread that runs guests therefore writes a
 * {@link Heartbeat} in shared memory at the start and end of every step; another thread reads it with a {@link StepWatch} and
 * terminates the worker when a step is overdue. All guests of that thread end with it: metering by fuel and stopping one guest
 * alone are not there.
 *
 * W1. A reading is consistent: the words are written between two increments of a sequence word and read again when it moved.
 * W2. Times are milliseconds of `performance.timeOrigin + performance.now()`, which threads of one process share to within a
 *     millisecond and which no clock setting moves backwards.
 */

/** Word indexes: the sequence (odd while it is written), the guest (0 when idle) and its limit. */
const SEQUENCE = 0;
const GUEST = 1;
const LIMIT_MS = 2;
/** Float64 index of the start time: bytes 16 to 24. */
const STARTED = 2;
const BYTES = 24;
/** A write takes nanoseconds; a reader that meets this many in a row has met a writer that stopped in the middle. */
const READINGS = 1000;

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The writing side, in the thread that runs guests. */
export class Heartbeat {
  /** Send this to the watching thread. */
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
    this.#times = new Float64Array(shared);
  }

  /** A step of guest `guest` (from 1) starts; it may take `limitMs`. */
  begin(guest: number, limitMs: number): void {
    Atomics.add(this.#words, SEQUENCE, 1);
    Atomics.store(this.#words, GUEST, guest);
    Atomics.store(this.#words, LIMIT_MS, limitMs);
    this.#times[STARTED] = nowMs();
    Atomics.add(this.#words, SEQUENCE, 1);
  }

  /** The step ended. */
  end(): void {
    Atomics.add(this.#words, SEQUENCE, 1);
    Atomics.store(this.#words, GUEST, 0);
    Atomics.add(this.#words, SEQUENCE, 1);
  }
}

/** A step in progress. */
export interface RunningStep {
  /** The guest's number in its thread, from 1. */
  readonly guest: number;
  /** How long the step has run, in milliseconds. */
  readonly runningMs: number;
  /** How long it may run, in milliseconds. */
  readonly limitMs: number;
}

/** The reading side, in any other thread. */
export class StepWatch {
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
    this.#times = new Float64Array(shared);
  }

  /**
   * The step in progress, or undefined when the thread runs no guest. Undefined also when no consistent reading was had in
   * {@link READINGS} tries, as after a thread that was ended while it wrote.
   */
  read(): RunningStep | undefined {
    for (let reading = 0; reading < READINGS; reading++) {
      const before = Atomics.load(this.#words, SEQUENCE);
      const guest = Atomics.load(this.#words, GUEST);
      const limitMs = Atomics.load(this.#words, LIMIT_MS);
      const started = this.#times[STARTED] as number;
      if (before % 2 !== 0 || Atomics.load(this.#words, SEQUENCE) !== before) continue;
      return guest === 0 ? undefined : { guest, limitMs, runningMs: Math.max(0, nowMs() - started) };
    }
    return undefined;
  }

  /** The step in progress when it has run longer than it may: terminate the worker. */
  overdue(): RunningStep | undefined {
    const step = this.read();
    return step !== undefined && step.runningMs > step.limitMs ? step : undefined;
  }
}
