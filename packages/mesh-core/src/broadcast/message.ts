/** What a broadcast carries, and the bodies of its methods (docs/spec/broadcast.md). */
import { type NodeId, toHex } from "@glia-os/abi/ids";
import { type CborValue, decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { Vouch, type VouchOptions } from "../vouched.ts";

/** Version of broadcasts. */
export const BROADCAST_VERSION = 1;
/** Largest payload in bytes. */
export const BROADCAST_PAYLOAD_MAX = 16_384;
/** Longest topic. */
export const BROADCAST_TOPIC_MAX = 64;
/** Messages in one push. */
export const PUSH_MAX = 32;
/** Ids in one offer. */
export const OFFER_MAX = 256;
/** Bytes of an id: the first of the SHA-256 of the signed message. */
export const ID_BYTES = 16;
const STATEMENT_MAX = BROADCAST_PAYLOAD_MAX + 1024;

/** One message as its origin signs it. */
export interface BroadcastMessage {
  readonly boot: number;
  /** Grows with every message of this boot, from 1. */
  readonly seq: number;
  readonly expiresMs: number;
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** A message as it arrived. */
export interface HeardBroadcast {
  readonly message: BroadcastMessage;
  readonly origin: NodeId;
  verify(): void;
}

/** Signs and reads broadcasts. */
export class Broadcasts {
  readonly #vouch: Vouch;

  constructor(options: VouchOptions) {
    this.#vouch = new Vouch(options, "broadcast", "a broadcast", STATEMENT_MAX);
  }

  sign({ boot, seq, expiresMs, topic, payload }: BroadcastMessage): Uint8Array {
    return this.#vouch.sign([BROADCAST_VERSION, boot, seq, expiresMs, topic, payload]);
  }

  /** A message. @throws {MalformedMessageError}, certificate errors. */
  read(bytes: Uint8Array): HeardBroadcast {
    const vouched = this.#vouch.read(bytes);
    const reader = vouched.fields();
    reader.int("version", BROADCAST_VERSION, BROADCAST_VERSION);
    const message = {
      boot: reader.int("boot"),
      seq: reader.int("seq", Number.MAX_SAFE_INTEGER, 1),
      expiresMs: reader.int("expires"),
      topic: reader.text("topic", BROADCAST_TOPIC_MAX, 1),
      payload: reader.bytes("payload", BROADCAST_PAYLOAD_MAX),
    };
    reader.end();
    return { message, origin: vouched.speaker.node, verify: () => vouched.verify() };
  }
}

/** The body of `cast.push`: signed messages. */
export function pushBody(messages: readonly Uint8Array[]): Uint8Array {
  return encodeCbor([BROADCAST_VERSION, messages]);
}

/** Messages of a push. @throws {MalformedMessageError}. */
export function readPush(body: Uint8Array): Uint8Array[] {
  return readList(body, "a push", PUSH_MAX, STATEMENT_MAX + 1024, 1);
}

/** The body of `cast.offer` and of its answer: ids, as hexadecimal digits. */
export function idsBody(ids: readonly Uint8Array[]): Uint8Array {
  return encodeCbor([BROADCAST_VERSION, ids]);
}

/** Ids of an offer or of its answer. @throws {MalformedMessageError}. */
export function readIds(body: Uint8Array): string[] {
  return readList(body, "an offer", OFFER_MAX, ID_BYTES, ID_BYTES).map(toHex);
}

function readList(body: Uint8Array, what: string, count: number, max: number, min: number): Uint8Array[] {
  const reader = new FieldReader(decodeCbor(body, what), what);
  reader.int("version", BROADCAST_VERSION, BROADCAST_VERSION);
  const items = reader.list("items", count, (item: CborValue) =>
    new FieldReader([item], what).bytes("item", max, min),
  );
  reader.end();
  return items;
}
