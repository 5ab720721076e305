/** The clock of one domain. It stands still while the domain's tasks run, and moves by records only, never back. */
import type { Clock } from "@glia-os/abi/ports";

/** Milliseconds since the Unix epoch, for both readings. */
export class DomainClock implements Clock {
  #nowMs = 0;

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  /** Move on; a time that is past changes nothing. */
  moveTo(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
  }
}
