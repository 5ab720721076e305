/**
 * What a guest's capabilities stand for: handles of the task that runs it.
 *
 * HC1. A guest's number leads to a kernel handle only when the engine bound it, and what was derived in the guest is derived in the kernel,
 *      with no more rights: the kernel authorizes every call anew, and a revocation there ends it all.
 * HC2. A kernel handle is made when it is first used, by the task that runs then; so a guest can be restored before it has a task.
 * HC3. Names of the kernel are open to a guest only with `names`, whatever its rows say; what a parcel brought cannot go elsewhere.
 */
import type { CapabilityKind, GuestCapabilities, GuestCapability } from "@glia-os/abi/ports";
import { ALL_RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { DeadHandleError, UnknownTaskError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Sys } from "../sys.ts";
import { type Parcel, rightsHeld } from "./parcel.ts";

/** A capability that a guest is given. Its handle comes with the spawn, in the same order. */
export interface GuestGift {
  /** What the guest asks for it by: 1 to 64 characters. */
  readonly name: string;
  /** What it is bound by after a move. Default: the name. */
  readonly target?: string;
  /** Default: all that the handle has. */
  readonly rights?: Rights;
  /** Default `rebind-by-name`. */
  readonly kind?: CapabilityKind;
}

interface Held {
  readonly target: string;
  readonly rights: Rights;
  readonly kind: CapabilityKind;
  readonly name: string;
  parent: number;
  handle: Handle | undefined;
}

/** One guest's, over all its tasks. */
export class HeldCapabilities implements GuestCapabilities {
  readonly initial: readonly GuestCapability[];
  readonly #names: boolean;
  readonly #held = new Map<number, Held>();
  readonly #given = new Map<string, Handle>();
  #sys: Sys | undefined;
  #parcel: Parcel | undefined;
  /** A kernel handle on its way to the row that is bound next. */
  #arrived: Handle | undefined;

  constructor(gifts: readonly GuestGift[] = [], names = false) {
    this.#names = names;
    this.initial = gifts.map(({ name, target = name, rights = ALL_RIGHTS, kind = "rebind-by-name" }) => ({
      name,
      target,
      rights,
      kind,
    }));
  }

  /** Names of what the guest holds and cannot take along: for whoever plans a move. */
  get immovable(): readonly string[] {
    return [...this.#held.values()].flatMap(({ kind, name, target }) =>
      kind === "immovable" ? [name === "" ? target : name] : [],
    );
  }

  /** {@link initial} with the rights that this task's handles have now, for a guest that asks elsewhere. */
  get offered(): readonly GuestCapability[] {
    return this.initial.map((row) => ({ ...row, rights: row.rights & (this.#mostRights(row.target) ?? 0) }));
  }

  /** The rights of what came with the last message and can be accepted, in its order; 0 for what is gone. */
  get offeredByMessage(): readonly Rights[] {
    return this.#sys === undefined ? [] : (this.#parcel?.rights(this.#sys) ?? []);
  }

  /** Another task runs the guest: its syscalls, and its handles for the gifts in their order. Handles of the last one end here. */
  attach(sys: Sys, given: readonly Handle[]): void {
    this.#sys = sys;
    this.#given.clear();
    for (const [at, { target }] of this.initial.entries()) {
      const handle = given[at];
      if (handle !== undefined) this.#given.set(target, handle);
    }
    for (const held of this.#held.values()) held.handle = undefined;
  }

  /** The message that was received last, for {@link accept}. */
  came(parcel: Parcel | undefined): void {
    this.#parcel = parcel;
  }

  bind(handle: number, row: GuestCapability, parent: number): number | undefined {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    const { target, kind, name } = row;
    const most = parent === 0 && arrived === undefined ? this.#mostRights(target) : row.rights;
    if (most === undefined) return undefined;
    const rights = row.rights & most;
    this.#held.set(handle, { target, kind, name, rights, parent, handle: arrived });
    return rights;
  }

  drop(handle: number): void {
    const held = this.#held.get(handle);
    if (held === undefined) return;
    this.#held.delete(handle);
    for (const child of this.#held.values()) {
      if (child.parent !== handle) continue;
      // Made now: its parent is about to go, and it must not end up above it.
      this.#tryMake(child, held);
      child.parent = held.parent;
    }
    if (held.handle !== undefined && this.#alive(held.handle)) this.#sys?.drop(held.handle);
  }

  revoke(handle: number): void {
    const held = this.#held.get(handle);
    if (held?.handle !== undefined && this.#alive(held.handle)) this.#sys?.revoke(held.handle);
  }

  accept(index: number): GuestCapability | undefined {
    const sys = this.#sys;
    if (sys === undefined || this.#parcel === undefined) return undefined;
    try {
      const handle = this.#parcel.accept(sys, index);
      const rights = rightsHeld(sys, handle) ?? 0;
      this.#arrived = handle;
      return { kind: "immovable", name: "", target: "what came with a message", rights };
    } catch (error) {
      if (error instanceof DeadHandleError || error instanceof UnknownTaskError) return undefined;
      throw error;
    }
  }

  /** The kernel's handle for a guest's number (HC1, HC2). @throws {DeadHandleError} and what `lookup` refuses */
  handleOf(sys: Sys, number: number): Handle {
    const held = this.#held.get(number);
    if (held === undefined) throw new DeadHandleError(number, sys.getTid());
    held.handle ??= this.#make(sys, held);
    return held.handle;
  }

  /** What a guest's number is bound to, by name; undefined when it stands for nothing. */
  targetOf(number: number): string | undefined {
    return this.#held.get(number)?.target;
  }

  /** Look a name up for the guest: the rights there are; undefined when names are not open to it. @throws {UnknownNameError} */
  lookup(sys: Sys, name: string): Rights | undefined {
    if (!this.#names) return undefined;
    const handle = this.#given.get(name) ?? sys.lookup(name);
    this.#given.set(name, handle);
    return rightsHeld(sys, handle);
  }

  #make(sys: Sys, { parent, target, rights }: Held): Handle {
    if (parent !== 0) return sys.attenuate(this.handleOf(sys, parent), rights);
    const given = this.#given.get(target);
    if (given !== undefined) return sys.attenuate(given, rights);
    if (!this.#names) throw new DeadHandleError(target, sys.getTid());
    const found = sys.lookup(target);
    this.#given.set(target, found);
    return sys.attenuate(found, rights);
  }

  /** Before a parent is given up: what was derived from it in the guest becomes so in the kernel. */
  #tryMake(child: Held, parent: Held): void {
    if (child.handle !== undefined || parent.handle === undefined || !this.#alive(parent.handle)) return;
    child.handle = this.#sys?.attenuate(parent.handle, child.rights);
  }

  #alive(handle: Handle): boolean {
    return this.#sys !== undefined && rightsHeld(this.#sys, handle) !== undefined;
  }

  #mostRights(target: string): Rights | undefined {
    const gift = this.initial.find((one) => one.target === target);
    if (gift === undefined) return this.#names ? ALL_RIGHTS : undefined;
    const given = this.#given.get(target);
    const held = given === undefined || this.#sys === undefined ? ALL_RIGHTS : rightsHeld(this.#sys, given);
    return gift.rights & (held ?? 0);
  }
}
