/**
 * What transports of simulated machines say to each other, as bytes: a kind, the session's id, and fields.
 *
 * PK1. Reading gives what was written, or undefined: bytes that are no packet are dropped, never guessed at.
 * PK2. Only `datagram` packets travel as datagrams, and nothing else does: a changed datagram becomes nothing else.
 */

/** Bytes of a session id. */
export const ID_BYTES = 8;
/** Bytes of a public key. */
export const KEY_BYTES = 32;
/** Bytes of a nonce. */
export const NONCE_BYTES = 16;
/** Bytes of a signature. */
export const PROOF_BYTES = 64;
/** Bytes that vouch for a datagram. */
export const TAG_BYTES = 8;

/** The stream classes, by their number in packets. */
export const STREAM_CLASSES = ["request", "bulk"] as const;
/** A class whose messages arrive in order. */
export type StreamClass = (typeof STREAM_CLASSES)[number];

/** One packet. `id` is the session's, as text. */
export type Packet =
  /** A handshake begins. `port` is where the dialler listens, 0 if nowhere; `instance` differs between its boots. */
  | {
      readonly kind: "dial";
      readonly id: string;
      readonly to: number;
      readonly port: number;
      readonly instance: number;
      readonly key: Uint8Array;
      readonly nonce: Uint8Array;
    }
  | {
      readonly kind: "accept";
      readonly id: string;
      readonly instance: number;
      readonly key: Uint8Array;
      readonly nonce: Uint8Array;
      readonly proof: Uint8Array;
    }
  | { readonly kind: "confirm"; readonly id: string; readonly proof: Uint8Array }
  /** `yielded`: the other side's own dial is the one that counts. */
  | { readonly kind: "refuse"; readonly id: string; readonly yielded: boolean }
  /** A part of a message; `left` bytes of it follow in later parts. */
  | {
      readonly kind: "data";
      readonly id: string;
      readonly stream: StreamClass;
      readonly left: number;
      readonly bytes: Uint8Array;
    }
  /** So many bytes more may be sent. */
  | { readonly kind: "credit"; readonly id: string; readonly stream: StreamClass; readonly more: number }
  | { readonly kind: "close"; readonly id: string; readonly stream: StreamClass; readonly reason: string }
  | { readonly kind: "fail"; readonly id: string }
  | { readonly kind: "ping" | "pong"; readonly id: string }
  | {
      readonly kind: "datagram";
      readonly id: string;
      readonly counter: number;
      readonly tag: Uint8Array;
      readonly bytes: Uint8Array;
    };

const KINDS = [
  "dial",
  "accept",
  "confirm",
  "refuse",
  "data",
  "credit",
  "close",
  "fail",
  "ping",
  "pong",
  "datagram",
] as const;

/** The bytes of a packet. */
export function writePacket(packet: Packet): Uint8Array {
  const fields = fieldsOf(packet);
  const length = fields.reduce<number>((sum, field) => sum + widthOf(field), 0);
  const bytes = new Uint8Array(1 + ID_BYTES + length);
  const view = new DataView(bytes.buffer);
  bytes[0] = KINDS.indexOf(packet.kind);
  for (let i = 0; i < ID_BYTES; i++) bytes[1 + i] = Number.parseInt(packet.id.slice(2 * i, 2 * i + 2), 16);
  let at = 1 + ID_BYTES;
  for (const field of fields) {
    if (typeof field === "number") view.setUint32(at, field);
    else bytes.set(field, at);
    at += widthOf(field);
  }
  return bytes;
}

function widthOf(field: number | Uint8Array): number {
  return typeof field === "number" ? 4 : field.length;
}

/** The packet in some bytes; undefined when there is none (PK1). */
export function readPacket(bytes: Uint8Array): Packet | undefined {
  const kind = KINDS[bytes[0] ?? KINDS.length];
  if (kind === undefined || bytes.length < 1 + ID_BYTES) return undefined;
  const reader = new Fields(bytes);
  const packet = read(kind, reader);
  return packet !== undefined && reader.good ? packet : undefined;
}

/** An id as text. */
export function idText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fieldsOf(packet: Packet): readonly (number | Uint8Array)[] {
  switch (packet.kind) {
    case "dial":
      return [packet.to, packet.port, packet.instance, packet.key, packet.nonce];
    case "accept":
      return [packet.instance, packet.key, packet.nonce, packet.proof];
    case "confirm":
      return [packet.proof];
    case "refuse":
      return [packet.yielded ? 1 : 0];
    case "data":
      return [STREAM_CLASSES.indexOf(packet.stream), packet.left, packet.bytes];
    case "credit":
      return [STREAM_CLASSES.indexOf(packet.stream), packet.more];
    case "close":
      return [STREAM_CLASSES.indexOf(packet.stream), codeUnits(packet.reason)];
    case "datagram":
      return [packet.counter, packet.tag, packet.bytes];
    default:
      return [];
  }
}

function read(kind: (typeof KINDS)[number], fields: Fields): Packet | undefined {
  const { id } = fields;
  switch (kind) {
    case "dial": {
      const [to, port, instance] = [fields.number(), fields.number(), fields.number()];
      return { kind, id, to, port, instance, key: fields.take(KEY_BYTES), nonce: fields.take(NONCE_BYTES) };
    }
    case "accept": {
      const [instance, key] = [fields.number(), fields.take(KEY_BYTES)];
      return { kind, id, instance, key, nonce: fields.take(NONCE_BYTES), proof: fields.take(PROOF_BYTES) };
    }
    case "confirm":
      return { kind, id, proof: fields.take(PROOF_BYTES) };
    case "refuse":
      return { kind, id, yielded: fields.number() === 1 };
    case "data":
      return { kind, id, stream: fields.stream(), left: fields.number(), bytes: fields.rest() };
    case "credit":
      return { kind, id, stream: fields.stream(), more: fields.number() };
    case "close":
      return { kind, id, stream: fields.stream(), reason: textOf(fields.rest()) };
    case "datagram": {
      const counter = fields.number();
      return { kind, id, counter, tag: fields.take(TAG_BYTES), bytes: fields.rest() };
    }
    default:
      return { kind, id };
  }
}

class Fields {
  readonly id: string;
  readonly #bytes: Uint8Array;
  #at = 1 + ID_BYTES;
  good = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.id = idText(bytes.subarray(1, 1 + ID_BYTES));
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    if (taken.length < length) this.good = false;
    return taken;
  }

  number(): number {
    const bytes = this.take(4);
    return this.good ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : 0;
  }

  stream(): StreamClass {
    const stream = STREAM_CLASSES[this.number()];
    if (stream === undefined) this.good = false;
    return stream ?? "request";
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}

/** Text as code units of 16 bits: there is no encoder without a host. */
function codeUnits(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) new DataView(bytes.buffer).setUint16(2 * i, text.charCodeAt(i));
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 1 }, (_, i) => String.fromCharCode(view.getUint16(2 * i))).join(
    "",
  );
}
