/** Tells the engine that runs a job to stop it. */
import type { CancelSignal } from "@glia-os/abi/ports";

/** A signal that is given at most once. */
export class JobStop implements CancelSignal {
  readonly #listeners = new Set<(reason: unknown) => void>();
  #reason: unknown;
  cancelled = false;

  get reason(): unknown {
    return this.#reason;
  }

  /** Ask for the end. Idempotent: the first reason stays. */
  request(reason: Error): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.#reason = reason;
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
  }

  onCancel(listener: (reason: unknown) => void): () => void {
    if (this.cancelled) {
      listener(this.#reason);
      return () => undefined;
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
