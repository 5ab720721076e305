/** The bytes that came with a call of a guest that runs elsewhere, as its memory: for whoever performs the call. */
import type { GuestRange } from "@glia-os/abi/ports";

/** See the banner. */
export class CarriedRanges {
  readonly #ranges: readonly GuestRange[];

  constructor(ranges: readonly GuestRange[]) {
    this.#ranges = ranges;
  }

  /** A copy; undefined for what did not come with the call. */
  read(pointer: number, length: number): Uint8Array | undefined {
    const [at, bytes] = [pointer >>> 0, length >>> 0];
    const from = this.#ranges.find((range) => range.pointer === at && range.bytes.length >= bytes);
    if (from === undefined) return bytes === 0 ? new Uint8Array() : undefined;
    return from.bytes.slice(0, bytes);
  }
}
