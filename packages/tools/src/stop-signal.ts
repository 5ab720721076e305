/** A cancel signal that follows another and can be raised by itself. */
import type { CancelSignal } from "@glia-os/abi/ports";

/** Raised once, by the signal it follows or by `raise`. */
export class StopSignal implements CancelSignal {
  cancelled = false;
  reason: unknown = undefined;
  readonly #listeners = new Set<(reason: unknown) => void>();
  readonly #forget: () => void;

  constructor(followed: CancelSignal) {
    this.#forget = followed.onCancel((reason) => this.raise(reason));
  }

  onCancel(listener: (reason: unknown) => void): () => void {
    if (this.cancelled) {
      listener(this.reason);
      return () => undefined;
    }
    const heard = (reason: unknown): void => listener(reason);
    this.#listeners.add(heard);
    return () => {
      this.#listeners.delete(heard);
    };
  }

  /** Raise it; later calls change nothing. */
  raise(reason: unknown): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.reason = reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(reason);
  }

  /** Follow the other no longer. */
  end(): void {
    this.#forget();
    this.#listeners.clear();
  }
}
