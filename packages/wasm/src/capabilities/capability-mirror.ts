/**
 * The capabilities of a guest whose calls another thread performs, as its engine sees them here.
 *
 * CM1. Nothing is bound that was not offered, looked up or brought by a message; every change is noted for whoever performs the calls,
 *      in order, who decides again about each use.
 * CM2. A guest that was put away and wakes finds what it held as it was, without a note.
 * CM3. When as many notes wait as may, nothing more is bound.
 */
import type { GuestCapabilities, GuestCapability, GuestNote } from "@glia-os/abi/ports";

/** What is noted, and whether there is room for more. */
export interface NoteBook {
  readonly full: boolean;
  note(note: GuestNote): void;
}

/** One guest's; see the banner. */
export class CapabilityMirror implements GuestCapabilities {
  readonly initial: readonly GuestCapability[];
  readonly #names: boolean;
  readonly #notes: NoteBook;
  readonly #bound = new Map<number, GuestCapability>();
  /** Rights of what came with the last message; 0 for what was accepted. */
  #grants: number[] = [];
  /** Number of what was accepted and is bound next. */
  #accepted: number | undefined;
  /** Handles that were revoked since something was last bound or a call was made: to do it again would do nothing. */
  readonly #revoked = new Set<number>();

  constructor(initial: readonly GuestCapability[], names: boolean, notes: NoteBook) {
    this.initial = initial;
    this.#names = names;
    this.#notes = notes;
  }

  /** A message came with capabilities of these rights. */
  came(grants: readonly number[]): void {
    this.#grants = [...grants];
  }

  /** A call is made: what it hands on can be revoked again. */
  called(): void {
    this.#revoked.clear();
  }

  holds(handle: number, row: GuestCapability): boolean {
    const held = this.#bound.get(handle);
    return held?.kind === row.kind && held.target === row.target && held.rights === row.rights;
  }

  bind(handle: number, row: GuestCapability, parent: number): number | undefined {
    const accepted = this.#accepted;
    this.#accepted = undefined;
    if (this.holds(handle, row)) return row.rights;
    const most = parent === 0 && accepted === undefined ? this.#most(row.target) : row.rights;
    if (most === undefined || this.#notes.full) return undefined;
    const { kind, name, target } = row;
    const own = { kind, name, target, rights: row.rights & most };
    this.#bound.set(handle, own);
    this.#revoked.clear();
    const from = accepted === undefined ? {} : { accepted };
    this.#notes.note({ kind: "bind", handle, row: own, parent, ...from });
    return own.rights;
  }

  drop(handle: number): void {
    if (this.#bound.delete(handle)) this.#notes.note({ kind: "drop", handle });
  }

  revoke(handle: number): void {
    if (this.#revoked.has(handle)) return;
    this.#revoked.add(handle);
    this.#notes.note({ kind: "revoke", handle });
  }

  accept(index: number): GuestCapability | undefined {
    const rights = this.#grants[index] ?? 0;
    if (rights === 0) return undefined;
    this.#grants[index] = 0;
    this.#accepted = index;
    return { kind: "immovable", name: "", target: "what came with a message", rights };
  }

  #most(target: string): number | undefined {
    const offered = this.initial.find((one) => one.target === target);
    return offered?.rights ?? (this.#names ? -1 : undefined);
  }
}
