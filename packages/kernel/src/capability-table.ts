/**
 * Every capability of a kernel: who holds it, what it names, which rights it has and what it was derived from.
 *
 * C1. A handle is valid only in the hands of the task it was made for. Nothing else a program can write down is one.
 * C2. A derived capability has no right its parent lacks.
 * C3. Revoking a capability ends everything derived from it, directly or not, and not itself.
 * C4. A handle that ended never becomes valid again (index and generation; `slot-id.ts`).
 * C5. A task that waits to receive or to send and loses its last right to do so is told (`lost`).
 * C6. Dropping a capability hands its children to its own parent, so a revocation further up still reaches them.
 * C7. Handles are small integers of the engine as long as that costs little: an index whose generations leave that range is used again
 *     only when the table has {@link SPREAD} indices. A handle beyond is right, and slower: a box is made for it.
 *
 * The derivation forest is that of seL4's capability derivation tree, kept as indices in flat arrays: 44 bytes per capability, of
 * which the garbage collector looks at 8. What `find` compares lies side by side, apart from the tree. Its owner is a number there: a
 * reference from a table as old as the kernel to a task just made would be one more for the collector to remember.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { CapabilitySpaceFullError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { checkRights } from "./options.ts";
import {
  GENERATION_LIMIT as GENERATION_LIMIT_,
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
  /** The live task whose id has this index, or the shell for -1. */
  taskAt(index: number): Task;
}

/** Facts of one capability, for people. */
export interface CapabilityFacts {
  readonly handle: number;
  readonly kind: string;
  readonly rights: Rights;
  readonly object: KernelObject;
}

const NONE = -1;
const SHELL = -1;
const NOBODY = -2;
/** Words of a capability in `#words`: rights and kind, generation, index of the owner's id, next handle of the same owner. */
const STRIDE = 4;
const RIGHTS_AT = 0;
const GENERATION = 1;
const OWNER = 2;
const OWNED_NEXT = 3;
/** Words in `#tree`: its places in the list of siblings, and the handle of the same owner that comes before. */
const BRANCH = 5;
const PARENT = 0;
const CHILD = 1;
const NEXT = 2;
const PREV = 3;
const OWNED_PREV = 4;
/** Small, because some processes have a kernel for each of thousands of agents. */
const INITIAL_ROOM = 4;
const RIGHT_RECEIVE = RIGHTS.receive;
const RIGHTS_MASK = 0xff_ffff;
const INDEX_BITS = 22;
/** The last generation whose handles are small integers: 31 bits and a sign. */
const LAST_SMALL = 511;
/** Indices a table may have before it uses worn ones again: 33 million small handles, for 2.9 MB. */
const SPREAD = 65_536;

/** Added to the rights that `find` asks for: the object must be a mailbox. */
export const OF_MAILBOX = 0x100_0000;
/** Added to the rights that `find` asks for: the object must be a channel. */
export const OF_CHANNEL = 0x200_0000;
const OF_RESOURCE = 0x400_0000;
const KINDS: Readonly<Partial<Record<ObjectKind, number>>> = {
  mailbox: OF_MAILBOX,
  channel: OF_CHANNEL,
  resource: OF_RESOURCE,
};
const KIND_MASK = OF_MAILBOX | OF_CHANNEL | OF_RESOURCE;
/** A capability with one of these counts as a receiver of its object. */
const RECEIVING = RIGHT_RECEIVE | OF_RESOURCE;

/** The capability spaces of all tasks. */
export class CapabilityTable {
  /** Capabilities that live. */
  live = 0;
  /** Of what `find` gave last: its kind, to be compared with `OF_MAILBOX` and `OF_CHANNEL`. */
  found = 0;
  readonly #limit: number;
  readonly #generations: number;
  readonly #events: CapabilityEvents;
  readonly #free: number[] = [];
  /** Free indices whose handles are no small integers any more (C7). */
  readonly #worn: number[] = [];
  readonly #spread: number;
  /** Indices ever used. */
  #used = 0;
  #words: Int32Array = new Int32Array(INITIAL_ROOM * STRIDE);
  #tree: Int32Array = new Int32Array(INITIAL_ROOM * BRANCH);
  readonly #objects: (KernelObject | null)[] = [];

  /** `limit` handles per task; `events` hears of lost rights. Tests set few generations and a small `spread` (C7). */
  constructor(
    limit: number,
    events: CapabilityEvents,
    generations: number = GENERATION_LIMIT,
    spread: number = SPREAD,
  ) {
    this.#spread = spread;
    this.#limit = limit;
    this.#events = events;
    this.#generations = generations;
  }

