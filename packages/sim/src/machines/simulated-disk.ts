/**
 * A disk that keeps its promises to the letter and no further.
 *
 * SD1. What was flushed survives a crash, bit rot apart. A file's making and its name are durable when `create` returns.
 * SD2. Of what was not flushed, a crash keeps any part of the 512-byte sectors, drawn from the seed: lost, torn and reordered writes.
 * SD3. While an error is set, writes, flushes and makings fail with its code. After a failed flush the writes before it may be lost,
 *      and a later flush does not bring them back.
 * SD4. At most {@link DISK_BYTES_MAX} in all files; more is ENOSPC.
 */
import type { Random } from "@glia-os/abi/ports";
import { DiskFailureError } from "../errors.ts";

/** Writes reach the disk in units of this many bytes. */
export const SECTOR_BYTES = 512;
/** Bytes of one disk. */
export const DISK_BYTES_MAX = 268_435_456;

/** Why a call of a disk fails. */
export type DiskCode = "EIO" | "ENOSPC" | "ENOENT" | "EEXIST";

interface Stored {
  durable: Uint8Array;
  /** Written and not flushed, oldest first. */
  unflushed: { readonly at: number; readonly bytes: Uint8Array }[];
}

/** One open file. */
export interface SimulatedFile {
  readonly size: number;
  read(at: number, length: number): Uint8Array;
  /** Write inside the file or at its end, which makes it longer. */
  write(at: number, bytes: Uint8Array): void;
  sync(): void;
  close(): void;
}

/** The files of one machine. Synchronous. Fits the file journal of `@glia-os/store`. */
export class SimulatedDisk {
  readonly #files = new Map<string, Stored>();
  readonly #random: Random;
  #bytes = 0;
  /** What every writing call fails with, from now on. */
  error: "EIO" | "ENOSPC" | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Names of all files, in the order they were made. */
  list(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** @throws {DiskFailureError} ENOENT. */
  open(name: string): SimulatedFile {
    const stored = this.#files.get(name);
    if (stored === undefined) throw new DiskFailureError("open", "ENOENT");
    return this.#file(stored);
  }

  /** A new file of `bytes` zeros (SD1). @throws {DiskFailureError} EEXIST, ENOSPC, EIO. */
  create(name: string, bytes = 0): SimulatedFile {
    this.#fail("create");
    if (this.#files.has(name)) throw new DiskFailureError("create", "EEXIST");
    this.#take("create", bytes);
    const stored: Stored = { durable: new Uint8Array(bytes), unflushed: [] };
    this.#files.set(name, stored);
    return this.#file(stored);
  }

  /** Remove a file, at once and for good. */
  remove(name: string): void {
    this.#fail("remove");
    this.#bytes -= this.#files.get(name)?.durable.length ?? 0;
    this.#files.delete(name);
  }

  /** The machine stops: SD2 happens to every file. */
  crash(): void {
    for (const stored of this.#files.values()) {
      for (const { at, bytes } of stored.unflushed.splice(0)) this.#tear(stored, at, bytes);
    }
  }

  /** Change one bit of one file; whether there was one to change. */
  rot(): boolean {
    const filled = [...this.#files.values()].filter(({ durable }) => durable.length > 0);
    const stored = filled[this.#random.uint32() % Math.max(1, filled.length)];
    if (stored === undefined) return false;
    const bit = this.#random.uint32() % (8 * stored.durable.length);
    const byte = bit >>> 3;
    stored.durable[byte] = (stored.durable[byte] as number) ^ (1 << (bit & 7));
    return true;
  }

  /** An empty disk: the machine remembers nothing. */
  wipe(): void {
    this.#files.clear();
    this.#bytes = 0;
  }

  #file(stored: Stored): SimulatedFile {
    return {
      get size() {
        return sizeOf(stored);
      },
      read: (at, length) => contents(stored).slice(at, at + length),
      write: (at, bytes) => this.#write(stored, at, bytes),
      sync: () => this.#sync(stored),
      close: () => undefined,
    };
  }

  #write(stored: Stored, at: number, bytes: Uint8Array): void {
    this.#fail("write");
    this.#take("write", Math.max(0, at + bytes.length - sizeOf(stored)));
    stored.unflushed.push({ at, bytes: bytes.slice() });
  }

  #sync(stored: Stored): void {
    if (this.error !== undefined) {
      // The page is marked clean although it did not reach the disk.
      for (const { at, bytes } of stored.unflushed.splice(0)) this.#tear(stored, at, bytes);
      this.#fail("sync");
    }
    stored.durable = contents(stored);
    stored.unflushed.length = 0;
  }

  #tear(stored: Stored, at: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const length = Math.min(SECTOR_BYTES - ((at + from) % SECTOR_BYTES), bytes.length - from);
      if ((this.#random.uint32() & 1) === 1)
        stored.durable = put(stored.durable, at + from, bytes.subarray(from, from + length));
      from += length;
    }
  }

  #take(call: string, bytes: number): void {
    if (this.#bytes + bytes > DISK_BYTES_MAX) throw new DiskFailureError(call, "ENOSPC");
    this.#bytes += bytes;
  }

  #fail(call: string): void {
    if (this.error !== undefined) throw new DiskFailureError(call, this.error);
  }
}

function sizeOf({ durable, unflushed }: Stored): number {
  return unflushed.reduce((size, { at, bytes }) => Math.max(size, at + bytes.length), durable.length);
}

/** What a running program reads: flushed or not. */
function contents(stored: Stored): Uint8Array {
  return stored.unflushed.reduce((all, { at, bytes }) => put(all, at, bytes), stored.durable);
}

function put(target: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.max(target.length, at + bytes.length));
  result.set(target);
  result.set(bytes, at);
  return result;
}
