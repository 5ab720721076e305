/**
 * Every capability of a kernel: who holds it, what it names, which rights it has and what it was derived from.
 *
 * C1. A handle is valid only in the hands of the task it was made for. Nothing else a program can write down is one.
 * C2. A derived capability has no right its parent lacks.
 * C3. Revoking a capability ends everything derived from it, directly or not, and not itself.
 * C4. A handle that ended never becomes valid again (index and generation; `slot-id.ts`).
 * C5. A task that waits to receive or to send and loses its last right to do so is told (`lost`).
 * C6. Dropping a capability hands its children to its own parent, so a revocation further up still reaches them.
 *
 * The derivation forest is that of seL4's capability derivation tree, kept as indices in flat arrays: 56 bytes per capability, of
 * which the garbage collector looks at 16.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { CapabilitySpaceFullError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import {
  GENERATION_LIMIT as GENERATION_LIMIT_,
  generationOf,
  INDEX_LIMIT as INDEX_LIMIT_,
  INDEX_MASK as INDEX_MASK_,
} from "./slot-id.ts";
import type { Task, TaskList } from "./task.ts";

// Constants of this module: the engine folds them, which it does not do with what a module imports or exports.
const INDEX_MASK = INDEX_MASK_;
const INDEX_LIMIT = INDEX_LIMIT_;
const GENERATION_LIMIT = GENERATION_LIMIT_;

/** The kinds of objects a capability can name. */
export type ObjectKind =
  | "mailbox"
  | "notification"
  | "resource"
  | "channel"
  | "endpoint"
  | "leased-mailbox"
  | "region"
  | "task"
  | "tool"
  | "http"
  | "files"
  | "model"
  | "approver";

/** What a capability can name. */
export interface KernelObject {
  readonly kind: ObjectKind;
  /** Capabilities with the right to receive; of a resource, all. At 0 nobody can ever receive from the object again. */
  receivers: number;
  /** Who waits to receive. */
  readonly takers: TaskList;
  /** Hears of each task that can receive from the object no longer. */
  abandoned?(owner: Task): void;
}

/** Who hears of capabilities that ended. */
export interface CapabilityEvents {
  /** A task lost a capability to an object. */
  lost(owner: Task, object: KernelObject): void;
  /** Nobody can receive from an object any more. */
  orphaned(object: KernelObject): void;
}

/** Facts of one capability, for people. */
export interface CapabilityFacts {
  readonly handle: number;
  readonly kind: string;
  readonly rights: Rights;
  readonly object: KernelObject;
}

const NONE = -1;
/** Words of a capability in `#words`: its rights and its places in the list of siblings and in the list of its owner's handles. */
const STRIDE = 8;
const RIGHTS_AT = 0;
const PARENT = 1;
const CHILD = 2;
const NEXT = 3;
const PREV = 4;
const OWNED_NEXT = 5;
const OWNED_PREV = 6;
const INITIAL_ROOM = 64;
const RIGHT_RECEIVE = RIGHTS.receive;

/** The capability spaces of all tasks. */
export class CapabilityTable {
  /** Capabilities that live. */
  live = 0;
  readonly #limit: number;
  readonly #generations: number;
  readonly #events: CapabilityEvents;
  readonly #free: number[] = [];
  /** Indices ever used. */
  #used = 0;
  #ids: Float64Array = new Float64Array(INITIAL_ROOM);
  #words: Int32Array = new Int32Array(INITIAL_ROOM * STRIDE);
  readonly #owners: (Task | null)[] = [];
  readonly #objects: (KernelObject | null)[] = [];

  /** `limit` handles per task; `events` hears of lost rights. */
  constructor(limit: number, events: CapabilityEvents, generations: number = GENERATION_LIMIT) {
    this.#limit = limit;
    this.#events = events;
    this.#generations = generations;
  }

