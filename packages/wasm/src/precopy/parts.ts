/** Reads the two parts of a pre-copy that are CBOR: its header, and the state besides memory. Both come from outside. */
import type { InstanceImage, PendingCall } from "@glia-os/abi/ports";
import { decode } from "cborg";
import { PreCopyCorruptError, SnapshotMismatchError } from "../errors.ts";
import type { PreCopyHeader } from "./format.ts";

/** State besides memory. */
export type Registers = Pick<InstanceImage, "pending" | "sections">;

const MOST_SECTIONS = 16;
const MOST_ARGUMENTS = 16;
const MOST_NAME = 64;

/** The header, which must name this module. @throws PreCopyCorruptError, SnapshotMismatchError */
export function decodeHeader(bytes: Uint8Array, program: { readonly hash: string }): PreCopyHeader {
  const { module, profile } = mapOf(bytes, ["module", "profile"], "header");
  if (!(module instanceof Uint8Array) || typeof profile !== "string" || profile.length > MOST_NAME)
    throw new PreCopyCorruptError("its header names no module and profile");
  const hash = Buffer.from(module).toString("hex");
  if (hash !== program.hash) throw new SnapshotMismatchError("the module", hash, program.hash);
  return { module, profile };
}

/** The state besides memory. What it means is checked when the guest is made of it. @throws PreCopyCorruptError */
export function decodeRegisters(bytes: Uint8Array): Registers {
  const { pending, sections } = mapOf(bytes, ["pending", "sections"], "state besides memory");
  return { pending: pendingOf(pending), sections: sectionsOf(sections) };
}

function mapOf(bytes: Uint8Array, keys: readonly string[], part: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = decode(bytes, {
      strict: true,
      rejectDuplicateMapKeys: true,
      allowUndefined: false,
      allowBigInt: false,
    });
  } catch (cause) {
    throw new PreCopyCorruptError(`its ${part} is not CBOR`, cause);
  }
  if (!isMap(value) || Object.keys(value).sort().join() !== keys.join())
    throw new PreCopyCorruptError(`its ${part} has not the keys of version 1`);
  return value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pendingOf(value: unknown): PendingCall {
  const [requestId, op, args] = Array.isArray(value) && value.length === 3 ? (value as unknown[]) : [];
  const named = typeof op === "string" && op.length <= MOST_NAME && Number.isSafeInteger(requestId);
  if (!named || !Array.isArray(args) || args.length > MOST_ARGUMENTS || !args.every(Number.isSafeInteger))
    throw new PreCopyCorruptError("its pending call is malformed");
  return { requestId: requestId as number, op, args: args as number[] };
}

function sectionsOf(value: unknown): InstanceImage["sections"] {
  const entries = isMap(value) ? Object.entries(value) : [];
  const fits = entries.every(([name, content]) => NAME.test(name) && content instanceof Uint8Array);
  if (!isMap(value) || entries.length > MOST_SECTIONS || !fits || Object.hasOwn(value, "memory"))
    throw new PreCopyCorruptError("its sections are malformed");
  return value as Record<string, Uint8Array>;
}

const NAME = /^[a-z][a-z-]{0,31}$/;
