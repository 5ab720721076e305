/**
 * The capabilities of one guest: rows behind handles, what was derived from what, and the host that binds them.
 *
 * CT1. A derived row has no right its parent lacks, whatever the guest asks for or a snapshot says (HA14).
 * CT2. Revoking ends every row derived from one, directly or not, and not itself; dropping one hands its children to its parent.
 * CT3. A table from a snapshot is bound anew, parents first; what the host does not bind, and what is immovable and not
 *      held here already, is refused by name (HA15).
 */
import type { GuestCapabilities, GuestCapability, HandleTable } from "@glia-os/abi/ports";
import { GUEST_CAPABILITIES, GUEST_ERRORS } from "@glia-os/abi/wire";
import { BadCapabilityError, CapabilityUnbindableError, SnapshotMismatchError } from "../errors.ts";
import { type CapabilityRow, rowProblem } from "./capability-row.ts";

/** One guest's table. O(rows) for what names or derivations decide, else O(1). */
export class CapabilityTable {
  readonly #rows: HandleTable<CapabilityRow>;
  readonly #host: GuestCapabilities | undefined;

  constructor(rows: HandleTable<CapabilityRow>, host: GuestCapabilities | undefined) {
    this.#rows = rows;
    this.#host = host;
  }

  /** Give a new guest what its host has for it. @throws BadCapabilityError, CapabilityUnbindableError */
  begin(): void {
    const initial = this.#host?.initial ?? [];
    const names = initial.flatMap(({ name }) => (name === "" ? [] : [name]));
    if (initial.length > GUEST_CAPABILITIES || new Set(names).size < names.length)
      throw new BadCapabilityError(`${initial.length} capabilities, or two of one name`);
    for (const given of initial) {
      const problem = rowProblem(given);
      if (problem !== undefined) throw new BadCapabilityError(problem);
      if (this.add(given) < 0) throw unbound(given);
    }
  }

  /** Bind what came in a snapshot (CT3). @throws CapabilityUnbindableError, SnapshotMismatchError */
  rebind(): void {
    /** What was bound, with its rights as the snapshot has them. */
    const came = new Map<number, number>();
    const open = new Map(this.#rows.entries());
    while (open.size > 0) {
      const before = open.size;
      for (const [handle, row] of open) {
        if (row.parent !== 0 && !came.has(row.parent)) continue;
        came.set(handle, row.rights);
        this.#rebindOne(handle, row, came.get(row.parent) ?? row.rights);
        open.delete(handle);
      }
      if (open.size === before)
        throw new SnapshotMismatchError("capabilities", "derived from none that is there", "a forest");
    }
  }

  #rebindOne(handle: number, row: CapabilityRow, most: number): void {
    if ((row.rights & ~most) !== 0)
      throw new SnapshotMismatchError("a capability", `rights ${row.rights}`, "at most its parent's");
    if (row.kind === "immovable" && this.#host?.holds?.(handle, row) !== true)
      throw new CapabilityUnbindableError(row.name, row.target, "is immovable");
    const parent = row.parent === 0 ? row : this.#rows.get(row.parent);
    const asked = { ...row, rights: row.rights & (parent?.rights ?? 0) };
    const granted = this.#host?.bind(handle, asked, row.parent);
    if (granted === undefined) throw unbound(row);
    row.rights = asked.rights & granted;
  }

  /** A row of a guest's own. */
  get(handle: number): CapabilityRow | undefined {
    return this.#rows.get(handle);
  }

  /** The handle of the row with a name. */
  named(name: string): number | undefined {
    for (const [handle, row] of this.#rows.entries()) if (row.name === name) return handle;
    return undefined;
  }

  /** A new row, bound; its handle, `E_LIMIT`, or `E_GONE` when the host does not bind it. */
  add(row: GuestCapability, parent = 0): number {
    const { kind, name, target } = row;
    const rights = row.rights & (parent === 0 ? row.rights : (this.#rows.get(parent)?.rights ?? 0));
    const made: CapabilityRow = { kind, name, target, rights, parent };
    const handle = this.#rows.add(made);
    if (handle < 0) return handle;
    const granted = this.#host?.bind(handle, { kind, name, target, rights }, parent);
    if (granted === undefined) {
      this.#rows.remove(handle);
      return GUEST_ERRORS.E_GONE;
    }
    made.rights &= granted;
    return handle;
  }

  /** The capability that came with the last message: its handle, `E_LIMIT` and it stays there, or `E_GONE`. */
  accept(index: number): number {
    if (this.#rows.size >= GUEST_CAPABILITIES) return GUEST_ERRORS.E_LIMIT;
    const row = this.#host?.accept(index);
    return row === undefined ? GUEST_ERRORS.E_GONE : this.add(row);
  }

  /** Give one up (CT2). */
  drop(handle: number): boolean {
    const row = this.#rows.remove(handle);
    if (row === undefined) return false;
    for (const [, child] of this.#rows.entries()) if (child.parent === handle) child.parent = row.parent;
    this.#host?.drop(handle);
    return true;
  }

  /** End what was derived from one (CT2); how many rows it were. */
  revoke(handle: number): number {
    const ended: number[] = [handle];
    for (let at = 0; at < ended.length; at++)
      for (const [child, row] of this.#rows.entries()) if (row.parent === ended[at]) ended.push(child);
    this.#host?.revoke(handle);
    for (const child of ended.slice(1)) {
      this.#rows.remove(child);
      this.#host?.drop(child);
    }
    return ended.length - 1;
  }
}

function unbound({ name, target }: GuestCapability): CapabilityUnbindableError {
  return new CapabilityUnbindableError(name, target, "is nothing that this host binds");
}
