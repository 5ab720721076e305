/**
 * Memory that several tasks share through capabilities with the rights `read` and `write`.
 *
 * RG1. Programs never get the memory of an unshared region, only copies and checked views: so a right that is missing cannot be
 *      taken, and a right that was revoked ends at once, also for views that exist.
 * RG2. Memory given to an unshared region is taken over: whoever gave it has a detached buffer afterwards.
 * RG3. A shared region lies in a SharedArrayBuffer, so that other threads can map it. Whoever holds that buffer, because it was
 *      passed in or taken from a view with both rights, keeps it: JavaScript cannot take it back, and no right of this kernel binds it.
 * RG4. Every access is checked against the size first. A copy is as large as was asked for and allocated after the check.
 */
import type { KernelObject } from "../capability-table.ts";
import { BadOptionError } from "../errors.ts";
import { whole } from "../mailbox.ts";
import { checkOptions } from "../options.ts";
import { TaskList } from "../task.ts";
import { OutsideRegionError } from "./errors.ts";

/** Largest region: 256 MiB. */
export const REGION_BYTES_MAX = 268_435_456;

/** How a region is made. */
export interface RegionOptions {
  /** Whether other threads may map it (RG3); default false. */
  readonly shared?: boolean;
  /** Memory to use instead of new memory, of exactly the size asked for. An ArrayBuffer is taken over (RG2). */
  readonly memory?: ArrayBuffer | SharedArrayBuffer;
}

/** A region. Internal: programs hold handles. */
export class Region implements KernelObject {
  readonly kind = "region";
  receivers = 0;
  /** Nobody waits for a region. */
  readonly takers: TaskList = new TaskList();
  readonly memory: ArrayBuffer | SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly cells: DataView;

  /** @throws {BadOptionError} */
  constructor(size: number, options: RegionOptions = {}) {
    checkOptions("the options of a region", options);
    const { shared = false, memory } = options;
    whole("region bytes", size, 1, REGION_BYTES_MAX);
    this.memory = memory === undefined ? fresh(size, shared) : adopted(size, shared, memory);
    this.bytes = new Uint8Array(this.memory);
    this.cells = new DataView(this.memory);
  }

  /** A copy of some bytes. @throws {OutsideRegionError} */
  read(offset: number, length: number): Uint8Array {
    this.check(offset, length);
    return Uint8Array.from(this.bytes.subarray(offset, offset + length));
  }

  /** Copy bytes in. @throws {OutsideRegionError} {BadOptionError} */
  write(offset: number, bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw new BadOptionError("region data", typeof bytes, "a Uint8Array");
    this.check(offset, bytes.length);
    this.bytes.set(bytes, offset);
  }

  /** Refuse what is not inside (RG4). @throws {OutsideRegionError} */
  check(offset: number, length: number): void {
    const size = this.bytes.length;
    if (
      !Number.isInteger(offset) ||
      !Number.isInteger(length) ||
      offset < 0 ||
      length < 0 ||
      offset + length > size
    )
      throw new OutsideRegionError(offset, length, size);
  }
}

function fresh(size: number, shared: boolean): ArrayBuffer | SharedArrayBuffer {
  return shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
}

function adopted(
  size: number,
  shared: boolean,
  memory: ArrayBuffer | SharedArrayBuffer,
): ArrayBuffer | SharedArrayBuffer {
  const wanted = shared ? "a SharedArrayBuffer" : "an ArrayBuffer";
  const fits = shared ? memory instanceof SharedArrayBuffer : memory instanceof ArrayBuffer;
  if (!fits || memory.byteLength !== size)
    throw new BadOptionError("region memory", typeof memory, `${wanted} of ${size} bytes`);
  return memory instanceof ArrayBuffer ? memory.transferToFixedLength() : memory;
}
