/**
 * What a host module may touch of the guest it serves.
 *
 * A1. Pointers are checked against the memory as it is now; a range that is not all inside gives undefined, and nothing is touched.
 * A2. Views cost fuel (host-calls.ts, H5), and so does what a module charges for. Log lines come out of the guest's own budget.
 */

import type { EngineLimits, GuestAccess, GuestHost, GuestMemory, HandleTable } from "@glia-os/abi/ports";
import { range, writable } from "../engine/guest-range.ts";
import type { LinearMemory } from "../web-assembly.ts";

/** The instance as this file needs it. */
export interface ServedGuest {
  readonly memory: Pick<LinearMemory, "buffer">;
  readonly host: GuestHost;
  readonly limits: EngineLimits;
  logBytesLeft: number;
  charge(fuel: number): void;
  needed?(pointer: number, length: number): void;
  touched(pointer: number, length: number): void;
  exit(status: number): never;
}

const utf8 = new TextEncoder();

/** The access of one module to one guest. */
export function accessTo<Thing>(guest: ServedGuest, handles: HandleTable<Thing>): GuestAccess<Thing> {
  return {
    memory: memoryOf(guest),
    host: guest.host,
    limits: guest.limits,
    handles,
    log(level, text) {
      const bytes = utf8.encode(text).length;
      if (bytes > guest.logBytesLeft) return false;
      guest.logBytesLeft -= bytes;
      guest.host.log(level, text);
      return true;
    },
    charge: (fuel) => guest.charge(fuel),
    exit: (status) => guest.exit(status),
  };
}

function memoryOf(guest: ServedGuest): GuestMemory {
  return {
    get size() {
      return guest.memory.buffer.byteLength;
    },
    reads: (pointer, length) => range(guest, pointer, length),
    writes: (pointer, length) => writable(guest, pointer, length),
  };
}
