/**
 * Keeps an event loop from sleeping for a short time after something that is likely to be followed by a message: an idle processor takes
 * longer to wake up than a flush takes.
 *
 * WL1. The loop goes on serving everything else meanwhile: it polls, and waits for nothing.
 * WL2. It sleeps again at the latest {@link WAKEFUL_MS} after the last reason not to.
 * WL3. Where the messages come too late again and again (a slow disk, a busy machine), it is no longer kept awake but now and then.
 */

/** How long a loop stays awake, in milliseconds: longer than a flush of a fast disk, shorter than anybody notices. */
export const WAKEFUL_MS = 0.2;
/** So many times in vain are a habit. */
const VAIN_MOST = 3;
/** Reasons that are passed over then, at most. */
export const SKIPPED_MOST = 64;

/** What a loop is kept awake with. */
export interface WakefulSetting {
  /** Monotonic time in milliseconds. */
  nowMs(): number;
  /** Do something in the next turn of the loop: `setImmediate`. */
  nextTurn(turn: () => void): unknown;
  /** Look for what comes by no message, and take it; called in every turn while the loop is kept awake. It calls `came` when there was some. */
  look?(): void;
  /** The loop is kept awake from now on, or no longer. */
  awake?(awake: boolean): void;
}

/** One loop's reasons. */
export class WakefulLoop {
  readonly #setting: WakefulSetting;
  #untilMs = 0;
  #turning = false;
  #served = true;
  /** Times in vain without one between that was not. */
  #vain = 0;
  #skip = 0;

  constructor(setting: WakefulSetting) {
    this.#setting = setting;
  }

  /** A message is likely to come. */
  expect(): void {
    this.#served = false;
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#untilMs = this.#setting.nowMs() + WAKEFUL_MS;
    if (this.#turning) return;
    this.#turning = true;
    this.#setting.awake?.(true);
    this.#setting.nextTurn(this.#turn);
  }

  /** It came. */
  came(): void {
    this.#served = true;
    if (this.#turning) this.#vain = 0;
  }

  readonly #turn = (): void => {
    this.#setting.look?.();
    if (!this.#served && this.#setting.nowMs() < this.#untilMs) {
      this.#setting.nextTurn(this.#turn);
      return;
    }
    this.#turning = false;
    this.#setting.awake?.(false);
    // What came since the last look found this loop awake, and sent no message.
    this.#setting.look?.();
    if (this.#served) return;
    this.#vain += 1;
    if (this.#vain >= VAIN_MOST) this.#skip = Math.min(2 ** this.#vain, SKIPPED_MOST);
  };
}
