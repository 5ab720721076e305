/**
 * Files of agents that are being taken out, in the data folder until whoever asked has them.
 *
 * ES1. What lies there is sealed; what a start finds there is left from a node that ended, and removed.
 * ES2. At most {@link EXPORTS_MAX} at a time, each for {@link EXPORT_IDLE_MS} after it was asked for last.
 */
import { mkdirSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { FILE_CHUNK_MAX } from "@glia-os/cells";
import { TooManyTransfersError, UnknownTransferError } from "./errors.ts";

/** Exports at a time. */
export const EXPORTS_MAX = 8;
/** How long an export waits for the next call. */
export const EXPORT_IDLE_MS = 300_000;

interface Shelved {
  readonly path: string;
  readonly file: FileHandle;
  readonly onIdle: () => void;
  timer: TimerHandle | undefined;
}

/** The files. */
export class ExportShelf {
  readonly #folder: string;
  readonly #timers: Timers;
  readonly #files = new Map<string, Shelved>();

  constructor(dataDir: string, timers: Timers) {
    this.#folder = join(dataDir, "exports");
    this.#timers = timers;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Begin a file; `onIdle` when nobody asked for it for too long. @throws {TooManyTransfersError} (ES2) */
  async open(id: string, onIdle: () => void): Promise<void> {
    if (this.#files.size >= EXPORTS_MAX) throw new TooManyTransfersError("exported", EXPORTS_MAX);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, id);
    const file = await open(path, "wx+", 0o600);
    this.#files.set(id, { path, file, onIdle, timer: undefined });
    this.#touch(id);
  }

  /** Add to the end. */
  async append(id: string, bytes: Uint8Array): Promise<void> {
    await this.#of(id).file.appendFile(bytes); // write() may write a part of it only, when the disk is almost full.
  }

  /** Bytes so far. */
  async size(id: string): Promise<number> {
    return (await this.#of(id).file.stat()).size;
  }

  /** Up to 1 MiB from `offset` on; empty at the end. @throws {UnknownTransferError} */
  async read(id: string, offset: number): Promise<Uint8Array> {
    this.#touch(id);
    const { file } = this.#of(id);
    const { bytesRead, buffer } = await file.read(new Uint8Array(FILE_CHUNK_MAX), 0, FILE_CHUNK_MAX, offset);
    return buffer.subarray(0, bytesRead);
  }

  /** Whether a file is there. */
  has(id: string): boolean {
    return this.#files.has(id);
  }

  /** Remove a file. Idempotent. */
  async remove(id: string): Promise<void> {
    const shelved = this.#files.get(id);
    if (shelved === undefined) return;
    this.#files.delete(id);
    shelved.timer?.cancel();
    await shelved.file.close();
    rmSync(shelved.path, { force: true });
  }

  #touch(id: string): void {
    const shelved = this.#of(id);
    shelved.timer?.cancel();
    shelved.timer = this.#timers.schedule(EXPORT_IDLE_MS, shelved.onIdle);
  }

  #of(id: string): Shelved {
    const shelved = this.#files.get(id);
    if (shelved === undefined) throw new UnknownTransferError(id);
    return shelved;
  }
}
