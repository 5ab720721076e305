/**
 * Messages that carry capabilities, to guests and from them.
 *
 * PA1. Who packs must have the right to grant each capability then. It is derived for the receiver when that accepts it, each once; the
 *      sender's own must still be there with that right, so what was revoked, given up, or was a task's that ended, cannot be accepted.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { MESSAGE_CAPABILITIES } from "@glia-os/abi/wire";
import { Door } from "../door.ts";
import { BadOptionError, DeadHandleError, OutsideTaskError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { GRANT } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Sys } from "../sys.ts";
import { enter, record, running } from "../sys-entry.ts";
import type { Task } from "../task.ts";

/** A capability to pack, with at most these rights. */
export interface Packed {
  readonly handle: Handle;
  readonly rights: Rights;
}

/** A message with capabilities; a task receives it as it is. */
export class Parcel {
  readonly bytes: Uint8Array;
  readonly #from: Task;
  readonly #packed: (Packed | undefined)[];

  /** Made by {@link pack}. */
  constructor(bytes: Uint8Array, from: Task, packed: readonly Packed[]) {
    this.bytes = bytes;
    this.#from = from;
    this.#packed = [...packed];
  }

  /** How many capabilities it came with. */
  get size(): number {
    return this.#packed.length;
  }

  /** The rights each would have if it were accepted now; 0 for one that cannot be. */
  rights(sys: Sys): readonly Rights[] {
    const { capabilities } = schedulerOf(sys);
    return this.#packed.map((packed) => {
      if (packed === undefined) return 0;
      const held = capabilities.rightsOf(packed.handle, this.#from) ?? 0;
      return (held & RIGHTS.grant) === 0 ? 0 : held & packed.rights;
    });
  }

  /** A handle of the calling task for one of them, from 0 (PA1). @throws {DeadHandleError} {MissingRightError} */
  accept(sys: Sys, index: number): Handle {
    const s = schedulerOf(sys);
    const task = enter(s, GRANT, 0);
    const packed = this.#packed[index];
    if (packed === undefined) throw new DeadHandleError(index, task.id);
    this.#packed[index] = undefined;
    s.seam.authorizeHandle(GRANT, this.#from, packed.handle, RIGHTS.grant);
    return s.capabilities.derive(packed.handle, task, packed.rights);
  }
}

/** A message with up to 16 capabilities of the calling task. @throws {BadOptionError} {DeadHandleError} {MissingRightError} */
export function pack(sys: Sys, bytes: Uint8Array, capabilities: readonly Packed[]): Parcel {
  const s = schedulerOf(sys);
  const task = running(s, GRANT);
  if (capabilities.length > MESSAGE_CAPABILITIES)
    throw new BadOptionError("capabilities", capabilities.length, `at most ${MESSAGE_CAPABILITIES}`);
  for (const { handle } of capabilities) {
    s.seam.authorizeHandle(GRANT, task, handle, RIGHTS.grant);
    record(s, GRANT, task, handle);
  }
  return new Parcel(bytes, task, capabilities);
}

/** The rights of a handle of the calling task; undefined when it is none. */
export function rightsHeld(sys: Sys, handle: Handle): Rights | undefined {
  const s = schedulerOf(sys);
  return s.capabilities.rightsOf(handle, running(s, GRANT)) ?? undefined;
}

function schedulerOf(sys: Sys): Scheduler {
  const scheduler = Door.open(sys);
  if (scheduler === undefined) throw new OutsideTaskError("grant");
  return scheduler;
}
