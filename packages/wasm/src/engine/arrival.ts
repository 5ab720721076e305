/**
 * A guest that arrives page by page: its memory is there before the rest of its state is.
 *
 * AV1. The memory is all zeros at first, at the size asked for, and grows to no more than the limits and the module allow.
 * AV2. A guest without host modules is instantiated now, so that only frames and globals are missing at the end. Host modules are
 *      opened with their state, so with them it is instantiated at the end, and what that writes to memory is put back.
 */
import type { EngineLimits, GuestHost, InstanceImage } from "@glia-os/abi/ports";
import { activeData } from "../barrier/active-data.ts";
import { readOutline } from "../binary/outline.ts";
import { InstanceEndedError, MemoryLimitError, SnapshotMismatchError } from "../errors.ts";
import { PAGE_BYTES } from "../layout.ts";
import type { PostCopyHandover } from "../postcopy/arrival-state.ts";
import { Residence } from "../postcopy/residence.ts";
import type { Presence } from "../presence/variants.ts";
import type { LinearMemory } from "../web-assembly.ts";
import { type BodyPlan, BodyPool, reserveMemory, spareRoom } from "./body.ts";
import { WasmInstance } from "./instance.ts";
import type { Program } from "./program.ts";

/** Room for one guest. */
export interface Arrival {
  /** The guest's memory so far. */
  readonly memory: Uint8Array;
  /** Make room for more pages of 64 KiB, as zeros; fewer than there are change nothing. @throws MemoryLimitError, SnapshotMismatchError */
  grow(pages: number): void;
  /** The guest, with all of its state but memory from the image. @throws as restoring a snapshot */
  complete(image: InstanceImage): WasmInstance;
  /** Give the memory up. Nothing after `complete`. Idempotent. */
  dispose(): void;
}

/** What of a program an arrival needs. */
export interface ArrivalPlan {
  readonly program: Program;
  readonly plan: BodyPlan;
  readonly bytes: Uint8Array;
}

/** @throws MemoryLimitError, SnapshotMismatchError, HostMemoryError, UnsupportedFeatureError */
export function arrivalOf(
  { program, plan, bytes }: ArrivalPlan,
  number: number,
  pages: number,
  limits: EngineLimits,
  host: GuestHost,
): Arrival {
  requireRoom(program, pages, limits);
  const { shape, hostModules } = program;
  const room = (wanted: number): void => requireRoom(program, wanted, limits);
  const alone = shape.imports.every(({ module }) => !hostModules.some(({ name }) => name === module));
  const filled = { ...plan, overwritten: activeData(bytes, readOutline(bytes)) };
  const late = { ...program, bodies: new BodyPool(filled, spareRoom(0, 0)) };
  const memory = reserveMemory(pages, Math.min(shape.memory.maximum, limits.memoryPages));
  // What instantiating writes is put back: a new memory is zeros without being looked at.
  const ready = alone ? new WasmInstance(late, number, limits, host, memory) : undefined;
  const complete = (image: InstanceImage): WasmInstance =>
    WasmInstance.restored(late, number, image, limits, host, ready ?? memory);
  return new Arriving(memory, ready, complete, room);
}

/** A memory that threads share, of so many pages: `room` grown to them, or a new one. @throws MemoryLimitError, SnapshotMismatchError, HostMemoryError */
export function sharedRoom(
  { shape }: Pick<Program, "shape">,
  pages: number,
  limits: EngineLimits,
  room?: LinearMemory,
): LinearMemory {
  requireRoom({ shape }, pages, limits);
  if (room === undefined)
    return reserveMemory(pages, Math.min(shape.memory.maximum, limits.memoryPages), true);
  const more = pages - room.buffer.byteLength / PAGE_BYTES;
  if (more > 0) room.grow(more);
  return room;
}

/** A guest that was handed over by post-copy, in the memory its pages come to. @throws as restoring a snapshot */
export function postCopied(
  program: Program,
  number: number,
  presence: Presence,
  handover: PostCopyHandover,
  limits: EngineLimits,
  host: GuestHost,
): WasmInstance {
  if (presence.hash !== program.hash)
    throw new SnapshotMismatchError("the module with presence checks", presence.hash, program.hash);
  const { memory, image } = handover;
  requireRoom(program, memory.buffer.byteLength / PAGE_BYTES, limits);
  const residence = new Residence(handover, limits.stepMs);
  const bodies = new BodyPool({ ...presence.checked, residence }, spareRoom(0, 0));
  const sections = { ...image.sections, memory: new Uint8Array(memory.buffer) };
  return WasmInstance.restored(
    { ...program, bodies, arriving: { residence, settled: presence.plain } },
    number,
    { ...image, sections },
    limits,
    host,
    memory,
  );
}

function requireRoom({ shape }: Pick<Program, "shape">, pages: number, limits: EngineLimits): void {
  const { minimum, maximum } = shape.memory;
  if (!Number.isInteger(pages) || pages < minimum || pages > maximum)
    throw new SnapshotMismatchError("its memory", `${pages} pages`, `${minimum} to ${maximum}`);
  if (pages > limits.memoryPages) throw new MemoryLimitError(pages, limits.memoryPages);
}

class Arriving implements Arrival {
  #memory: LinearMemory | undefined;
  #instance: WasmInstance | undefined;
  readonly #restore: (image: InstanceImage) => WasmInstance;
  readonly #requireRoom: (pages: number) => void;

  constructor(
    memory: LinearMemory,
    instance: WasmInstance | undefined,
    restore: (image: InstanceImage) => WasmInstance,
    requireRoom: (pages: number) => void,
  ) {
    this.#memory = memory;
    this.#instance = instance;
    this.#restore = restore;
    this.#requireRoom = requireRoom;
  }

  get memory(): Uint8Array {
    return new Uint8Array(this.#here().buffer);
  }

  grow(pages: number): void {
    const memory = this.#here();
    const more = pages - memory.buffer.byteLength / PAGE_BYTES;
    if (more <= 0) return;
    this.#requireRoom(pages);
    memory.grow(more);
  }

  complete(image: InstanceImage): WasmInstance {
    const memory = this.memory;
    const instance = this.#instance;
    this.#memory = undefined;
    this.#instance = undefined;
    try {
      return this.#restore({ ...image, sections: { ...image.sections, memory } });
    } catch (error) {
      instance?.dispose();
      throw error;
    }
  }

  dispose(): void {
    this.#memory = undefined;
    this.#instance?.dispose();
    this.#instance = undefined;
  }

  #here(): LinearMemory {
    if (this.#memory === undefined) throw new InstanceEndedError("been disposed");
    return this.#memory;
  }
}
