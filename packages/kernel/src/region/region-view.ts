/** What a task sees of a region it has mapped (`checked-view.ts`). */

/** Checked access to the memory of a region. Offsets and lengths in bytes. Each method fails as RV1 says and outside the region. */
export interface RegionView {
  /** Size of the region in bytes. */
  readonly byteLength: number;
  /** The memory itself, for another thread: only of a shared region, and only with both rights. It outlives every revocation. */
  readonly sharedMemory: SharedArrayBuffer | undefined;
  /** A copy of bytes. */
  read(offset: number, length: number): Uint8Array;
  /** Copy bytes in. */
  write(offset: number, bytes: Uint8Array): void;
  getUint8(offset: number): number;
  setUint8(offset: number, value: number): void;
  getInt32(offset: number): number;
  setInt32(offset: number, value: number): void;
  getFloat64(offset: number): number;
  setFloat64(offset: number, value: number): void;
}
