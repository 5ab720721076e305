/**
 * The WebAssembly side of a guest: its memories, exports and imports. A body serves one guest after another of the same program.
 *
 * B1. A guest that starts in a used body finds what it would find in a new one: every page of both memories and every mutable
 *     global. Segments, and the tables of programs whose bodies are used again, cannot change (admission).
 * B2. A body is used again only when its memory has not grown and no other thread has it, its last guest did not fail, no host module is tied to it, and
 *     its program changes no table.
 * B3. Spare bodies are bounded in number and bytes; what is over is left to the garbage collector.
 */
import type { GuestHost, HostModule, InstanceImage } from "@glia-os/abi/ports";
import type { GuestShape } from "../admission.ts";
import type { MemoryRange } from "../barrier/active-data.ts";
import { GuestTrappedError, HostMemoryError } from "../errors.ts";
import type { OpenedModules } from "../host-module/opened.ts";
import { FUEL_MODULE, FUEL_YIELD, PAGE_BYTES, STACK_EXPORT, STACK_PAGES } from "../layout.ts";
import type { Residence } from "../postcopy/residence.ts";
import { clear, SparseImage } from "../sparse-image.ts";
import { type CompiledModule, type LinearMemory, type Namespace, webAssembly } from "../web-assembly.ts";
import { type CallSite, hostCalls, type Resumption } from "./host-calls.ts";
import { encodeGlobals, restoreGlobals, sectionOf } from "./image.ts";
import { Suspension } from "./suspension.ts";
import { encodeTables, restoreTables } from "./tables.ts";
import { trap } from "./trap.ts";

/** A guest as its body calls it. */
export interface Occupant extends CallSite {
  /** The slice is used up. */
  preempted(again: number): void;
}

/** The call site that imports are bound to for good: passes everything on to the guest that is in the body now. */
class Seat implements CallSite {
  occupant: Occupant;
  readonly memory: LinearMemory;

  constructor(occupant: Occupant, memory: LinearMemory) {
    this.occupant = occupant;
    this.memory = memory;
  }
  get host(): GuestHost {
    return this.occupant.host;
  }
  get messageBytes(): number {
    return this.occupant.messageBytes;
  }
  get logBytesLeft(): number {
    return this.occupant.logBytesLeft;
  }
  set logBytesLeft(bytes: number) {
    this.occupant.logBytesLeft = bytes;
  }
  get exiting(): boolean {
    return this.occupant.exiting;
  }
  requireRunning(name: string): void {
    this.occupant.requireRunning(name);
  }
  suspend(op: string, args: readonly number[], at?: string): number {
    return this.occupant.suspend(op, args, at);
  }
  resumed(at: string): Resumption | undefined {
    return this.occupant.resumed(at);
  }
  stopped(error: unknown): void {
    this.occupant.stopped(error);
  }
  charge(fuel: number): void {
    this.occupant.charge(fuel);
  }
  needed(pointer: number, length: number): void {
    this.occupant.needed(pointer, length);
  }
  touched(pointer: number, length: number): void {
    this.occupant.touched(pointer, length);
  }
}

/** What bodies are made from. */
export interface BodyPlan {
  readonly module: CompiledModule;
  readonly shape: GuestShape;
  readonly hostModules: readonly HostModule[];
  /** Set when bodies are made in a memory that a guest's state is in already: what making one overwrites, and is put back. */
  readonly overwritten?: readonly MemoryRange[];
  /** Set for a module with presence checks: the pages of the one guest it is for. */
  readonly residence?: Residence;
}

/** Memories, exports and the seat of whoever is in. */
export class Body {
  readonly memory: LinearMemory;
  readonly exports: Namespace;
  readonly suspension: Suspension;
  /** Pages of memory it was made with, and the most it may have. */
  readonly pages: number;
  readonly maximum: number;
  readonly #seat: Seat;
  readonly #shape: GuestShape;
  #bytes: Uint8Array | undefined;

