/**
 * The parts of a pre-copy that are not pages: its header and the state besides memory, which are CBOR, and the head of a round. What is
 * read comes from outside.
 */
import type { InstanceImage, PendingCall } from "@glia-os/abi/ports";
import { decode, encode } from "cborg";
import { PostCopyCorruptError, PreCopyCorruptError, SnapshotMismatchError } from "../errors.ts";
import { PAGE_BYTES } from "../layout.ts";
import { PART, PREFIX_BYTES, type PreCopyHeader, REGISTERS_HEAD_BYTES, ROUND_BYTES } from "./format.ts";

/** State besides memory. */
export type Registers = Pick<InstanceImage, "pending" | "sections">;

/** The error of the stream that a part belongs to. */
type Refusal = new (problem: string, cause?: unknown) => Error;

const MOST_SECTIONS = 16;
const MOST_ARGUMENTS = 16;
const MOST_NAME = 64;

/** What a stream starts with: magic and version (5 bytes), then the header. */
export function prefixOf(
  start: readonly number[],
  hash: string,
  profile: string,
  more: Readonly<Record<string, number>> = {},
): Uint8Array {
  const header = encode({ module: Buffer.from(hash, "hex"), ...more, profile });
  const bytes = new Uint8Array(PREFIX_BYTES + header.length);
  bytes.set(start);
  new DataView(bytes.buffer).setUint32(5, header.length, true);
  bytes.set(header, PREFIX_BYTES);
  return bytes;
}

/** The head of a round of this kind and number, of a guest with so many bytes of memory. */
export function roundHead(part: number, round: number, memoryBytes: number): Uint8Array {
  const bytes = new Uint8Array(ROUND_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = part;
  view.setUint32(1, round, true);
  view.setUint32(5, memoryBytes / PAGE_BYTES, true);
  return bytes;
}

/** Everything of an image but memory. */
export function registersOf({ pending, sections }: InstanceImage): Uint8Array {
  const { memory: _, ...rest } = sections;
  const content = encode({ pending: [pending.requestId, pending.op, [...pending.args]], sections: rest });
  const bytes = new Uint8Array(REGISTERS_HEAD_BYTES + content.length);
  bytes[0] = PART.registers;
  new DataView(bytes.buffer).setUint32(1, content.length, true);
  bytes.set(content, REGISTERS_HEAD_BYTES);
  return bytes;
}

/** The header, which must name this module. @throws PreCopyCorruptError, SnapshotMismatchError */
export function decodeHeader(bytes: Uint8Array, program: { readonly hash: string }): PreCopyHeader {
  return headerOf(
    mapOf(bytes, ["module", "profile"], "header", PreCopyCorruptError),
    program,
    PreCopyCorruptError,
  );
}

/** The same of a post-copy, which also says how many pages of 64 KiB there are. @throws PostCopyCorruptError, SnapshotMismatchError */
export function decodePostHeader(
  bytes: Uint8Array,
  program: { readonly hash: string },
): PreCopyHeader & { readonly pages: number } {
  const header = mapOf(bytes, ["module", "pages", "profile"], "header", PostCopyCorruptError);
  const { pages } = header;
  if (typeof pages !== "number") throw new PostCopyCorruptError("its header says no number of pages");
  return { ...headerOf(header, program, PostCopyCorruptError), pages };
}

function headerOf(
  { module, profile }: Record<string, unknown>,
  program: { readonly hash: string },
  Corrupt: Refusal,
): PreCopyHeader {
  if (!(module instanceof Uint8Array) || typeof profile !== "string" || profile.length > MOST_NAME)
    throw new Corrupt("its header names no module and profile");
  const hash = Buffer.from(module).toString("hex");
  if (hash !== program.hash) throw new SnapshotMismatchError("the module", hash, program.hash);
  return { module, profile };
}

/** The state besides memory. What it means is checked when the guest is made of it. @throws PreCopyCorruptError */
export function decodeRegisters(bytes: Uint8Array, Corrupt: Refusal = PreCopyCorruptError): Registers {
  const { pending, sections } = mapOf(bytes, ["pending", "sections"], "state besides memory", Corrupt);
  return { pending: pendingOf(pending, Corrupt), sections: sectionsOf(sections, Corrupt) };
}

function mapOf(
  bytes: Uint8Array,
  keys: readonly string[],
  part: string,
  Corrupt: Refusal,
): Record<string, unknown> {
  let value: unknown;
  try {
    value = decode(bytes, {
      strict: true,
      rejectDuplicateMapKeys: true,
      allowUndefined: false,
      allowBigInt: false,
    });
  } catch (cause) {
    throw new Corrupt(`its ${part} is not CBOR`, cause);
  }
  if (!isMap(value) || Object.keys(value).sort().join() !== keys.join())
    throw new Corrupt(`its ${part} has not the keys of version 1`);
  return value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pendingOf(value: unknown, Corrupt: Refusal): PendingCall {
  const [requestId, op, args] = Array.isArray(value) && value.length === 3 ? (value as unknown[]) : [];
  const named = typeof op === "string" && op.length <= MOST_NAME && Number.isSafeInteger(requestId);
  if (!named || !Array.isArray(args) || args.length > MOST_ARGUMENTS || !args.every(Number.isSafeInteger))
    throw new Corrupt("its pending call is malformed");
  return { requestId: requestId as number, op, args: args as number[] };
}

function sectionsOf(value: unknown, Corrupt: Refusal): InstanceImage["sections"] {
  const entries = isMap(value) ? Object.entries(value) : [];
  const fits = entries.every(([name, content]) => NAME.test(name) && content instanceof Uint8Array);
  if (!isMap(value) || entries.length > MOST_SECTIONS || !fits || Object.hasOwn(value, "memory"))
    throw new Corrupt("its sections are malformed");
  return value as Record<string, Uint8Array>;
}

const NAME = /^[a-z][a-z-]{0,31}$/;
