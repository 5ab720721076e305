/**
 * The frame of every message between two nodes (docs/spec/envelope.md).
 *
 *     0        1        2                 4                                      12
 *     +--------+--------+-----------------+--------------------------------------+----------------
 *     | version| kind   | reserved, zero  | request id, unsigned, big-endian     | body: CBOR array
 *     +--------+--------+-----------------+--------------------------------------+----------------
 *
 * N1. A version or kind this build does not know is refused with a typed error before the body is looked at.
 * N2. The size is checked against the limit of the traffic class before anything is allocated.
 * N3. A request id is below 2^53. It is zero where a kind has no request.
 * N4. A large byte string of a message that arrived is a view of it (C5).
 */
import { MESSAGE_LIMIT_BYTES, type TrafficClass } from "@glia-os/abi/ports";
import {
  MalformedMessageError,
  MessageTooLargeError,
  UnknownKindError,
  UnsupportedVersionError,
} from "../errors.ts";
import { type CborBody, type CborValue, decodeCbor, encodeCbor } from "./cbor.ts";

/** The envelope version this build reads and writes. */
export const ENVELOPE_VERSION = 1;
/** Bytes before the body. */
export const ENVELOPE_HEADER_BYTES = 12;

/** Every kind of message. Numbers are never reused. */
export const KINDS = {
  hello: 1,
  welcome: 2,
  ready: 3,
  refusal: 4,
  joinRequest: 5,
  joinAccept: 6,
  clusterKeys: 7,
  recertify: 8,
  ping: 16,
  ack: 17,
  pingReq: 18,
  nack: 19,
  gossip: 20,
  viewDigest: 22,
  viewPart: 23,
  call: 32,
  reply: 33,
  failure: 34,
  linkData: 48,
  linkAck: 49,
  linkClose: 50,
} as const;

/** The name of a message kind. */
export type Kind = keyof typeof KINDS;

const ADMISSION_KINDS: ReadonlySet<Kind> = new Set([
  "hello",
  "welcome",
  "ready",
  "joinRequest",
  "joinAccept",
]);

/** Whether a kind belongs to the handshake, before a session is admitted. */
export function isAdmissionKind(kind: Kind): boolean {
  return ADMISSION_KINDS.has(kind);
}

const NAMES = new Map<number, Kind>(Object.entries(KINDS).map(([name, number]) => [number, name as Kind]));

/** One decoded message. */
export interface Envelope {
  readonly kind: Kind;
  /** Pairs a reply with its call; zero where a kind has none. */
  readonly requestId: number;
  readonly body: CborValue;
}

/** A message to be encoded: parts of its body may be in pieces. */
export type OutgoingEnvelope = Omit<Envelope, "body"> & { readonly body: CborBody };

const TWO_TO_32 = 0x1_0000_0000;

/** The bytes of a message. @throws {MessageTooLargeError} over the limit of `trafficClass`. */
export function encodeEnvelope(
  envelope: OutgoingEnvelope,
  trafficClass: TrafficClass = "request",
): Uint8Array {
  const body = encodeCbor(envelope.body);
  const max = MESSAGE_LIMIT_BYTES[trafficClass];
  const length = ENVELOPE_HEADER_BYTES + body.length;
  if (length > max) throw new MessageTooLargeError(`a ${envelope.kind} message`, length, max);
  const bytes = new Uint8Array(length);
  bytes.set(body, ENVELOPE_HEADER_BYTES);
  bytes[0] = ENVELOPE_VERSION;
  bytes[1] = KINDS[envelope.kind];
  const view = new DataView(bytes.buffer);
  view.setUint32(4, Math.floor(envelope.requestId / TWO_TO_32));
  view.setUint32(8, envelope.requestId % TWO_TO_32);
  return bytes;
}

/** The message in `bytes`. @throws the errors of N1, N2 and {@link MalformedMessageError}; nothing else, whatever the bytes. */
export function decodeEnvelope(bytes: Uint8Array, trafficClass: TrafficClass = "request"): Envelope {
  const max = MESSAGE_LIMIT_BYTES[trafficClass];
  if (bytes.length > max) throw new MessageTooLargeError("a message", bytes.length, max);
  if (bytes.length < ENVELOPE_HEADER_BYTES)
    throw new MalformedMessageError("an envelope", `it has ${bytes.length} bytes, fewer than its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(0);
  if (version !== ENVELOPE_VERSION) throw new UnsupportedVersionError(version, ENVELOPE_VERSION);
  const kind = NAMES.get(view.getUint8(1));
  if (kind === undefined) throw new UnknownKindError(view.getUint8(1));
  if (view.getUint16(2) !== 0)
    throw new MalformedMessageError("an envelope", "its reserved bytes are not zero");
  const requestId = view.getUint32(4) * TWO_TO_32 + view.getUint32(8);
  if (!Number.isSafeInteger(requestId))
    throw new MalformedMessageError("an envelope", "its request id is above 2^53 - 1");
  return { kind, requestId, body: decodeCbor(bytes.subarray(ENVELOPE_HEADER_BYTES), `the body of ${kind}`) };
}