  /** @throws HostMemoryError, GuestTrappedError when a segment lies outside its memory or table */
  constructor(
    plan: BodyPlan,
    memory: LinearMemory,
    maximum: number,
    occupant: Occupant,
    modules: OpenedModules,
  ) {
    this.pages = memory.buffer.byteLength / PAGE_BYTES;
    this.maximum = maximum;
    this.memory = memory;
    const seat = new Seat(occupant, this.memory);
    this.#seat = seat;
    const imports = hostCalls(seat, plan.shape.imports, plan.hostModules, modules);
    imports[FUEL_MODULE] = { [FUEL_YIELD]: (again: number) => seat.occupant.preempted(again) };
    this.exports = keeping(memory, plan.overwritten ?? [], () => instantiate(plan.module, imports));
    plan.residence?.attach(this.exports, (error) => {
      seat.stopped(error);
      return trap();
    });
    this.suspension = new Suspension(this.exports);
    this.#shape = plan.shape;
  }

  /** What of a suspended guest's state lies here besides memory, as sections of an image; in the bytes of `into` where they fit. */
  registers(into: InstanceImage["sections"] = {}): {
    readonly globals: Uint8Array;
    readonly stack: Uint8Array;
    readonly tables?: Uint8Array;
  } {
    const { globals: cells, tables } = this.#shape;
    const globals = encodeGlobals(this.exports, cells, into["globals"]);
    const stack = this.suspension.frames(into["stack"]);
    return tables.length === 0
      ? { globals, stack }
      : { globals, stack, tables: encodeTables(this.exports, tables) };
  }

  /** Put these sections back. @throws SnapshotMismatchError */
  place(image: Pick<InstanceImage, "sections">): void {
    const { globals, tables } = this.#shape;
    if (tables.length > 0) restoreTables(this.exports, tables, sectionOf(image, "tables"));
    restoreGlobals(this.exports, globals, sectionOf(image, "globals"));
    this.suspension.restore(sectionOf(image, "stack"));
  }

  /** The memory as it is now: a view that growing replaces, and that is kept as long as it holds. */
  get bytes(): Uint8Array {
    const bytes = this.#bytes;
    // A buffer that grew away has no bytes; one that threads share stays, and is too short.
    if (bytes !== undefined && bytes.length > 0 && !(bytes.buffer instanceof SharedArrayBuffer)) return bytes;
    this.#bytes = new Uint8Array(this.memory.buffer);
    return this.#bytes;
  }

  /** Let the next guest in. */
  admit(occupant: Occupant): void {
    this.#seat.occupant = occupant;
  }

  /** Whether memory is as large as when the body was made. */
  get ungrown(): boolean {
    return this.memory.buffer.byteLength === this.pages * PAGE_BYTES;
  }

  /** Whether another thread has its memory, too. */
  get shared(): boolean {
    return isShared(this.memory);
  }

  /** Zero the memory of suspended calls: the last guest's frames are none of the next one's business (B1). */
  clearStack(): void {
    const stack = this.exports[STACK_EXPORT] as LinearMemory | undefined;
    if (stack !== undefined) clear(new Uint8Array(stack.buffer));
  }
}

/** What a new body of a program holds. */
interface Pristine {
  readonly memory: SparseImage;
  readonly globals: Uint8Array;
}

/** Room for spare bodies, shared by the programs of an engine (B3). */
export interface SpareRoom {
  bodies: number;
  bytes: number;
}

/** What a guest asks for. */
export interface BodyRequest {
  readonly pages: number;
  readonly maximum: number;
  readonly occupant: Occupant;
  /** Opened for this guest; with any, the body is a new one. */
  readonly modules: OpenedModules;
  /** A memory that is there already, for a new body. */
  readonly memory: LinearMemory | undefined;
  /** Take whatever is in a used body: all of it will be overwritten. */
  readonly dirty: boolean;
}

/** The spare bodies of one program. */
export class BodyPool {
  readonly #plan: BodyPlan;
  readonly #room: SpareRoom;
  readonly #spare: Body[] = [];
  #pristine: Pristine | undefined;

  constructor(plan: BodyPlan, room: SpareRoom) {
    this.#plan = plan;
    this.#room = room;
  }

