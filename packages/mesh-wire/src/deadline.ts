/** One time limit for a chain of steps, such as TCP, TLS and hello together. */
import type { TimerHandle, Timers } from "@glia-os/abi/ports";

/** Runs out once. */
export class Deadline {
  readonly #timer: TimerHandle;
  readonly #expired: Promise<never>;

  /** @param error what a step rejects with when the time is over */
  constructor(timers: Timers, delayMs: number, error: () => Error) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#expired = promise;
    promise.catch(() => {});
    this.#timer = timers.schedule(delayMs, () => reject(error()));
  }

  /** The result of `step`, or the deadline's error. When the step does not succeed in time, `abandon` releases what it holds. */
  async step<T>(step: Promise<T>, abandon: () => void): Promise<T> {
    try {
      return await Promise.race([step, this.#expired]);
    } catch (error) {
      abandon();
      throw error;
    }
  }

  /** Forget it. */
  cancel(): void {
    this.#timer.cancel();
  }
}