  /** The object behind a handle, or null when the handle is not alive in `owner`'s hands or lacks a right. O(1). */
  find(handle: number, owner: Task, rights: Rights): KernelObject | null {
    const index = handle & INDEX_MASK;
    if (index >= this.#used || this.#ids[index] !== handle || this.#owners[index] !== owner) return null;
    return (this.#words[index * STRIDE]! & rights) === rights ? this.#objects[index]! : null;
  }

  /** The rights behind a handle, or null when it is not alive in `owner`'s hands. */
  rightsOf(handle: number, owner: Task): Rights | null {
    const index = handle & INDEX_MASK;
    return this.#ids[index] === handle && this.#owners[index] === owner ? this.#words[index * STRIDE]! : null;
  }

  /** Whether a task holds a capability to an object with these rights. O(its handles). */
  holds(owner: Task, object: KernelObject, rights: Rights): boolean {
    for (let i = owner.firstHandle; i !== NONE; i = this.#words[i * STRIDE + OWNED_NEXT]!)
      if (this.#objects[i] === object && (this.#words[i * STRIDE + RIGHTS_AT]! & rights) === rights)
        return true;
    return false;
  }

  /** A capability to a new object. @throws {CapabilitySpaceFullError} */
  mint(owner: Task, object: KernelObject, rights: Rights): Handle {
    return this.#insert(owner, object, rights, NONE);
  }

  /** A capability derived from a live one, with the rights both sets have (C2). @throws {CapabilitySpaceFullError} */
  derive(source: number, owner: Task, rights: Rights): Handle {
    const parent = source & INDEX_MASK;
    return this.#insert(
      owner,
      this.#objects[parent]!,
      this.#words[parent * STRIDE + RIGHTS_AT]! & rights,
      parent,
    );
  }

  /** As `derive`, for an object that stands for the one behind `source`. @throws {CapabilitySpaceFullError} */
  deriveAs(source: number, owner: Task, rights: Rights, object: KernelObject): Handle {
    const parent = source & INDEX_MASK;
    return this.#insert(owner, object, this.#words[parent * STRIDE + RIGHTS_AT]! & rights, parent);
  }

  /** End everything derived from a live capability (C3). Returns how many ended. O(number ended). */
  revoke(source: number): number {
    const doomed: number[] = [];
    const open = [source & INDEX_MASK];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      for (
        let child = this.#words[index * STRIDE + CHILD]!;
        child !== NONE;
        child = this.#words[child * STRIDE + NEXT]!
      ) {
        doomed.push(child);
        open.push(child);
      }
    }
    for (const index of doomed) this.#words[index * STRIDE + CHILD] = NONE;
    this.#words[(source & INDEX_MASK) * STRIDE + CHILD] = NONE;
    for (const index of doomed) this.#words[index * STRIDE + PARENT] = NONE;
    for (const index of doomed) this.#remove(index);
    return doomed.length;
  }

  /** End one live capability (C6). O(its children). */
  drop(handle: number): void {
    const index = handle & INDEX_MASK;
    const parent = this.#words[index * STRIDE + PARENT]!;
    for (let child = this.#words[index * STRIDE + CHILD]!; child !== NONE; ) {
      const next = this.#words[child * STRIDE + NEXT]!;
      this.#words[child * STRIDE + PARENT] = NONE;
      if (parent !== NONE) this.#adopt(child, parent);
      child = next;
    }
    this.#words[index * STRIDE + CHILD] = NONE;
    this.#disown(index);
    this.#remove(index);
  }

  /** End all capabilities of a task. */
  dropAll(owner: Task): void {
    while (owner.firstHandle !== NONE) this.drop(this.#ids[owner.firstHandle]!);
  }

  /** The capabilities of a task, newest first. */
  list(owner: Task): readonly CapabilityFacts[] {
    const found: CapabilityFacts[] = [];
    for (let i = owner.firstHandle; i !== NONE; i = this.#words[i * STRIDE + OWNED_NEXT]!) {
      const object = this.#objects[i]!;
      found.push({
        handle: this.#ids[i]!,
        kind: object.kind,
        rights: this.#words[i * STRIDE + RIGHTS_AT]!,
        object,
      });
    }
    return found;
  }

  #insert(owner: Task, object: KernelObject, rights: Rights, parent: number): Handle {
    if (owner.handles >= this.#limit) throw new CapabilitySpaceFullError(owner.id, this.#limit);
    let index = this.#free.pop();
    if (index === undefined) {
      index = this.#used;
      if (index >= INDEX_LIMIT) throw new CapabilitySpaceFullError(owner.id, owner.handles);
      if (index === this.#ids.length) this.#grow();
      this.#used++;
      this.#ids[index] = INDEX_LIMIT + index;
    }
    this.#owners[index] = owner;
    this.#objects[index] = object;
    const words = this.#words;
    const at = index * STRIDE;
    const first = owner.firstHandle;
    words[at + RIGHTS_AT] = rights;
    words[at + PARENT] = NONE;
    words[at + CHILD] = NONE;
    words[at + NEXT] = NONE;
    words[at + PREV] = NONE;
    words[at + OWNED_NEXT] = first;
    words[at + OWNED_PREV] = NONE;
    if (first !== NONE) words[first * STRIDE + OWNED_PREV] = index;
    if (parent !== NONE) this.#adopt(index, parent);
    owner.firstHandle = index;
    owner.handles++;
    this.live++;
    if ((rights & RIGHT_RECEIVE) !== 0 || object.kind === "resource") object.receivers++;
    return this.#ids[index]! as Handle;
  }

  #grow(): void {
    const room = Math.min(this.#ids.length * 2, INDEX_LIMIT);
    const ids = new Float64Array(room);
    ids.set(this.#ids);
    const words = new Int32Array(room * STRIDE);
    words.set(this.#words);
    this.#ids = ids;
    this.#words = words;
  }

  #adopt(index: number, parent: number): void {
    const first = this.#words[parent * STRIDE + CHILD]!;
    this.#words[index * STRIDE + PARENT] = parent;
    this.#words[index * STRIDE + PREV] = NONE;
    this.#words[index * STRIDE + NEXT] = first;
    if (first !== NONE) this.#words[first * STRIDE + PREV] = index;
    this.#words[parent * STRIDE + CHILD] = index;
  }

  /** Take a capability out of its parent's list of children. */
  #disown(index: number): void {
    const parent = this.#words[index * STRIDE + PARENT]!;
    if (parent === NONE) return;
    const next = this.#words[index * STRIDE + NEXT]!;
    const prev = this.#words[index * STRIDE + PREV]!;
    if (prev === NONE) this.#words[parent * STRIDE + CHILD] = next;
    else this.#words[prev * STRIDE + NEXT] = next;
    if (next !== NONE) this.#words[next * STRIDE + PREV] = prev;
    this.#words[index * STRIDE + PARENT] = NONE;
  }

  /** Free a capability that stands in no derivation list any more. */
  #remove(index: number): void {
    const owner = this.#owners[index]!;
    const next = this.#words[index * STRIDE + OWNED_NEXT]!;
    const prev = this.#words[index * STRIDE + OWNED_PREV]!;
    if (prev === NONE) owner.firstHandle = next;
    else this.#words[prev * STRIDE + OWNED_NEXT] = next;
    if (next !== NONE) this.#words[next * STRIDE + OWNED_PREV] = prev;
    owner.handles--;
    const object = this.#objects[index]!;
    const received = (this.#words[index * STRIDE + RIGHTS_AT]! & RIGHT_RECEIVE) !== 0;
    this.#owners[index] = null;
    this.#objects[index] = null;
    this.live--;
    const id = this.#ids[index]!;
    if (generationOf(id) >= this.#generations) this.#ids[index] = 0;
    else {
      this.#ids[index] = id + INDEX_LIMIT;
      this.#free.push(index);
    }
    const counted = received || object.kind === "resource";
    if (counted) object.receivers--;
    this.#events.lost(owner, object);
    if (counted && object.receivers === 0) this.#events.orphaned(object);
  }
}
