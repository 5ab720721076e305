/**
 * Failures that come back the same: the same error after the same number of syscalls, several times in a row. Such a program does the
 * same again when it is started again, so restarting it is no remedy.
 */
import { isGliaError } from "@glia-os/abi/errors";

/** The failures of one child in a row. */
export class FailureStreak {
  /** How many in a row were the same. */
  times = 0;
  /** After how many syscalls. */
  syscalls = -1;
  #what = "";

  /** Count a failure. What is no thrown error, is retryable, or happened at an unknown place begins anew. */
  add(reason: unknown, syscalls: number | undefined): void {
    if (!(reason instanceof Error) || syscalls === undefined || (isGliaError(reason) && reason.retryable)) {
      this.times = 0;
      this.#what = "";
      return;
    }
    const what = `${reason.name}: ${reason.message}`;
    if (what === this.#what && syscalls === this.syscalls) this.times++;
    else this.times = 1;
    this.#what = what;
    this.syscalls = syscalls;
  }
}
