/** Ranges of guest memory, checked and charged for: the one way host calls reach it (host-calls.ts, H2 and H5). */
import type { LinearMemory } from "../web-assembly.ts";

/** Bytes of guest memory that cost 1 fuel, as a shift: the rate of the guest's own bulk instructions. */
const BYTES_PER_FUEL_SHIFT = 6;

/** A view of (pointer, length) in guest memory, charged for (H5), or undefined when any of it lies outside (H2). Its pages are there. */
export function range(
  site: {
    readonly memory: Pick<LinearMemory, "buffer">;
    charge(fuel: number): void;
    needed?(pointer: number, length: number): void;
  },
  pointer: number,
  length: number,
): Uint8Array | undefined {
  const { buffer } = site.memory;
  const start = pointer >>> 0;
  const bytes = length >>> 0;
  if (start + bytes > buffer.byteLength) return undefined;
  const fuel = bytes >>> BYTES_PER_FUEL_SHIFT;
  if (fuel > 0) site.charge(fuel);
  site.needed?.(start, bytes);
  return new Uint8Array(buffer, start, bytes);
}

/** As {@link range}, for a host that writes there: a guest whose writes are tracked has these pages marked too. */
export function writable(
  site: {
    readonly memory: Pick<LinearMemory, "buffer">;
    charge(fuel: number): void;
    needed?(pointer: number, length: number): void;
    touched(pointer: number, length: number): void;
  },
  pointer: number,
  length: number,
): Uint8Array | undefined {
  const view = range(site, pointer, length);
  if (view !== undefined && view.length > 0) site.touched(view.byteOffset, view.length);
  return view;
}