  /**
   * The object behind a handle, or null when the handle is not alive in `owner`'s hands, lacks a right, or is not of the kind that
   * was added to the rights. O(1).
   */
  find(handle: number, owner: Task, needed: number): KernelObject | null {
    // Programs pass anything.
    if (typeof handle !== "number") return null;
    const index = handle & INDEX_MASK;
    if (index >= this.#used) return null;
    const words = this.#words;
    const at = index * STRIDE;
    const word = words[at + RIGHTS_AT]!;
    if ((word & needed) !== needed || words[at + OWNER] !== indexOf(owner)) return null;
    const generation = words[at + GENERATION]!;
    const low = handle | 0;
    // A small integer is taken apart by shifting; the sum would be made and compared as a floating-point number.
    if (low === handle ? low >> INDEX_BITS !== generation : generation * INDEX_LIMIT + index !== handle)
      return null;
    this.found = word;
    return this.#objects[index]!;
  }

  /** The rights behind a handle, or null when it is not alive in `owner`'s hands. */
  rightsOf(handle: number, owner: Task): Rights | null {
    return this.find(handle, owner, 0) === null ? null : this.found & RIGHTS_MASK;
  }

  /** Whether a task holds a capability to an object with these rights. O(its handles). */
  holds(owner: Task, object: KernelObject, rights: Rights): boolean {
    for (let i = owner.firstHandle; i !== NONE; i = this.#words[i * STRIDE + OWNED_NEXT]!)
      if (this.#objects[i] === object && (this.#words[i * STRIDE]! & rights) === rights) return true;
    return false;
  }

  /** A capability to a new object. @throws {CapabilitySpaceFullError} */
  mint(owner: Task, object: KernelObject, rights: Rights): Handle {
    return this.#insert(owner, object, (rights & RIGHTS_MASK) | (KINDS[object.kind] ?? 0), NONE);
  }

  /** A capability derived from a live one, with the rights both sets have (C2). @throws {CapabilitySpaceFullError} */
  derive(source: number, owner: Task, rights: Rights): Handle {
    const parent = source & INDEX_MASK;
    const object = this.#objects[parent]!;
    checkRights(rights);
    return this.#insert(owner, object, this.#words[parent * STRIDE]! & (rights | KIND_MASK), parent);
  }

  /** As `derive`, for an object of the same kind that stands for the one behind `source`. @throws {CapabilitySpaceFullError} */
  deriveAs(source: number, owner: Task, rights: Rights, object: KernelObject): Handle {
    const parent = source & INDEX_MASK;
    checkRights(rights);
    return this.#insert(owner, object, this.#words[parent * STRIDE]! & (rights | KIND_MASK), parent);
  }

  /** End everything derived from a live capability (C3). Returns how many ended. O(number ended). */
  revoke(source: number): number {
    const doomed: number[] = [];
    const open = [source & INDEX_MASK];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      for (
        let child = this.#tree[index * BRANCH + CHILD]!;
        child !== NONE;
        child = this.#tree[child * BRANCH + NEXT]!
      ) {
        doomed.push(child);
        open.push(child);
      }
    }
    for (const index of doomed) this.#tree[index * BRANCH + CHILD] = NONE;
    this.#tree[(source & INDEX_MASK) * BRANCH + CHILD] = NONE;
    for (const index of doomed) this.#tree[index * BRANCH + PARENT] = NONE;
    for (const index of doomed) this.#remove(index, this.#ownerOf(index));
    return doomed.length;
  }

  /** End one live capability (C6). O(its children). */
  drop(handle: number): void {
    const index = handle & INDEX_MASK;
    this.#drop(index, this.#ownerOf(index));
  }

  #drop(index: number, owner: Task): void {
    const parent = this.#tree[index * BRANCH + PARENT]!;
    for (let child = this.#tree[index * BRANCH + CHILD]!; child !== NONE; ) {
      const next = this.#tree[child * BRANCH + NEXT]!;
      this.#tree[child * BRANCH + PARENT] = NONE;
      if (parent !== NONE) this.#adopt(child, parent);
      child = next;
    }
    this.#tree[index * BRANCH + CHILD] = NONE;
    this.#disown(index);
    this.#remove(index, owner);
  }

  /** End all capabilities of a task. */
  dropAll(owner: Task): void {
    while (owner.firstHandle !== NONE) this.#drop(owner.firstHandle, owner);
  }

  /** The capabilities of a task, newest first. */
  list(owner: Task): readonly CapabilityFacts[] {
    const found: CapabilityFacts[] = [];
    for (let i = owner.firstHandle; i !== NONE; i = this.#words[i * STRIDE + OWNED_NEXT]!) {
      const object = this.#objects[i]!;
      found.push({
        handle: this.#words[i * STRIDE + GENERATION]! * INDEX_LIMIT + i,
        kind: object.kind,
        rights: this.#words[i * STRIDE + RIGHTS_AT]! & RIGHTS_MASK,
        object,
      });
    }
    return found;
  }

  /** `word` is its rights and kind. */
  #insert(owner: Task, object: KernelObject, word: number, parent: number): Handle {
    if (owner.handles >= this.#limit) throw new CapabilitySpaceFullError(owner.id, this.#limit);
    const index = this.#free.pop() ?? this.#more(owner);
    this.#objects[index] = object;
    const words = this.#words;
    const at = index * STRIDE;
    const first = owner.firstHandle;
    words[at + RIGHTS_AT] = word;
    words[at + OWNER] = indexOf(owner);
    words[at + OWNED_NEXT] = first;
    if (first !== NONE) this.#tree[first * BRANCH + OWNED_PREV] = index;
    if (parent !== NONE) this.#adopt(index, parent);
    owner.firstHandle = index;
    owner.handles++;
    this.live++;
    if ((word & RECEIVING) !== 0) object.receivers++;
    return (words[at + GENERATION]! * INDEX_LIMIT + index) as Handle;
  }

  /** An index when none with small handles is free (C7). @throws {CapabilitySpaceFullError} */
  #more(owner: Task): number {
    if (this.#used < this.#spread) return this.#fresh(owner);
    return this.#worn.pop() ?? this.#fresh(owner);
  }

  /** An index that was never used. @throws {CapabilitySpaceFullError} */
  #fresh(owner: Task): number {
    const index = this.#used;
    if (index >= INDEX_LIMIT) throw new CapabilitySpaceFullError(owner.id, owner.handles);
    if (index * STRIDE === this.#words.length) this.#grow();
    this.#used++;
    this.#words[index * STRIDE + GENERATION] = 1;
    this.#tree.fill(NONE, index * BRANCH, (index + 1) * BRANCH);
    this.#objects.push(null);
    return index;
  }

  #grow(): void {
    const room = Math.min((this.#words.length / STRIDE) * 2, INDEX_LIMIT);
    const words = new Int32Array(room * STRIDE);
    words.set(this.#words);
    const tree = new Int32Array(room * BRANCH);
    tree.set(this.#tree);
    this.#words = words;
    this.#tree = tree;
  }

  #ownerOf(index: number): Task {
    return this.#events.taskAt(this.#words[index * STRIDE + OWNER]!);
  }

  #adopt(index: number, parent: number): void {
    const first = this.#tree[parent * BRANCH + CHILD]!;
    this.#tree[index * BRANCH + PARENT] = parent;
    this.#tree[index * BRANCH + PREV] = NONE;
    this.#tree[index * BRANCH + NEXT] = first;
    if (first !== NONE) this.#tree[first * BRANCH + PREV] = index;
    this.#tree[parent * BRANCH + CHILD] = index;
  }

  /** Take a capability out of its parent's list of children. */
  #disown(index: number): void {
    const parent = this.#tree[index * BRANCH + PARENT]!;
    if (parent === NONE) return;
    const next = this.#tree[index * BRANCH + NEXT]!;
    const prev = this.#tree[index * BRANCH + PREV]!;
    if (prev === NONE) this.#tree[parent * BRANCH + CHILD] = next;
    else this.#tree[prev * BRANCH + NEXT] = next;
    if (next !== NONE) this.#tree[next * BRANCH + PREV] = prev;
    this.#tree[index * BRANCH + PARENT] = NONE;
  }

  /** Free a capability that stands in no derivation list any more, and in its tree leave nothing. */
  #remove(index: number, owner: Task): void {
    const words = this.#words;
    const tree = this.#tree;
    const at = index * STRIDE;
    const object = this.#objects[index]!;
    const next = words[at + OWNED_NEXT]!;
    const prev = tree[index * BRANCH + OWNED_PREV]!;
    if (prev === NONE) owner.firstHandle = next;
    else words[prev * STRIDE + OWNED_NEXT] = next;
    if (next !== NONE) tree[next * BRANCH + OWNED_PREV] = prev;
    tree[index * BRANCH + OWNED_PREV] = NONE;
    owner.handles--;
    const counted = (words[at + RIGHTS_AT]! & RECEIVING) !== 0;
    words[at + OWNER] = NOBODY;
    this.#objects[index] = null;
    this.live--;
    const generation = words[at + GENERATION]!;
    if (generation < this.#generations) {
      words[at + GENERATION] = generation + 1;
      (generation < LAST_SMALL ? this.#free : this.#worn).push(index);
    }
    if (counted) object.receivers--;
    this.#events.lost(owner, object);
    if (counted && object.receivers === 0) this.#events.orphaned(object);
  }
}

/** What tells owners apart: only a live task owns something, and no other has its index meanwhile. */
function indexOf(owner: Task): number {
  const { id } = owner;
  return id === 0 ? SHELL : id & INDEX_MASK;
}
