/** Calls from the owner of an agent to its replica (docs/spec/replica.md), prefix `replica.`. Every one is safe to repeat. */
import { type AgentId, type Epoch, fromHex, toHex } from "@glia-os/abi/ids";
import { TOKEN_MAX } from "../anchor/messages.ts";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { META_MAX } from "../migration/messages.ts";

/** Bytes of a feed's id. */
export const FEED_ID_BYTES = 16;
/** Largest part of a checkpoint, and of entries in one call unless a single one is larger, in bytes. */
export const PART_MAX = 1_048_576;
/** Largest entry in bytes: the largest message of a link with room for its other fields. */
export const ENTRY_MAX: number = PART_MAX + 65_536;
/** Most entries in one call. */
export const ENTRIES_MAX = 512;

/** Most feeds in one beat. */
export const BEAT_FEEDS_MAX = 512;

/** A feed: 16 random bytes as hexadecimal, new for every seeding. */
export type FeedId = string;

/** The names of the calls. */
export const REPLICA_METHODS = {
  seed: "replica.seed",
  part: "replica.part",
  point: "replica.point",
  append: "replica.append",
  drop: "replica.drop",
  beat: "replica.beat",
  take: "replica.take",
  standing: "replica.standing",
} as const;

/** `replica.seed`: keep a copy of this agent; its log goes on after `position`. */
export interface SeedRequest {
  readonly feed: FeedId;
  readonly agent: AgentId;
  /** The epoch under which the owner began to count the positions of this log. */
  readonly since: Epoch;
  readonly position: number;
  readonly meta: Uint8Array;
}

/** `replica.part`: bytes of a checkpoint at an offset; of its head, or of what follows. */
export interface PartRequest {
  readonly feed: FeedId;
  readonly offset: number;
  readonly head: boolean;
  readonly bytes: Uint8Array;
}

/** `replica.point`: the checkpoint is complete. */
export interface PointRequest {
  readonly feed: FeedId;
  /** The last entry that is in it. */
  readonly position: number;
  /** Whether it stands by itself; else it is an increment to the one before. */
  readonly whole: boolean;
  /** Bytes of all its parts. */
  readonly total: number;
}

/** `replica.take`: the owner under this epoch cannot run the agent and gives it to its replica. */
export interface TakeRequest {
  readonly agent: AgentId;
  readonly epoch: Epoch;
}

/** `replica.append`: entries from a number on. */
export interface AppendRequest {
  readonly feed: FeedId;
  readonly first: number;
  readonly entries: readonly Uint8Array[];
}

/** The body of `replica.seed`. */
export function seedBody({ feed, agent, since, position, meta }: SeedRequest): Uint8Array {
  return encodeCbor([fromHex(feed), fromHex(agent), since, position, meta]);
}

/** A `replica.seed` from its body. */
export function readSeed(body: Uint8Array): SeedRequest {
  const reader = open(body, "a replica's seed");
  const seed = {
    feed: feedOf(reader),
    agent: reader.agent("agent"),
    since: reader.epoch("since"),
    position: reader.int("position"),
    meta: reader.bytes("meta", META_MAX),
  };
  reader.end();
  return seed;
}

/** The body of `replica.part`. */
export function partBody({ feed, offset, head, bytes }: PartRequest): Uint8Array {
  return encodeCbor([fromHex(feed), offset, head, bytes]);
}

/** A `replica.part` from its body. */
export function readPart(body: Uint8Array): PartRequest {
  const reader = open(body, "a part of a checkpoint");
  const part = {
    feed: feedOf(reader),
    offset: reader.int("offset"),
    head: reader.bool("head"),
    bytes: reader.bytes("bytes", PART_MAX, 1),
  };
  reader.end();
  return part;
}

/** The body of `replica.point`. */
export function pointBody({ feed, position, whole, total }: PointRequest): Uint8Array {
  return encodeCbor([fromHex(feed), position, whole, total]);
}

/** A `replica.point` from its body. */
export function readPoint(body: Uint8Array): PointRequest {
  const reader = open(body, "a checkpoint");
  const point = {
    feed: feedOf(reader),
    position: reader.int("position"),
    whole: reader.bool("whole"),
    total: reader.int("total"),
  };
  reader.end();
  return point;
}

