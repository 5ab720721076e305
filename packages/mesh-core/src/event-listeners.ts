/** Who listens to a node's events. A listener added or removed while an event is told hears from the next one on. */
import type { MeshEvent } from "./mesh-types.ts";

/** The listeners of one node. */
export class EventListeners {
  readonly #listeners = new Set<(event: MeshEvent) => void>();

  /** Listen until the result is called. */
  add(listen: (event: MeshEvent) => void): () => void {
    this.#listeners.add(listen);
    return () => void this.#listeners.delete(listen);
  }

  /** Tell everybody. */
  tell(event: MeshEvent): void {
    for (const listen of [...this.#listeners]) listen(event);
  }

  /** Forget everybody. */
  clear(): void {
    this.#listeners.clear();
  }
}
