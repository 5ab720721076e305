/**
 * The section `host` of a snapshot: what host modules keep for the guest (docs/spec/snapshot.md).
 *
 * Q1. Deterministic CBOR: `{"waiting": text or null, "modules": [[name, version, state, slots, free]]}`, modules in order of name.
 * Q2. A reader takes exactly this shape and refuses everything else before a module sees any of it.
 */

import { decode, encode } from "cborg";
import { SnapshotMismatchError } from "../errors.ts";
import { MOST_HANDLES, type SavedHandles, type SavedSlot } from "./handle-table.ts";

/** One module's part. */
export interface SavedModule extends SavedHandles {
  readonly name: string;
  readonly version: number;
  readonly state: Uint8Array;
}

/** The whole section. */
export interface HostState {
  /** The import `module/function` the guest is suspended at, when it is one of a host module. */
  readonly waiting: string | undefined;
  readonly modules: readonly SavedModule[];
}

const MOST_MODULES = 64;
const NAME_BYTES = 64;

/** The section's bytes. */
export function encodeHostState({ waiting, modules }: HostState): Uint8Array {
  const sorted = [...modules].sort((a, b) => (a.name < b.name ? -1 : 1));
  return encode({
    waiting: waiting ?? null,
    modules: sorted.map(({ name, version, state, slots, free }) => [name, version, state, slots, free]),
  });
}

/** Read the section (Q2). @throws SnapshotMismatchError */
export function decodeHostState(bytes: Uint8Array): HostState {
  let value: unknown;
  try {
    value = decode(bytes, { strict: true, rejectDuplicateMapKeys: true });
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause));
  }
  const { waiting, modules, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (Object.keys(rest).length > 0) throw refused("it has unknown keys");
  if (waiting !== null && !isName(waiting)) throw refused("`waiting` is no name");
  if (!Array.isArray(modules) || modules.length > MOST_MODULES) throw refused("`modules` is no short list");
  return { waiting: waiting ?? undefined, modules: modules.map(readModule) };
}

function readModule(value: unknown): SavedModule {
  if (!Array.isArray(value) || value.length !== 5) throw refused("a module is no list of five");
  const [name, version, state, slots, free] = value as unknown[];
  if (!isName(name) || !Number.isSafeInteger(version)) throw refused("a module has no name and version");
  if (!(state instanceof Uint8Array)) throw refused(`the state of ${name} is not bytes`);
  if (!Array.isArray(slots) || slots.length > MOST_HANDLES || !slots.every(isSlot))
    throw refused(`the handles of ${name} are malformed`);
  if (!Array.isArray(free) || free.length > slots.length || !free.every(Number.isSafeInteger))
    throw refused(`the free handles of ${name} are malformed`);
  return { name, version: version as number, state, slots, free: free as number[] };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= NAME_BYTES;
}

function isSlot(value: unknown): value is SavedSlot {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return Number.isSafeInteger(value[0]) && (value[1] === null || value[1] instanceof Uint8Array);
}

function refused(problem: string): SnapshotMismatchError {
  return new SnapshotMismatchError("section host", `malformed (${problem})`, "the state of host modules");
}
