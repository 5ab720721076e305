/**
 * A guest's state as a copy in memory that follows it: after a step, only the pages it wrote are copied.
 *
 * GC1. After {@link GuestCopy.follow} the copy is the state the guest is in, byte for byte: a guest restored from it goes on as this
 *      one does.
 * GC2. Between two calls the copy stays the state of the first: it is there when the guest is lost in the middle of a step.
 * GC3. Only a suspended guest is followed; the marks are those of the barrier (barrier/dirty-marks.ts), so nothing is compared.
 */
import type { InstanceImage } from "@glia-os/abi/ports";
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import type { DirtyMarks } from "../barrier/dirty-marks.ts";
import type { Tracking } from "../barrier/tracking.ts";
import type { WasmInstance } from "../engine/instance.ts";
import { copySparse } from "../sparse-copy.ts";

/** A copy that follows one guest; see the banner. */
export class GuestCopy {
  readonly #instance: WasmInstance;
  readonly #marks: DirtyMarks;
  #memory: Uint8Array;
  /** Everything but memory, as it was when the guest was followed last. */
  #rest: InstanceImage;

  /**
   * Start to follow a suspended guest, which goes on in the module of `tracking` from here: a first whole copy.
   * @throws NotPendingError, InstanceEndedError, AlreadyTrackedError, SnapshotMismatchError for another program's, HostMemoryError
   */
  constructor(instance: WasmInstance, tracking: Tracking) {
    this.#instance = instance;
    this.#marks = instance.track(tracking);
    this.#rest = instance.snapshot();
    this.#memory = this.#rest.sections["memory"] as Uint8Array;
    for (let page = this.#marks.next(0); page >= 0; page = this.#marks.next(page)) this.#marks.clear(page);
  }

  /**
   * Bring the copy up to where the guest is now; how many pages of 4 KiB were copied. The cost is that of those pages and of the
   * suspended calls, not of the memory. @throws NotPendingError, InstanceEndedError; then the copy stays as it was (GC2)
   */
  follow(): number {
    const rest = this.#instance.snapshot(true, this.#rest.sections);
    const now = rest.sections["memory"] as Uint8Array;
    if (now.length > this.#memory.length) this.#memory = grown(this.#memory, now.length);
    let pages = 0;
    for (let page = this.#marks.next(0); page >= 0; page = this.#marks.next(page + 1)) {
      this.#marks.clear(page);
      const start = page * SNAPSHOT_PAGE_BYTES;
      this.#memory.set(now.subarray(start, start + SNAPSHOT_PAGE_BYTES), start);
      pages += 1;
    }
    this.#rest = rest;
    return pages;
  }

  /** The state as it was followed last, owned by the caller. */
  image(): InstanceImage {
    const memory = new Uint8Array(this.#memory.length);
    copySparse(memory, this.#memory);
    const others = Object.entries(this.#rest.sections).filter(([name]) => name !== "memory");
    const copies = others.map(([name, bytes]) => [name, bytes.slice()] as const);
    return { ...this.#rest, sections: { ...Object.fromEntries(copies), memory } };
  }

  /** Stop following: the guest goes back to its own module, and the copy stays. @throws BadResultError in a step */
  release(): void {
    this.#instance.untrack(this.#marks);
  }
}

function grown(memory: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length);
  copySparse(larger.subarray(0, memory.length), memory);
  return larger;
}
