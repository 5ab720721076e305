/**
 * Sealed packets (docs/spec/datagram.md): a header of 16 bytes, the sealed payload, a tag of 16 bytes.
 *
 * SP1. A packet is at most 1,232 bytes: with the headers of UDP and IPv6 that is 1,280, which every path of IPv6 takes
 *      (RFC 8200 section 5). The largest message, 1,200 bytes, just fits.
 * SP2. AES-256-GCM with the header as additional data. Key and nonce base belong to one direction of one session and one
 *      epoch; a sequence number is never used twice, also not across epochs.
 * SP3. A packet that does not open leaves no trace but a count: no answer, no error, no state.
 * SP4. A sender goes on to the next epoch after 2^20 packets, far below the 2^23 of RFC 9001 section 6.6. After epoch 65,535 it
 *      seals nothing more.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { ReplayWindow } from "./replay-window.ts";

/** First byte of every packet. Below 64, so it is neither QUIC, STUN nor DTLS (RFC 9443 section 3). */
export const PACKET_VERSION = 1;
/** Length of the header in bytes. */
export const PACKET_HEADER_BYTES = 16;
/** Length of the tag in bytes. */
export const PACKET_TAG_BYTES = 16;
/** What a packet has beyond its payload. */
export const PACKET_OVERHEAD_BYTES: number = PACKET_HEADER_BYTES + PACKET_TAG_BYTES;
/** Longest packet in bytes (SP1). */
export const PACKET_BYTES = 1232;
/** Packets of one epoch (SP4). */
export const EPOCH_PACKETS: number = 2 ** 20;
/** Length of a direction's secret in bytes. */
export const SECRET_BYTES = 32;
const EPOCH_MAX = 65_535;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const ALGORITHM = "aes-256-gcm";

/** What a packet is. */
export const PACKET_KIND = { message: 1, probe: 2, answer: 3 } as const;
const KINDS: readonly number[] = Object.values(PACKET_KIND);

/** The part of a packet that travels in the open. */
export interface PacketHeader {
  readonly kind: number;
  /** 0 to 65,535. */
  readonly epoch: number;
  /** Chosen by the receiver: which session this is for. 32 bits. */
  readonly path: number;
  /** 0 to 2^53 - 1. */
  readonly sequence: number;
}

/** The header of what may be a packet, or `undefined`. The rest of the packet was not looked at. */
export function readPacketHeader(packet: Uint8Array): PacketHeader | undefined {
  if (packet.length < PACKET_OVERHEAD_BYTES || packet.length > PACKET_BYTES) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, PACKET_HEADER_BYTES);
  const kind = view.getUint8(1);
  if (view.getUint8(0) !== PACKET_VERSION || !KINDS.includes(kind)) return undefined;
  const sequence = Number(view.getBigUint64(8));
  if (!Number.isSafeInteger(sequence)) return undefined;
  return { kind, epoch: view.getUint16(2), path: view.getUint32(4), sequence };
}

function writePacketHeader(header: PacketHeader): Buffer {
  const bytes = Buffer.alloc(PACKET_HEADER_BYTES);
  bytes.writeUInt8(PACKET_VERSION, 0);
  bytes.writeUInt8(header.kind, 1);
  bytes.writeUInt16BE(header.epoch, 2);
  bytes.writeUInt32BE(header.path, 4);
  bytes.writeBigUInt64BE(BigInt(header.sequence), 8);
  return bytes;
}

/** Key and nonce base of one epoch. */
interface EpochKey {
  readonly epoch: number;
  readonly key: Uint8Array;
  readonly base: Uint8Array;
}

function derive(secret: Uint8Array, what: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), `glia/datagram/v1 ${what}`, length));
}

/** The keys of one direction: each epoch's secret gives its key and the next secret, and never an earlier one. */
class EpochKeys {
  #secret: Uint8Array;
  #next = 0;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** The key of the next epoch, from 0 on. */
  advance(): EpochKey {
    const material = derive(this.#secret, "key", KEY_BYTES + NONCE_BYTES);
    this.#secret = derive(this.#secret, "next", SECRET_BYTES);
    return { epoch: this.#next++, key: material.subarray(0, KEY_BYTES), base: material.subarray(KEY_BYTES) };
  }
}

/** The nonce base with the sequence number added without carry (the manner of RFC 8446 section 5.3). */
function nonceOf({ base }: EpochKey, header: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(base);
  for (let i = 0; i < 8; i++) nonce[NONCE_BYTES - 8 + i]! ^= header[8 + i]!;
  return nonce;
}

/** Seals the packets of one direction. */
export class PacketSealer {
  readonly #keys: EpochKeys;
  readonly #path: number;
  readonly #epochPackets: number;
  #current: EpochKey;
  #sequence = 0;

  /** @param path what the receiver calls the session. @param epochPackets packets per epoch (SP4) */
  constructor(secret: Uint8Array, path: number, epochPackets: number = EPOCH_PACKETS) {
    this.#keys = new EpochKeys(secret);
    this.#path = path;
    this.#epochPackets = epochPackets;
    this.#current = this.#keys.advance();
  }

  /** A packet with this payload of at most 1,200 bytes; `undefined` once the last epoch is used up (SP4). */
  seal(kind: number, payload: Uint8Array): Buffer | undefined {
    const epoch = Math.floor(this.#sequence / this.#epochPackets);
    if (epoch > EPOCH_MAX) return undefined;
    if (epoch > this.#current.epoch) this.#current = this.#keys.advance();
    const header = writePacketHeader({ kind, epoch, path: this.#path, sequence: this.#sequence++ });
    const cipher = createCipheriv(ALGORITHM, this.#current.key, nonceOf(this.#current, header));
    cipher.setAAD(header);
    const sealed = cipher.update(payload);
    cipher.final();
    return Buffer.concat([header, sealed, cipher.getAuthTag()]);
  }
}

/** Opens the packets of one direction. */
export class PacketOpener {
  readonly #keys: EpochKeys;
  readonly #window = new ReplayWindow();
  #previous: EpochKey | undefined;
  #current: EpochKey;
  #next: EpochKey;

  constructor(secret: Uint8Array) {
    this.#keys = new EpochKeys(secret);
    this.#current = this.#keys.advance();
    this.#next = this.#keys.advance();
  }

  /** The highest sequence number opened, or -1. */
  get highest(): number {
    return this.#window.highest;
  }

  /** The payload, or `undefined` for a packet that is forged, damaged, replayed or too old (SP3). */
  open(packet: Uint8Array, header: PacketHeader): Uint8Array | undefined {
    if (!this.#window.fresh(header.sequence)) return undefined;
    const key = [this.#current, this.#previous, this.#next].find((own) => own?.epoch === header.epoch);
    if (key === undefined) return undefined;
    const payload = openWith(key, packet);
    if (payload === undefined) return undefined;
    this.#window.take(header.sequence);
    if (key === this.#next) this.#goOn();
    return payload;
  }

  #goOn(): void {
    this.#previous = this.#current;
    this.#current = this.#next;
    this.#next = this.#keys.advance();
  }
}

function openWith(key: EpochKey, packet: Uint8Array): Uint8Array | undefined {
  const header = packet.subarray(0, PACKET_HEADER_BYTES);
  const tagAt = packet.length - PACKET_TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key.key, nonceOf(key, header));
  decipher.setAAD(header);
  decipher.setAuthTag(packet.subarray(tagAt));
  const payload = decipher.update(packet.subarray(PACKET_HEADER_BYTES, tagAt));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return new Uint8Array(payload);
}
