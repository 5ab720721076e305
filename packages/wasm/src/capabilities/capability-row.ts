/**
 * Rows of a guest's table of capabilities as the records behind its handles (docs/spec/host-abi.md, HA13).
 *
 * CR1. A record is deterministic CBOR of exactly `{constraints, kind, name, parent, rights, target, version}`; a reader refuses everything
 *      else, bits that are no right included.
 */
import type { CapabilityKind, GuestCapability, HandleCodec } from "@glia-os/abi/ports";
import { ALL_RIGHTS } from "@glia-os/abi/syscalls";
import { GUEST_CAPABILITIES } from "@glia-os/abi/wire";
import { decode, encode } from "cborg";
import { SnapshotMismatchError } from "../errors.ts";

/** One row; its rights can only shrink. */
export interface CapabilityRow {
  readonly kind: CapabilityKind;
  readonly name: string;
  readonly target: string;
  rights: number;
  /** The handle it was derived from; 0 for none. */
  parent: number;
}

const VERSION = 1;
const KINDS: readonly unknown[] = ["rebind-by-name", "remote", "immovable"] satisfies CapabilityKind[];
const NAME_LENGTH = 64;
const TARGET_LENGTH = 256;
const KEYS = "constraints,kind,name,parent,rights,target,version";

/** Rows as records (CR1). */
export const ROWS: HandleCodec<CapabilityRow> = {
  quota: GUEST_CAPABILITIES,
  encode: ({ kind, name, target, rights, parent }) =>
    encode({ constraints: {}, kind, name, parent, rights, target, version: VERSION }),
  decode(record) {
    const row = read(record);
    if (row === undefined)
      throw new SnapshotMismatchError("a capability", "malformed", `a record of version ${VERSION}`);
    return row;
  },
};

/** What is wrong with a row, if anything. */
export function rowProblem({ kind, name, target, rights }: GuestCapability): string | undefined {
  if (!KINDS.includes(kind)) return `the kind ${JSON.stringify(kind)}`;
  if (typeof name !== "string" || name.length > NAME_LENGTH) return `a name over ${NAME_LENGTH} characters`;
  if (typeof target !== "string" || target.length < 1 || target.length > TARGET_LENGTH)
    return `a target that is not 1 to ${TARGET_LENGTH} characters`;
  return Number.isInteger(rights) && (rights & ~ALL_RIGHTS) === 0 ? undefined : `the rights ${rights}`;
}

function read(record: Uint8Array): CapabilityRow | undefined {
  let value: unknown;
  try {
    value = decode(record, { strict: true, rejectDuplicateMapKeys: true });
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Object.keys(value).sort().join() !== KEYS)
    return undefined;
  const { version, constraints, parent, ...rest } = value as Record<string, unknown>;
  const row = rest as unknown as GuestCapability;
  const known = version === VERSION && isEmptyMap(constraints) && Number.isSafeInteger(parent);
  if (!known || (parent as number) < 0 || rowProblem(row) !== undefined) return undefined;
  return { ...row, parent: parent as number };
}

function isEmptyMap(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    Object.keys(value).length === 0
  );
}
