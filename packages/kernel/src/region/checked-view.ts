/**
 * A task's view of a region.
 *
 * RV1. Every access asks whether the capability it was made from is alive, in the hands of the task that runs, and has the right.
 *      After a revocation, a drop or the end of its task, a view does nothing but refuse.
 * RV2. Numbers are little-endian.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { OutsideTaskError } from "../errors.ts";
import { MAP_REGION } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Region } from "./region.ts";
import type { RegionView } from "./region-view.ts";

const { read: READ, write: WRITE } = RIGHTS;

/** A view over one capability. Internal. */
export class CheckedView implements RegionView {
  readonly #scheduler: Scheduler;
  readonly #handle: number;

  constructor(scheduler: Scheduler, handle: number) {
    this.#scheduler = scheduler;
    this.#handle = handle;
  }

  get byteLength(): number {
    return this.#region(0).bytes.length;
  }

  get sharedMemory(): SharedArrayBuffer | undefined {
    const { memory } = this.#region(READ | WRITE);
    return memory instanceof SharedArrayBuffer ? memory : undefined;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#region(READ).read(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#region(WRITE).write(offset, bytes);
  }

  getUint8(offset: number): number {
    return this.#cells(READ, offset, 1).getUint8(offset);
  }

  setUint8(offset: number, value: number): void {
    this.#cells(WRITE, offset, 1).setUint8(offset, value);
  }

  getInt32(offset: number): number {
    return this.#cells(READ, offset, 4).getInt32(offset, true);
  }

  setInt32(offset: number, value: number): void {
    this.#cells(WRITE, offset, 4).setInt32(offset, value, true);
  }

  getFloat64(offset: number): number {
    return this.#cells(READ, offset, 8).getFloat64(offset, true);
  }

  setFloat64(offset: number, value: number): void {
    this.#cells(WRITE, offset, 8).setFloat64(offset, value, true);
  }

  #region(rights: Rights): Region {
    const { current, seam } = this.#scheduler;
    if (current === null) throw new OutsideTaskError("a region view");
    return seam.authorize(MAP_REGION, current, this.#handle, rights, "region") as Region;
  }

  #cells(rights: Rights, offset: number, length: number): DataView {
    const region = this.#region(rights);
    region.check(offset, length);
    return region.cells;
  }
}
