/**
 * Entries of the log of an agent with a replica (docs/spec/replica.md): messages it accepted, links that closed, what its guest was given,
 * and what was done about what it asked for.
 *
 * RE1. `decodeEntry(encode...)` gives back what was written, or refuses with `cells.bad-image`; it never guesses.
 */
import { fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { LinkId } from "@glia-os/mesh-core";
import { decode, encode } from "cborg";
import { BadImageError } from "../errors.ts";
import type { MailItem } from "../runner-port.ts";

/** What a guest was given. */
export type TapeItem =
  /** The first message of its mailbox. */
  | readonly [0]
  /** The number that a blocking import returned. */
  | readonly [1, number]
  /** What the wall clock said, in milliseconds. */
  | readonly [2, number]
  /** Randomness. */
  | readonly [3, Uint8Array]
  /** Nothing yet: it began to wait for a time. */
  | readonly [4]
  /** What a call on a capability returned: the call, a number, bytes, and what it asked for that is done when this is held. */
  | readonly [5, string, number, Uint8Array | null, Uint8Array | null]
  /** Nothing yet: it began a call that is not made twice. */
  | readonly [6, string];

/** One entry. A message without a floor came by no link: it is no part of the link table. */
export type Entry =
  | { readonly kind: "message"; readonly item: MailItem; readonly floor: number | undefined }
  | { readonly kind: "closed"; readonly link: LinkId }
  | { readonly kind: "inputs"; readonly items: readonly TapeItem[] }
  | { readonly kind: "did"; readonly event: Uint8Array };

/** Most items of one entry. */
export const ITEMS_MAX = 1024;
const LINK_BYTES = 16;
const NODE_BYTES = 32;
/** Longest name of a call. */
const OP_MAX = 64;

/** An accepted message. */
export function messageEntry(item: MailItem, floor: number | undefined): Uint8Array {
  const { link, seq, ask, from, payload } = item;
  return encode([1, fromHex(link), seq, floor ?? null, ask, fromHex(from), payload]);
}

/** A link that its sender closed. */
export function closedEntry(link: LinkId): Uint8Array {
  return encode([2, fromHex(link)]);
}

/** What the guest was given, in order. */
export function inputsEntry(items: readonly TapeItem[]): Uint8Array {
  return encode([3, items]);
}

/** What was done about what the agent asked for; its bytes are known to whoever does it. */
export function didEntry(event: Uint8Array): Uint8Array {
  return encode([4, event]);
}

/** The entry in some bytes. @throws {BadImageError} (RE1) */
export function decodeEntry(bytes: Uint8Array): Entry {
  let value: unknown;
  try {
    value = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    throw new BadImageError("an entry of its log is not deterministic CBOR");
  }
  if (!Array.isArray(value)) throw new BadImageError("an entry of its log is no list");
  const [kind, ...fields] = value as unknown[];
  if (kind === 1) return readMessage(fields);
  if (kind === 2 && fields.length === 1) return { kind: "closed", link: idIn(fields[0], LINK_BYTES) };
  if (kind === 3 && fields.length === 1 && Array.isArray(fields[0]) && fields[0].length <= ITEMS_MAX)
    return { kind: "inputs", items: fields[0].map(readItem) };
  if (kind === 4 && fields.length === 1 && fields[0] instanceof Uint8Array)
    return { kind: "did", event: fields[0] };
  throw new BadImageError("an entry of its log is of no known kind");
}

function readMessage(fields: readonly unknown[]): Entry {
  const [link, seq, floor, ask, from, payload] = fields;
  if (fields.length !== 6 || typeof ask !== "boolean" || !(payload instanceof Uint8Array))
    throw new BadImageError("a message of its log has the wrong fields");
  if (!isCount(seq) || seq < 1 || (floor !== null && !isCount(floor)))
    throw new BadImageError("a message of its log has a number out of range");
  const item = { link: idIn(link, LINK_BYTES), seq, ask, from: idIn(from, NODE_BYTES) as NodeId, payload };
  return { kind: "message", item, floor: floor ?? undefined };
}

/** The item in a list. @throws {BadImageError} */
export function readItem(row: unknown): TapeItem {
  if (Array.isArray(row)) {
    const [kind, value] = row as [unknown, unknown];
    if ((kind === 0 || kind === 4) && row.length === 1) return [kind];
    if ((kind === 1 || kind === 2) && row.length === 2 && Number.isSafeInteger(value))
      return [kind, value as number];
    if (kind === 3 && row.length === 2 && value instanceof Uint8Array) return [kind, value];
    if (kind === 5 && row.length === 5) return readAnswer(row);
    if (kind === 6 && row.length === 2 && isOp(value)) return [kind, value];
  }
  throw new BadImageError("an item of its log is of no known kind");
}

function readAnswer([, op, value, payload, outputs]: readonly unknown[]): TapeItem {
  if (!isOp(op) || !Number.isSafeInteger(value) || !isBytesOrNull(payload) || !isBytesOrNull(outputs))
    throw new BadImageError("an answer of its log has the wrong fields");
  return [5, op, value as number, payload, outputs];
}

function isOp(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= OP_MAX;
}

function isBytesOrNull(value: unknown): value is Uint8Array | null {
  return value === null || value instanceof Uint8Array;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function idIn(value: unknown, bytes: number): string {
  if (!(value instanceof Uint8Array) || value.length !== bytes)
    throw new BadImageError(`an id of its log is not ${bytes} bytes`);
  return toHex(value);
}
