/**
 * Names under which tasks publish capabilities to every task of their kernel.
 *
 * NM1. A name belongs to the task that registered it and ends with that task, with the capability, or when its owner gives it up.
 * NM2. A name holds a capability derived from the registrar's, so who looks it up gets no more than was published, and revoking the
 *      registrar's capability ends what was looked up.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { CapabilityTable } from "../capability-table.ts";
import { BadOptionError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { shown } from "../shown.ts";
import type { Task } from "../task.ts";
import { NameTakenError, NotNameOwnerError, RelationLimitError, UnknownNameError } from "./errors.ts";

/** Names one kernel keeps. */
export const NAME_LIMIT = 65_536;

/** Characters of a name. */
export const NAME_LENGTH = 128;

/** Rights a name publishes unless told otherwise: enough to talk, not to receive, end or revoke. */
export const PUBLISHED: Rights = RIGHTS.send | RIGHTS.call | RIGHTS.signal | RIGHTS.grant;

interface Entry {
  readonly owner: Task;
  readonly handle: Handle;
}

/** The names of one kernel. */
export class NameTable {
  readonly #capabilities: CapabilityTable;
  readonly #entries = new Map<string, Entry>();

  constructor(capabilities: CapabilityTable) {
    this.#capabilities = capabilities;
  }

  /** Publish a capability of `owner`. @throws {NameTakenError} {BadOptionError} {RelationLimitError} {CapabilitySpaceFullError} */
  register(owner: Task, name: string, source: Handle, rights: Rights): void {
    if (typeof name !== "string" || name.length === 0 || name.length > NAME_LENGTH)
      throw new BadOptionError("name", shown(name, 40), `text of 1 to ${NAME_LENGTH} characters`);
    const taken = this.#live(name);
    if (taken !== undefined) throw new NameTakenError(name, taken.owner.id);
    if (this.#entries.size >= NAME_LIMIT) throw new RelationLimitError("registered names", NAME_LIMIT);
    this.#entries.set(name, { owner, handle: this.#capabilities.derive(source, owner, rights) });
  }

  /** Give up a name. @throws {UnknownNameError} {NotNameOwnerError} */
  unregister(owner: Task, name: string): void {
    const entry = this.#live(name);
    if (entry === undefined) throw new UnknownNameError(name);
    if (entry.owner !== owner) throw new NotNameOwnerError(name);
    this.#entries.delete(name);
    this.#capabilities.drop(entry.handle);
  }

  /** A handle of `seeker` for what has a name. @throws {UnknownNameError} {CapabilitySpaceFullError} */
  lookup(seeker: Task, name: string): Handle {
    const entry = this.#live(name);
    if (entry === undefined) throw new UnknownNameError(name);
    return this.#capabilities.derive(entry.handle, seeker, -1);
  }

  /** The task that registered a name, or undefined. */
  owner(name: string): Task | undefined {
    return this.#live(name)?.owner;
  }

  /** Forget a name of a task that ended. Its capabilities end by themselves. */
  release(name: string, owner: Task): void {
    if (this.#entries.get(name)?.owner === owner) this.#entries.delete(name);
  }

  #live(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || this.#capabilities.find(entry.handle, entry.owner, 0) !== null) return entry;
    this.#entries.delete(name);
    return undefined;
  }
}
