/** Calls between the two ends of a move (docs/spec/migration.md), prefix `move.`. Every one is safe to repeat. */
import { type AgentId, type Epoch, fromHex } from "@glia-os/abi/ids";
import type { Digests } from "@glia-os/abi/ports";
import { TOKEN_MAX } from "../anchor/messages.ts";
import { ascii, concat } from "../codec/ascii.ts";
import { decodeCbor, encodeBefore, encodeCbor } from "../codec/cbor.ts";
import { type JoinedBytes, partsOf } from "../codec/joined-bytes.ts";
import { FieldReader } from "../codec/reader.ts";

/** Bytes of a move's id. */
export const MOVE_ID_BYTES = 16;
/** Largest chunk of a snapshot in bytes. */
export const CHUNK_MAX = 1_048_576;
/** Largest description of an agent in bytes: a call's limit less its other fields. */
export const META_MAX = 16_773_120;
/** Largest snapshot in bytes: 32,768 pages of 64 KiB and what belongs to them. */
export const SNAPSHOT_MAX = 4_294_967_296;
/** Most bytes that the destination of a post-copy says in one call. */
export const SAID_MAX = 65_536;
/** Pages calls of one move that may be on their way at once. */
export const PAGE_CALLS_MAX = 4;
const HASH_BYTES = 32;
const HASH_DOMAIN = ascii("glia/move/v1\0");

/** The names of the calls. */
export const MOVE_METHODS = {
  plan: "move.plan",
  chunk: "move.chunk",
  stage: "move.stage",
  activate: "move.activate",
  abort: "move.abort",
  status: "move.status",
  pages: "move.pages",
} as const;

/** `move.plan`: may this agent come? Answered with the destination's coordination session. */
export interface PlanRequest {
  readonly move: Uint8Array;
  readonly agent: AgentId;
  readonly epoch: Epoch;
  readonly estimatedBytes: number;
  readonly meta: Uint8Array;
}