/** The body of `replica.append`. */
export function appendBody({ feed, first, entries }: AppendRequest): Uint8Array {
  return encodeCbor([fromHex(feed), first, [...entries]]);
}

/** A `replica.append` from its body. */
export function readAppend(body: Uint8Array): AppendRequest {
  const reader = open(body, "entries of a log");
  const append = {
    feed: feedOf(reader),
    first: reader.int("first", Number.MAX_SAFE_INTEGER - ENTRIES_MAX, 1),
    entries: reader.list("entries", ENTRIES_MAX, (entry) =>
      new FieldReader([entry], "an entry").bytes("entry", ENTRY_MAX, 1),
    ),
  };
  reader.end();
  return append;
}

/** The body of `replica.drop`. */
export function dropBody(feed: FeedId): Uint8Array {
  return encodeCbor([fromHex(feed)]);
}

/** A `replica.drop` from its body. */
export function readDrop(body: Uint8Array): FeedId {
  const reader = open(body, "the end of a feed");
  const feed = feedOf(reader);
  reader.end();
  return feed;
}

/** The body of `replica.beat`: feeds that go on. */
export function beatBody(feeds: readonly FeedId[]): Uint8Array {
  return encodeCbor([feeds.map((feed) => fromHex(feed))]);
}

/** The feeds in a `replica.beat`. */
export function readBeat(body: Uint8Array): readonly FeedId[] {
  const reader = open(body, "a beat");
  const feeds = reader.list("feeds", BEAT_FEEDS_MAX, (feed) => feedOf(new FieldReader([feed], "a beat")));
  reader.end();
  return feeds;
}

/** The body of `replica.take`. */
export function takeBody({ agent, epoch }: TakeRequest): Uint8Array {
  return encodeCbor([fromHex(agent), epoch]);
}

/** A `replica.take` from its body. */
export function readTake(body: Uint8Array): TakeRequest {
  const reader = open(body, "an agent that is given away");
  const request = { agent: reader.agent("agent"), epoch: reader.epoch("epoch") };
  reader.end();
  return request;
}

/** The answer to a `replica.take`: the session under which the replica will have the agent. */
export function takenBody(sessionId: string): Uint8Array {
  return encodeCbor([sessionId]);
}

/** The session in the answer to a `replica.take`. */
export function readTaken(body: Uint8Array): string {
  const reader = open(body, "the answer of who is given an agent");
  const sessionId = reader.text("session", TOKEN_MAX, 1);
  reader.end();
  return sessionId;
}

/** How the copy of a replica stands that asks for the agent, for the others that do (RH7). */
export interface Standing {
  readonly since: Epoch;
  /** The last entry it has. */
  readonly held: number;
}

/** The body of `replica.standing`. */
export function standingBody(agent: AgentId): Uint8Array {
  return encodeCbor([fromHex(agent)]);
}

/** The agent of a `replica.standing`. */
export function readStandingOf(body: Uint8Array): AgentId {
  const reader = open(body, "a question for a copy");
  const agent = reader.agent("agent");
  reader.end();
  return agent;
}

/** The answer to a `replica.standing`; undefined: this node does not ask for the agent. */
export function standingAnswer(standing: Standing | undefined): Uint8Array {
  return encodeCbor(standing === undefined ? [] : [standing.since, standing.held]);
}

/** The standing in an answer. */
export function readStanding(body: Uint8Array): Standing | undefined {
  const reader = open(body, "how a copy stands");
  const standing = reader.more ? { since: reader.epoch("since"), held: reader.int("held") } : undefined;
  reader.end();
  return standing;
}

/** An answer that is a number. */
export function countAnswer(count: number): Uint8Array {
  return encodeCbor([count]);
}

/** The number in an answer. */
export function readCount(body: Uint8Array): number {
  const reader = open(body, "a replica's answer");
  const count = reader.int("count");
  reader.end();
  return count;
}

function open(body: Uint8Array, what: string): FieldReader {
  return new FieldReader(decodeCbor(body, what), what);
}

function feedOf(reader: FieldReader): FeedId {
  return toHex(reader.bytes("feed", FEED_ID_BYTES, FEED_ID_BYTES));
}
