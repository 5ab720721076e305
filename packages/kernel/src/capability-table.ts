/**
 * Every capability of a kernel: who holds it, what it names, which rights it has and what it was derived from.
 *
 * C1. A handle is valid only in the hands of the task it was made for. Nothing else a program can write down is one.
 * C2. A derived capability has no right its parent lacks.
 * C3. Revoking a capability ends everything derived from it, directly or not, and not itself.
 * C4. A handle that ended never becomes valid again (index and generation; `slot-table.ts`).
 * C5. A task that waits to receive and loses its last right to do so is told (`lost`).
 * C6. Dropping a capability hands its children to its own parent, so a revocation further up still reaches them.
 *
 * The derivation forest is that of seL4's capability derivation tree, kept as parallel arrays of indices.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { CapabilitySpaceFullError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { GENERATION_LIMIT, generationOf, INDEX_LIMIT, INDEX_MASK } from "./slot-table.ts";
import type { Task, TaskList } from "./task.ts";

/** What a capability can name. */
export interface KernelObject {
  readonly kind: "mailbox" | "notification";
  /** Capabilities with the right to receive. At 0 nobody can ever receive from the object again. */
  receivers: number;
  /** Who waits to receive. */
  readonly takers: TaskList;
}

/** Who hears of capabilities that ended. */
export interface CapabilityEvents {
  /** A task lost a capability with the right to receive from an object. */
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

/** The capability spaces of all tasks. */
export class CapabilityTable {
  /** Capabilities that live. */
  live = 0;
  readonly #limit: number;
  readonly #generations: number;
  readonly #events: CapabilityEvents;
  readonly #free: number[] = [];
  readonly #ids: number[] = [];
  readonly #owners: (Task | null)[] = [];
  readonly #objects: (KernelObject | null)[] = [];
  readonly #rights: Rights[] = [];
  readonly #parents: number[] = [];
  readonly #children: number[] = [];
  readonly #siblingsNext: number[] = [];
  readonly #siblingsPrev: number[] = [];
  readonly #ownedNext: number[] = [];
  readonly #ownedPrev: number[] = [];

  /** `limit` handles per task; `events` hears of lost rights to receive. */
  constructor(limit: number, events: CapabilityEvents, generations: number = GENERATION_LIMIT) {
    this.#limit = limit;
    this.#events = events;
    this.#generations = generations;
  }

