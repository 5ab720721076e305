/** Payloads of control frames (docs/spec/frame.md section 4). Lengths were checked by the decoder. */
import { ProtocolViolationError } from "./errors.ts";
import { REASON_BYTES } from "./frame.ts";

/** What a connection is for. */
export const PURPOSE = { session: 1, bulk: 2 } as const;
/** Length of the random name of a running transport, in bytes. */
export const INSTANCE_BYTES = 16;
const ORDINAL_BYTES = INSTANCE_BYTES + 8;
const BINDING_BYTES = 32;

/** Why a connection or session ends; 0 is the orderly close. */
export const CLOSE_CODE = { orderly: 0, violation: 1, failure: 2 } as const;

/** Why a hello is refused. */
export const REFUSAL = {
  duplicate: 1,
  sessionLimit: 2,
  certificate: 3,
  unknownSession: 4,
  protocol: 5,
} as const;

/** The names of {@link REFUSAL} for error details. */
const REFUSAL_NAMES = ["unknown", "duplicate", "session-limit", "certificate", "unknown-session", "protocol"];

/**
 * A moment in the life of one running transport: its random name and a count of the hellos and welcomes it has sent.
 * The ordinal of a session's hello is the id of the session.
 */
export interface Ordinal {
  /** {@link INSTANCE_BYTES} random bytes as hexadecimal. */
  readonly instance: string;
  /** From 1. */
  readonly count: number;
}

/** The first frame of the dialling side. */
export interface Hello {
  readonly purpose: number;
  /** Of this hello; for a bulk connection, of the hello that opened the session. */
  readonly ordinal: Ordinal;
  /** Ties a bulk connection to its session; zero for a session. */
  readonly binding: Uint8Array;
}

/** A code with a sentence for people. */
export interface CodedReason {
  readonly code: number;
  readonly reason: string;
}

/** The bytes of an ordinal, which is the whole payload of a welcome. */
export function writeOrdinal(ordinal: Ordinal): Uint8Array {
  const bytes = Buffer.alloc(ORDINAL_BYTES);
  bytes.write(ordinal.instance, "hex");
  bytes.writeBigUInt64BE(BigInt(ordinal.count), INSTANCE_BYTES);
  return bytes;
}

/** An ordinal from its bytes. @throws {ProtocolViolationError} for a count no transport reaches */
export function readOrdinal(payload: Uint8Array): Ordinal {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, ORDINAL_BYTES);
  const count = Number(bytes.readBigUInt64BE(INSTANCE_BYTES));
  if (!Number.isSafeInteger(count) || count < 1)
    throw new ProtocolViolationError(`its ordinal counts ${count}`);
  return { instance: bytes.toString("hex", 0, INSTANCE_BYTES), count };
}

/** The bytes of a hello. */
export function writeHello(hello: Hello): Uint8Array {
  return Buffer.concat([Uint8Array.of(hello.purpose), writeOrdinal(hello.ordinal), hello.binding]);
}

/** A hello from its bytes. @throws {ProtocolViolationError} for an unknown purpose */
export function readHello(payload: Uint8Array): Hello {
  const purpose = payload[0]!;
  if (purpose !== PURPOSE.session && purpose !== PURPOSE.bulk) {
    throw new ProtocolViolationError(`its hello has the unknown purpose ${purpose}`);
  }
  const ordinal = readOrdinal(payload.subarray(1));
  return { purpose, ordinal, binding: payload.slice(1 + ORDINAL_BYTES) };
}

/** Where a side takes the datagrams of a session (docs/spec/datagram.md section 3). */
export interface DatagramOffer {
  /** UDP port, 1 to 65,535. */
  readonly port: number;
  /** What packets to this side have to name: 32 bits. */
  readonly path: number;
}

/** The bytes of an offer. */
export function writeDatagramOffer(offer: DatagramOffer): Uint8Array {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(offer.port, 0);
  bytes.writeUInt32BE(offer.path, 2);
  return bytes;
}

/** An offer from its bytes. @throws {ProtocolViolationError} for port 0, and when there was an offer before */
export function readDatagramOffer(payload: Uint8Array, before: DatagramOffer | undefined): DatagramOffer {
  const bytes = Buffer.from(payload);
  const port = bytes.readUInt16BE(0);
  if (before !== undefined) throw new ProtocolViolationError("it offered a second port for datagrams");
  if (port === 0) throw new ProtocolViolationError("it offered port 0 for datagrams");
  return { port, path: bytes.readUInt32BE(2) };
}

/** The binding of a hello that opens a session. */
export function noBinding(): Uint8Array {
  return new Uint8Array(BINDING_BYTES);
}

/** The bytes of a `close` or `refuse` payload. A long reason is cut at a character. */
export function writeCodedReason(code: number, reason: string): Uint8Array {
  const text = Buffer.alloc(REASON_BYTES);
  const { written } = new TextEncoder().encodeInto(reason, text);
  return Buffer.concat([Uint8Array.of(code), text.subarray(0, written)]);
}

/** A `close` or `refuse` payload. Control characters are replaced, because the text ends in logs and terminals. */
export function readCodedReason(payload: Uint8Array): CodedReason {
  const text = new TextDecoder().decode(payload.subarray(1));
  return { code: payload[0]!, reason: text.replace(/\p{Cc}/gu, "\uFFFD") };
}

/** The name of a refusal code. */
export function refusalName(code: number): string {
  return REFUSAL_NAMES[code] ?? "unknown";
}
