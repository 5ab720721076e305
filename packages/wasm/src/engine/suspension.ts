/**
 * Drives the functions asyncify adds: how a guest is taken off the stack at a blocking call and put back.
 *
 * S1. Between steps the guest's calls lie as frames in its stack memory and nothing of it is on the native stack.
 * S2. The record at {@link STACK_RECORD} holds the end of the frames and the limit; it is written by the host before each
 *     unwinding, so a guest cannot make asyncify write outside its stack memory (a wild value traps in the guest).
 */

import { GuestProtocolError, SnapshotMismatchError } from "../errors.ts";
import { PAGE_BYTES, STACK_EXPORT, STACK_FRAMES, STACK_RECORD } from "../layout.ts";
import type { LinearMemory, Namespace } from "../web-assembly.ts";
import { sized } from "./image.ts";

const UNWINDING = 1;
const REWINDING = 2;
/** So many are copied one by one in less time than it takes to make a view of them. */
const FEW_BYTES = 64;

/** Control over one instance's suspended calls. */
export class Suspension {
  readonly #memory: LinearMemory;
  #viewed: DataView | undefined;
  #bytes: Uint8Array | undefined;
  readonly #exports: Record<string, () => number>;
  readonly #startUnwind: (record: number) => void;
  readonly #startRewind: (record: number) => void;

  constructor(exports: Namespace) {
    this.#memory = exports[STACK_EXPORT] as LinearMemory;
    this.#exports = exports as Record<string, () => number>;
    this.#startUnwind = exports["asyncify_start_unwind"] as (record: number) => void;
    this.#startRewind = exports["asyncify_start_rewind"] as (record: number) => void;
  }

  get unwinding(): boolean {
    return this.#exports["asyncify_get_state"]?.() === UNWINDING;
  }

  /** As {@link unwinding}. A guest whose answer to that traps is taken to say no: a step never throws for it. */
  get saving(): boolean {
    try {
      return this.unwinding;
    } catch {
      return false;
    }
  }

  get rewinding(): boolean {
    return this.#exports["asyncify_get_state"]?.() === REWINDING;
  }

  startUnwind(): void {
    const view = this.#view();
    view.setUint32(STACK_RECORD, STACK_FRAMES, true);
    view.setUint32(STACK_RECORD + 4, this.#memory.buffer.byteLength, true);
    this.#startUnwind(STACK_RECORD);
  }

  stopUnwind(): void {
    this.#exports["asyncify_stop_unwind"]?.();
  }

  startRewind(): void {
    this.#startRewind(STACK_RECORD);
  }

  stopRewind(): void {
    this.#exports["asyncify_stop_rewind"]?.();
  }

  /** A copy of the frames, in `into` when it has their length. */
  frames(into?: Uint8Array): Uint8Array {
    const end = this.#view().getUint32(STACK_RECORD, true);
    if (end < STACK_FRAMES || end > this.#memory.buffer.byteLength)
      throw new GuestProtocolError(`its suspended calls end at byte ${end}`);
    const frames = sized(end - STACK_FRAMES, into);
    this.#bytes ??= new Uint8Array(this.#memory.buffer);
    if (frames.length > FEW_BYTES) frames.set(this.#bytes.subarray(STACK_FRAMES, end));
    else for (let at = 0; at < frames.length; at++) frames[at] = this.#bytes[STACK_FRAMES + at] as number;
    return frames;
  }

  /** Put frames back. @throws SnapshotMismatchError when they do not fit */
  restore(frames: Uint8Array): void {
    const room = this.#memory.buffer.byteLength - STACK_FRAMES;
    if (frames.length > room)
      throw new SnapshotMismatchError("section stack", `${frames.length} bytes`, `at most ${room}`);
    new Uint8Array(this.#memory.buffer, STACK_FRAMES).set(frames);
    const view = this.#view();
    view.setUint32(STACK_RECORD, STACK_FRAMES + frames.length, true);
    view.setUint32(STACK_RECORD + 4, this.#memory.buffer.byteLength, true);
  }

  /** Bytes of the stack memory. */
  get bytes(): number {
    return Math.floor(this.#memory.buffer.byteLength / PAGE_BYTES) * PAGE_BYTES;
  }

  /** The stack memory has a fixed size (admission), so its buffer stays the same. */
  #view(): DataView {
    this.#viewed ??= new DataView(this.#memory.buffer);
    return this.#viewed;
  }
}
