/**
 * A word of signal bits, as in seL4: signalling sets bits, waiting takes all of them.
 *
 * N1. A signal is never lost: bits stay set until somebody takes them. Signalling a bit that is set changes nothing.
 * N2. The first task in line takes all bits.
 */
import type { KernelObject } from "./capability-table.ts";
import { TaskList } from "./task.ts";

/** A notification. Internal: programs hold handles. */
export class Notification implements KernelObject {
  readonly kind = "notification";
  receivers = 0;
  bits = 0;
  readonly takers: TaskList = new TaskList();

  /** Take the bits. */
  take(): number {
    const bits = this.bits;
    this.bits = 0;
    return bits;
  }
}
