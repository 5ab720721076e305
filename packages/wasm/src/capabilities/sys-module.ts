/**
 * The module `glia.sys.v1`: what a guest may do with the capabilities it holds (docs/spec/host-abi.md).
 *
 * SM1. A call names a handle of this guest's table and needs a right of its row; with anything else nothing is asked of the host.
 * SM2. A call that waits leaves with checked ranges; its request stays in the guest's memory until it is performed, so that it travels.
 * SM3. A result lies here until it is copied whole or the next call that waits is made, and travels with the guest.
 */
import type { CallResult, GuestAccess, HostModule, HostWait, OpenHostModule } from "@glia-os/abi/ports";
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import {
  GUEST_ERRORS,
  MESSAGE_CAPABILITIES,
  SYS_IMPORTS,
  SYS_MODULE,
  type SysImport,
} from "@glia-os/abi/wire";
import { SnapshotMismatchError } from "../errors.ts";
import { type CapabilityRow, ROWS } from "./capability-row.ts";
import { CapabilityTable } from "./capability-table.ts";

/** Version of the state and rows in snapshots. */
const STATE_VERSION = 1;
const TIMEOUT_MS_MAX = 2_147_483_647;
const TARGET_BYTES = 256;
const GRANT_BYTES = 8;
const HELD = 1;

/** The right a call needs of the capability it names. */
const NEEDS: Readonly<Record<string, Rights>> = {
  send: RIGHTS.send,
  call: RIGHTS.call,
  exec: RIGHTS.exec,
  fetch: RIGHTS.exec,
  file_read: RIGHTS.read,
  file_write: RIGHTS.write,
  file_list: RIGHTS.read,
  model: RIGHTS.exec,
  approve: RIGHTS.approve,
};

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The module, built into the engine. */
export const SYS_HOST_MODULE: HostModule<CapabilityRow> = {
  name: SYS_MODULE,
  version: STATE_VERSION,
  functions: Object.fromEntries(
    SYS_IMPORTS.map(({ name, params, result, suspends }) => [name, { params, result, suspends }]),
  ),
  handles: ROWS,
  open(guest, saved) {
    const served = new Served(guest);
    served.begin(saved);
    return served.opened();
  },
};

class Served {
  readonly #guest: GuestAccess<CapabilityRow>;
  readonly #table: CapabilityTable;
  #held: Uint8Array | undefined;

  constructor(guest: GuestAccess<CapabilityRow>) {
    this.#guest = guest;
    this.#table = new CapabilityTable(guest.handles, guest.host.capabilities);
  }

  begin(saved: Uint8Array | undefined): void {
    if (saved === undefined) {
      this.#table.begin();
      return;
    }
    const most = this.#guest.limits.messageBytes + 1;
    if (saved.length > most || (saved.length > 0 && saved[0] !== HELD))
      throw new SnapshotMismatchError(`the state of ${SYS_MODULE}`, "malformed", `at most ${most} bytes`);
    if (saved.length > 0) this.#held = saved.slice(1);
    this.#table.rebind();
  }