  /** The object behind a handle, or null when the handle is not alive in `owner`'s hands or lacks a right. O(1). */
  find(handle: number, owner: Task, rights: Rights): KernelObject | null {
    const index = handle & INDEX_MASK;
    if (this.#ids[index] !== handle || this.#owners[index] !== owner) return null;
    return (this.#rights[index]! & rights) === rights ? this.#objects[index]! : null;
  }

  /** The rights behind a handle, or null when it is not alive in `owner`'s hands. */
  rightsOf(handle: number, owner: Task): Rights | null {
    const index = handle & INDEX_MASK;
    return this.#ids[index] === handle && this.#owners[index] === owner ? this.#rights[index]! : null;
  }

  /** Whether a task holds a capability to an object with these rights. O(its handles). */
  holds(owner: Task, object: KernelObject, rights: Rights): boolean {
    for (let i = owner.firstHandle; i !== NONE; i = this.#ownedNext[i]!)
      if (this.#objects[i] === object && (this.#rights[i]! & rights) === rights) return true;
    return false;
  }

  /** A capability to a new object. @throws {CapabilitySpaceFullError} */
  mint(owner: Task, object: KernelObject, rights: Rights): Handle {
    return this.#insert(owner, object, rights, NONE);
  }

  /** A capability derived from a live one, with the rights both sets have (C2). @throws {CapabilitySpaceFullError} */
  derive(source: number, owner: Task, rights: Rights): Handle {
    const parent = source & INDEX_MASK;
    return this.#insert(owner, this.#objects[parent]!, this.#rights[parent]! & rights, parent);
  }

  /** End everything derived from a live capability (C3). Returns how many ended. O(number ended). */
  revoke(source: number): number {
    const doomed: number[] = [];
    const open = [source & INDEX_MASK];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      for (let child = this.#children[index]!; child !== NONE; child = this.#siblingsNext[child]!) {
        doomed.push(child);
        open.push(child);
      }
    }
    for (const index of doomed) this.#children[index] = NONE;
    this.#children[source & INDEX_MASK] = NONE;
    for (const index of doomed) this.#parents[index] = NONE;
    for (const index of doomed) this.#remove(index);
    return doomed.length;
  }

  /** End one live capability (C6). O(its children). */
  drop(handle: number): void {
    const index = handle & INDEX_MASK;
    const parent = this.#parents[index]!;
    for (let child = this.#children[index]!; child !== NONE; ) {
      const next = this.#siblingsNext[child]!;
      this.#parents[child] = NONE;
      if (parent !== NONE) this.#adopt(child, parent);
      child = next;
    }
    this.#children[index] = NONE;
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
    for (let i = owner.firstHandle; i !== NONE; i = this.#ownedNext[i]!) {
      const object = this.#objects[i]!;
      found.push({ handle: this.#ids[i]!, kind: object.kind, rights: this.#rights[i]!, object });
    }
    return found;
  }

  #insert(owner: Task, object: KernelObject, rights: Rights, parent: number): Handle {
    if (owner.handles >= this.#limit) throw new CapabilitySpaceFullError(owner.id, this.#limit);
    let index = this.#free.pop();
    if (index === undefined) {
      index = this.#ids.length;
      if (index >= INDEX_LIMIT) throw new CapabilitySpaceFullError(owner.id, owner.handles);
      this.#ids.push(INDEX_LIMIT + index);
    }
    this.#owners[index] = owner;
    this.#objects[index] = object;
    this.#rights[index] = rights;
    this.#children[index] = NONE;
    this.#parents[index] = NONE;
    this.#siblingsNext[index] = NONE;
    this.#siblingsPrev[index] = NONE;
    if (parent !== NONE) this.#adopt(index, parent);
    this.#ownedNext[index] = owner.firstHandle;
    this.#ownedPrev[index] = NONE;
    if (owner.firstHandle !== NONE) this.#ownedPrev[owner.firstHandle] = index;
    owner.firstHandle = index;
    owner.handles++;
    this.live++;
    if ((rights & RIGHTS.receive) !== 0) object.receivers++;
    return this.#ids[index]! as Handle;
  }

  #adopt(index: number, parent: number): void {
    const first = this.#children[parent]!;
    this.#parents[index] = parent;
    this.#siblingsPrev[index] = NONE;
    this.#siblingsNext[index] = first;
    if (first !== NONE) this.#siblingsPrev[first] = index;
    this.#children[parent] = index;
  }

  /** Take a capability out of its parent's list of children. */
  #disown(index: number): void {
    const parent = this.#parents[index]!;
    if (parent === NONE) return;
    const next = this.#siblingsNext[index]!;
    const prev = this.#siblingsPrev[index]!;
    if (prev === NONE) this.#children[parent] = next;
    else this.#siblingsNext[prev] = next;
    if (next !== NONE) this.#siblingsPrev[next] = prev;
    this.#parents[index] = NONE;
  }

  /** Free a capability that stands in no derivation list any more. */
  #remove(index: number): void {
    const owner = this.#owners[index]!;
    const next = this.#ownedNext[index]!;
    const prev = this.#ownedPrev[index]!;
    if (prev === NONE) owner.firstHandle = next;
    else this.#ownedNext[prev] = next;
    if (next !== NONE) this.#ownedPrev[next] = prev;
    owner.handles--;
    const object = this.#objects[index]!;
    const received = (this.#rights[index]! & RIGHTS.receive) !== 0;
    this.#owners[index] = null;
    this.#objects[index] = null;
    this.live--;
    const id = this.#ids[index]!;
    if (generationOf(id) >= this.#generations) this.#ids[index] = 0;
    else {
      this.#ids[index] = id + INDEX_LIMIT;
      this.#free.push(index);
    }
    if (!received) return;
    object.receivers--;
    this.#events.lost(owner, object);
    if (object.receivers === 0) this.#events.orphaned(object);
  }
}