  /** A used body when one fits, else a new one. @throws HostMemoryError, GuestTrappedError */
  take({ pages, maximum, occupant, modules, memory, dirty }: BodyRequest): Body {
    const at = modules.none
      ? this.#spare.findIndex((one) => one.pages === pages && one.maximum === maximum)
      : -1;
    const [used] = at < 0 ? [] : this.#spare.splice(at, 1);
    if (used !== undefined) {
      this.#room.bodies += 1;
      this.#room.bytes += pages * PAGE_BYTES;
      used.admit(occupant);
      if (!dirty) this.#renew(used);
      return used;
    }
    const own = memory ?? reserveMemory(pages, maximum);
    const body = new Body(this.#plan, own, maximum, occupant, modules);
    // Bodies in a memory that holds a guest already are for that guest alone.
    if (modules.none && memory === undefined) this.#pristine ??= pristineOf(body, this.#plan.shape.globals);
    return body;
  }

  /** Keep a body whose guest has left in good order, when there is room (B2, B3). */
  give(body: Body, modules: OpenedModules): void {
    const bytes = body.pages * PAGE_BYTES;
    if (
      !modules.none ||
      !body.ungrown ||
      body.shared ||
      this.#pristine === undefined ||
      this.#plan.shape.tables.length > 0
    )
      return;
    if (this.#room.bodies < 1 || this.#room.bytes < bytes) this.#dropOldest();
    if (this.#room.bodies < 1 || this.#room.bytes < bytes) return;
    body.admit(NOBODY);
    body.clearStack();
    this.#room.bodies -= 1;
    this.#room.bytes -= bytes;
    this.#spare.push(body);
  }

  /** Limits may have changed: a body that was not asked for gives way to one that just was. */
  #dropOldest(): void {
    const dropped = this.#spare.shift();
    if (dropped === undefined) return;
    this.#room.bodies += 1;
    this.#room.bytes += dropped.pages * PAGE_BYTES;
  }

  #renew(body: Body): void {
    const { memory, globals } = this.#pristine as Pristine;
    memory.fill(new Uint8Array(body.memory.buffer));
    restoreGlobals(body.exports, this.#plan.shape.globals, globals);
  }
}

/** Nobody is in a spare body, and none of its code runs. */
const NOBODY = undefined as unknown as Occupant;

/** Room for as many spare bodies of up to `bytes` together. */
export function spareRoom(bodies: number, bytes: number): SpareRoom {
  return { bodies, bytes };
}

function pristineOf(body: Body, globals: GuestShape["globals"]): Pristine {
  const memory = SparseImage.copyOf(new Uint8Array(body.memory.buffer));
  return { memory, globals: encodeGlobals(body.exports, globals) };
}

/** Do `perform`, then put back what lay in `ranges` before. */
function keeping<T>(memory: LinearMemory, ranges: readonly MemoryRange[], perform: () => T): T {
  const before = new Uint8Array(memory.buffer);
  const inside = ranges.filter(({ at, length }) => at + length <= before.length);
  const kept = inside.map(({ at, length }) => before.slice(at, at + length));
  try {
    return perform();
  } finally {
    const bytes = new Uint8Array(memory.buffer);
    for (const [index, { at }] of inside.entries()) bytes.set(kept[index] as Uint8Array, at);
  }
}

/** Whether a memory can be posted to another thread. */
export function isShared({ buffer }: LinearMemory): boolean {
  return (buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
}

/** A new memory of zeros. @throws HostMemoryError */
export function reserveMemory(initial: number, maximum: number, shared = false): LinearMemory {
  try {
    return new webAssembly.Memory({ initial, maximum, shared });
  } catch (cause) {
    throw new HostMemoryError(initial, cause);
  }
}

function instantiate(module: CompiledModule, imports: Record<string, Namespace>): Namespace {
  try {
    return new webAssembly.Instance(module, imports).exports;
  } catch (cause) {
    // A data or element segment that lies outside traps here; address space for the stack memory may also be short.
    throw cause instanceof RangeError
      ? new HostMemoryError(STACK_PAGES, cause)
      : new GuestTrappedError(cause);
  }
}

let noMemory: LinearMemory | undefined;

/** The memory of guests that have none any more. */
export function emptyMemory(): LinearMemory {
  noMemory ??= reserveMemory(0, 0);
  return noMemory;
}