  opened(): OpenHostModule {
    const waits = SYS_IMPORTS.filter(({ suspends }) => suspends);
    return {
      calls: {
        ...this.#atOnce(),
        ...Object.fromEntries(
          waits.map((one) => [one.name, (...args: (number | bigint)[]) => this.#wait(one, args.map(Number))]),
        ),
      },
      resumes: {
        ...Object.fromEntries(
          waits.map(({ name }) => [name, (_: unknown, answer: CallResult) => this.#take(answer)]),
        ),
        lookup: ([pointer = 0, length = 0], { value }) => this.#lookedUp(pointer, length, value),
      },
      save: () => this.#save(),
    };
  }

  #save(): Uint8Array {
    const held = this.#held;
    if (held === undefined) return new Uint8Array();
    const state = new Uint8Array(held.length + 1);
    state[0] = HELD;
    state.set(held, 1);
    return state;
  }

  #atOnce(): OpenHostModule["calls"] {
    return {
      capability: (pointer: number, length: number) => {
        const name = this.#text(pointer, length);
        if (typeof name === "number") return name;
        return (name === "" ? undefined : this.#table.named(name)) ?? GUEST_ERRORS.E_GONE;
      },
      rights: (handle: number) => this.#table.get(handle)?.rights ?? GUEST_ERRORS.E_HANDLE,
      attenuate: (handle: number, rights: number) => {
        const row = this.#table.get(handle);
        if (row === undefined) return GUEST_ERRORS.E_HANDLE;
        const { kind, target } = row;
        return this.#table.add({ kind, target, name: "", rights: row.rights & rights }, handle);
      },
      drop: (handle: number) => (this.#table.drop(handle) ? 0 : GUEST_ERRORS.E_HANDLE),
      revoke: (handle: number) => {
        const row = this.#table.get(handle);
        if (row === undefined) return GUEST_ERRORS.E_HANDLE;
        return (row.rights & RIGHTS.revoke) === 0 ? GUEST_ERRORS.E_DENIED : this.#table.revoke(handle);
      },
      accept: (index: number) => this.#table.accept(index >>> 0),
      result: (pointer: number, capacity: number) => this.#copy(pointer, capacity),
    };
  }

  /** Check everything that can be checked here; then the guest waits (SM1, SM2). */
  #wait({ name, reads }: SysImport, args: readonly number[]): number | HostWait {
    const needed = NEEDS[name];
    if (this.#guest.host.capabilities === undefined && needed === undefined) return GUEST_ERRORS.E_GONE;
    if (needed !== undefined) {
      const row = this.#table.get(args[0] ?? 0);
      if (row === undefined) return GUEST_ERRORS.E_HANDLE;
      if ((row.rights & needed) !== needed) return GUEST_ERRORS.E_DENIED;
    }
    let bytes = 0;
    for (const at of reads) {
      const length = (args[at + 1] ?? 0) >>> 0;
      bytes += length;
      if (bytes > this.#guest.limits.messageBytes) return GUEST_ERRORS.E_TOO_BIG;
      if (this.#guest.memory.reads(args[at] ?? 0, length) === undefined) return GUEST_ERRORS.E_FAULT;
    }
    const refusal =
      name === "send" ? this.#refusedGrants(args[3] ?? 0, args[4] ?? 0) : outOfRange(name, args);
    if (refusal < 0) return refusal;
    this.#held = undefined;
    return { op: `${SYS_MODULE}/${name}`, args };
  }

  /** The capabilities that go with a message: held, and with the right to grant them. */
  #refusedGrants(pointer: number, count: number): number {
    if (count < 0 || count > MESSAGE_CAPABILITIES) return GUEST_ERRORS.E_RANGE;
    const pairs = this.#guest.memory.reads(pointer, count * GRANT_BYTES);
    if (pairs === undefined) return GUEST_ERRORS.E_FAULT;
    const view = new DataView(pairs.buffer, pairs.byteOffset, pairs.length);
    for (let at = 0; at < pairs.length; at += GRANT_BYTES) {
      const row = this.#table.get(view.getUint32(at, true));
      if (row === undefined) return GUEST_ERRORS.E_HANDLE;
      if ((row.rights & RIGHTS.grant) === 0) return GUEST_ERRORS.E_DENIED;
    }
    return 0;
  }

  #take({ value, payload }: CallResult): number {
    if (payload === undefined) return value;
    this.#held = payload.slice();
    return value < 0 ? value : payload.length;
  }

  #lookedUp(pointer: number, length: number, rights: number): number {
    if (rights < 0) return rights;
    const target = this.#text(pointer, length);
    if (typeof target === "number") return target;
    return this.#table.add({ kind: "rebind-by-name", name: "", target, rights });
  }

  #copy(pointer: number, capacity: number): number {
    const held = this.#held;
    if (held === undefined) return GUEST_ERRORS.E_STATE;
    if (held.length > capacity >>> 0) return GUEST_ERRORS.E_TOO_BIG;
    const target = this.#guest.memory.writes(pointer, held.length);
    if (target === undefined) return GUEST_ERRORS.E_FAULT;
    target.set(held);
    this.#held = undefined;
    return held.length;
  }

  #text(pointer: number, length: number): string | number {
    const bytes = this.#guest.memory.reads(pointer, length);
    if (bytes === undefined) return GUEST_ERRORS.E_FAULT;
    try {
      return utf8.decode(bytes);
    } catch {
      return GUEST_ERRORS.E_RANGE;
    }
  }
}

function outOfRange(name: string, [, length = 0, , timeoutMs = 0]: readonly number[]): number {
  const fits =
    (name !== "call" || (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX)) &&
    (name !== "lookup" || (length >= 1 && length <= TARGET_BYTES));
  return fits ? 0 : GUEST_ERRORS.E_RANGE;
}