/** `move.chunk`: bytes at an offset, and the running hash after them. */
export interface ChunkRequest {
  readonly move: Uint8Array;
  readonly offset: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The same on its way out: its bytes may be in parts. */
export type OutgoingChunk = Omit<ChunkRequest, "bytes"> & { readonly bytes: Uint8Array | JoinedBytes };

/** `move.pages`, from the destination: what it says to the source, for the next bytes of its stream. */
export interface PagesRequest {
  readonly move: Uint8Array;
  /** From 1, in the order in which they are answered and taken. */
  readonly number: number;
  readonly said: Uint8Array;
  /** The destination does not need the source any more: it has everything, or it has given the agent up. */
  readonly over: boolean;
}

/** The running hash before the first chunk. */
export function firstHash(digests: Digests, move: Uint8Array): Uint8Array {
  return digests.sha256(concat(HASH_DOMAIN, move));
}

/** The running hash after one more chunk. */
export function nextHash(digests: Digests, before: Uint8Array, chunk: Uint8Array | JoinedBytes): Uint8Array {
  const parts = [before, ...partsOf(chunk)];
  return digests.sha256Of?.(parts) ?? digests.sha256(concat(...parts));
}

/** The body of `move.plan`. */
export function planBody({ move, agent, epoch, estimatedBytes, meta }: PlanRequest): Uint8Array {
  return encodeCbor([move, fromHex(agent), epoch, estimatedBytes, meta]);
}

/** A `move.plan` from its body. */
export function readPlan(body: Uint8Array): PlanRequest {
  const reader = open(body, "a move plan");
  const plan = {
    move: moveOf(reader),
    agent: reader.agent("agent"),
    epoch: reader.epoch("epoch"),
    estimatedBytes: reader.int("estimated bytes", SNAPSHOT_MAX),
    meta: reader.bytes("meta", META_MAX),
  };
  reader.end();
  return plan;
}

/** The answer to `move.plan`. */
export function planAnswer(sessionId: string): Uint8Array {
  return encodeCbor([sessionId]);
}

/** The session id in the answer to `move.plan`. */
export function readPlanAnswer(body: Uint8Array): string {
  const reader = open(body, "a plan answer");
  const sessionId = reader.text("session", TOKEN_MAX, 1);
  reader.end();
  return sessionId;
}

/** The body of `move.chunk`; the bytes are not copied. */
export function chunkBody({ move, offset, hash, bytes }: OutgoingChunk): JoinedBytes {
  return encodeBefore([move, offset, hash], bytes);
}

/** A `move.chunk` from its body. */
export function readChunk(body: Uint8Array): ChunkRequest {
  const reader = open(body, "a snapshot chunk");
  const chunk = {
    move: moveOf(reader),
    offset: reader.int("offset", SNAPSHOT_MAX),
    hash: reader.bytes("hash", HASH_BYTES, HASH_BYTES),
    bytes: reader.bytes("bytes", CHUNK_MAX, 1),
  };
  reader.end();
  return chunk;
}

/** The body of `move.stage`: everything was sent. */
export function stageBody(move: Uint8Array, total: number, hash: Uint8Array): Uint8Array {
  return encodeCbor([move, total, hash]);
}

/** A `move.stage` from its body. */
export function readStage(body: Uint8Array): { move: Uint8Array; total: number; hash: Uint8Array } {
  const reader = open(body, "a stage request");
  const move = moveOf(reader);
  const total = reader.int("total", SNAPSHOT_MAX);
  const hash = reader.bytes("hash", HASH_BYTES, HASH_BYTES);
  reader.end();
  return { move, total, hash };
}

/** The body of `move.activate`: the epoch was committed. */
export function activateBody(move: Uint8Array, epoch: Epoch): Uint8Array {
  return encodeCbor([move, epoch]);
}

/** A `move.activate` from its body. */
export function readActivate(body: Uint8Array): { move: Uint8Array; epoch: Epoch } {
  const reader = open(body, "an activation");
  const activation = { move: moveOf(reader), epoch: reader.epoch("epoch") };
  reader.end();
  return activation;
}

/** The body of `move.abort` and `move.status`. */
export function moveBody(move: Uint8Array): Uint8Array {
  return encodeCbor([move]);
}

/** A `move.abort` or `move.status` from its body. */
export function readMove(body: Uint8Array): Uint8Array {
  const reader = open(body, "a move id");
  const move = moveOf(reader);
  reader.end();
  return move;
}

/** The body of `move.pages`. */
export function pagesBody({ move, number, said, over }: PagesRequest): Uint8Array {
  return encodeCbor([move, number, said, over]);
}

/** A `move.pages` from its body. */
export function readPages(body: Uint8Array): PagesRequest {
  const reader = open(body, "a request for pages");
  const request = {
    move: moveOf(reader),
    number: reader.int("number"),
    said: reader.bytes("said", SAID_MAX),
    over: reader.bool("over"),
  };
  reader.end();
  return request;
}

/** The answer to `move.pages`. */
export function pagesAnswer(bytes: Uint8Array): Uint8Array {
  return encodeCbor([bytes]);
}

/** The bytes in the answer to `move.pages`. */
export function readPagesAnswer(body: Uint8Array): Uint8Array {
  const reader = open(body, "pages");
  const bytes = reader.bytes("bytes", CHUNK_MAX);
  reader.end();
  return bytes;
}

/** One number as an answer. */
export function numberAnswer(value: number): Uint8Array {
  return encodeCbor([Math.max(0, Math.round(value))]);
}

/** The number in an answer. */
export function readNumber(body: Uint8Array): number {
  const reader = open(body, "an answer");
  const value = reader.int("value");
  reader.end();
  return value;
}

function open(body: Uint8Array, what: string): FieldReader {
  return new FieldReader(decodeCbor(body, what), what);
}

function moveOf(reader: FieldReader): Uint8Array {
  return reader.bytes("move", MOVE_ID_BYTES, MOVE_ID_BYTES);
}
