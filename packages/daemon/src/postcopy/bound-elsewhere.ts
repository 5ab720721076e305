/**
 * What a guest that comes over holds, as its engine here sees it.
 *
 * BE1. What it brings was bound in its own thread, and its task has the notes of that: it is not bound a second time, and nothing is decided here.
 */
import type { GuestCapabilities, GuestCapability } from "@glia-os/abi/ports";

/** One guest's; see the banner. */
export class BoundElsewhere implements GuestCapabilities {
  readonly #held: GuestCapabilities;
  #over = false;

  constructor(held: GuestCapabilities) {
    this.#held = held;
  }

  /** It has come over: from now on everything is as for any guest. */
  over(): void {
    this.#over = true;
  }

  get initial(): readonly GuestCapability[] {
    return this.#held.initial;
  }

  bind(handle: number, row: GuestCapability, parent: number): number | undefined {
    return this.#over ? this.#held.bind(handle, row, parent) : row.rights;
  }

  holds(handle: number, row: GuestCapability): boolean {
    return !this.#over || this.#held.holds?.(handle, row) === true;
  }

  drop(handle: number): void {
    this.#held.drop(handle);
  }

  revoke(handle: number): void {
    this.#held.revoke(handle);
  }

  accept(index: number): GuestCapability | undefined {
    return this.#held.accept(index);
  }
}
