/** A `CancelSignal` that is raised by hand: what ports hear when nobody waits any more. */
import type { CancelSignal } from "./cancel-signal.ts";

/** Raises one cancel signal, once. */
export class CancelSource implements CancelSignal {
  cancelled = false;
  reason: unknown = undefined;
  readonly #listeners = new Set<(reason: unknown) => void>();

  onCancel(listener: (reason: unknown) => void): () => void {
    if (this.cancelled) {
      listener(this.reason);
      return () => undefined;
    }
    // A listener given twice is called twice and removed one at a time.
    const heard = (reason: unknown): void => listener(reason);
    this.#listeners.add(heard);
    return () => {
      this.#listeners.delete(heard);
    };
  }

  /** Raise it. Later calls change nothing. */
  cancel(reason: unknown): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.reason = reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(reason);
  }
}
