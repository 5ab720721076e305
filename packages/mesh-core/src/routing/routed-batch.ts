/**
 * Messages from one node to another that others pass on (docs/spec/routed.md).
 *
 * RB1. The source signs everything but the time to live and the path, once per batch.
 * RB2. A batch has 1 to {@link BATCH_MESSAGES_MAX} messages and at most {@link BATCH_BYTES_MAX} bytes of payload.
 */
import { fromHex, type NodeId } from "@glia-os/abi/ids";
import { type CborValue, decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { Vouch, type VouchOptions } from "../vouched.ts";

/** Version of routed batches. */
export const ROUTED_VERSION = 1;
/** Messages in one batch. */
export const BATCH_MESSAGES_MAX = 64;
/** Bytes of payload in one batch. */
export const BATCH_BYTES_MAX = 262_144;
/** Longest topic. */
export const TOPIC_MAX = 64;
/** Most hops of a batch. */
export const HOPS_MAX = 16;
const STATEMENT_MAX = BATCH_BYTES_MAX + BATCH_MESSAGES_MAX * (TOPIC_MAX + 16) + 1024;

/** One message. */
export interface RoutedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What the source signs. */
export interface RoutedBatch {
  readonly to: NodeId;
  readonly boot: number;
  /** Grows with every batch of this boot, from 1. */
  readonly seq: number;
  /** After this nobody takes it, in milliseconds since the Unix epoch. */
  readonly expiresMs: number;
  readonly messages: readonly RoutedMessage[];
}

/** A batch as it arrived. */
export interface HeardBatch {
  readonly batch: RoutedBatch;
  readonly source: NodeId;
  verify(): void;
}

/** What a hop adds, unsigned. */
export interface Forwarded {
  /** Hops left after this one. */
  readonly ttl: number;
  /** Nodes that passed it on, the source first. */
  readonly path: readonly NodeId[];
  /** Most time the receiver may take to bring it on, in milliseconds. */
  readonly budgetMs: number;
  readonly batch: Uint8Array;
}

/** Signs and reads batches. */
export class RoutedBatches {
  readonly #vouch: Vouch;

  constructor(options: VouchOptions) {
    this.#vouch = new Vouch(options, "routed-batch", "a routed batch", STATEMENT_MAX);
  }

  /** The signed bytes of a batch. */
  sign({ to, boot, seq, expiresMs, messages }: RoutedBatch): Uint8Array {
    const list: CborValue = messages.map(({ topic, payload }) => [topic, payload]);
    return this.#vouch.sign([ROUTED_VERSION, fromHex(to), boot, seq, expiresMs, list]);
  }

  /** A batch. @throws {MalformedMessageError} and certificate errors. */
  read(bytes: Uint8Array): HeardBatch {
    const vouched = this.#vouch.read(bytes);
    const reader = vouched.fields();
    reader.int("version", ROUTED_VERSION, ROUTED_VERSION);
    const batch = {
      to: reader.node("to"),
      boot: reader.int("boot"),
      seq: reader.int("seq", Number.MAX_SAFE_INTEGER, 1),
      expiresMs: reader.int("expires"),
      messages: reader.list("messages", BATCH_MESSAGES_MAX, readMessage),
    };
    reader.end();
    return { batch, source: vouched.speaker.node, verify: () => vouched.verify() };
  }
}

/** The body of `route.forward`. */
export function forwardBody({ ttl, path, budgetMs, batch }: Forwarded): Uint8Array {
  return encodeCbor([ROUTED_VERSION, ttl, path.map((node) => fromHex(node)), budgetMs, batch]);
}

/** A body of `route.forward`. @throws {MalformedMessageError}. */
export function readForward(body: Uint8Array): Forwarded {
  const reader = new FieldReader(decodeCbor(body, "a forward"), "a forward");
  reader.int("version", ROUTED_VERSION, ROUTED_VERSION);
  const ttl = reader.int("ttl", HOPS_MAX);
  const path = reader.list("path", HOPS_MAX, (item) => new FieldReader([item], "a path").node("node"));
  const budgetMs = reader.int("budget", 60_000);
  const batch = reader.bytes("batch", STATEMENT_MAX + 1024, 1);
  reader.end();
  return { ttl, path, budgetMs, batch };
}

function readMessage(fields: CborValue): RoutedMessage {
  const reader = new FieldReader(fields, "a routed message");
  const message = {
    topic: reader.text("topic", TOPIC_MAX, 1),
    payload: reader.bytes("payload", BATCH_BYTES_MAX),
  };
  reader.end();
  return message;
}
