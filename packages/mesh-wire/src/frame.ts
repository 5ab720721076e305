/**
 * Frames on a TLS connection (docs/spec/frame.md): a fixed header of 12 bytes, then at most 16 KiB of payload.
 *
 * F1. A header is checked completely before anything is allocated or kept because of it.
 * F2. Whatever the bytes, the decoder either delivers frames that follow the format or throws {@link BadFrameError};
 *     after that it takes no more bytes.
 * F3. The decoder itself holds at most one header and one control payload.
 */
import { MESSAGE_LIMIT_BYTES, type TrafficClass } from "@glia-os/abi/ports";
import { BadFrameError } from "./errors.ts";

/** Version byte of the format. */
export const FRAME_VERSION = 1;
/** Length of every header in bytes. */
export const FRAME_HEADER_BYTES = 12;
/** Longest payload in bytes: one TLS record (RFC 8446 section 5.1), so that a probe waits for no more than that. */
export const FRAME_PAYLOAD_BYTES = 16_384;
/** First frame of a message. */
export const FLAG_FIRST = 1;
/** Last frame of a message. */
export const FLAG_LAST = 2;
const FLAG_WHOLE = FLAG_FIRST | FLAG_LAST;

/** What a frame is. Data kinds are below 16. */
export const FRAME_KIND = {
  datagram: 1,
  request: 2,
  bulk: 3,
  hello: 16,
  welcome: 17,
  refuse: 18,
  credit: 19,
  ping: 20,
  pong: 21,
  openBulk: 22,
  close: 23,
  offerUdp: 24,
} as const;

/** Longest reason text in a `close` or `refuse` frame, in bytes of UTF-8. */
export const REASON_BYTES = 512;

/** The traffic class of a data kind. */
export const CLASS_OF_KIND: Readonly<Record<number, TrafficClass>> = {
  [FRAME_KIND.datagram]: "datagram",
  [FRAME_KIND.request]: "request",
  [FRAME_KIND.bulk]: "bulk",
};

/** Shortest and longest payload of each control kind. */
const CONTROL_PAYLOAD: Readonly<Record<number, readonly [number, number]>> = {
  [FRAME_KIND.hello]: [57, 57],
  [FRAME_KIND.welcome]: [24, 24],
  [FRAME_KIND.refuse]: [1, 1 + REASON_BYTES],
  [FRAME_KIND.credit]: [4, 4],
  [FRAME_KIND.ping]: [8, 8],
  [FRAME_KIND.pong]: [8, 8],
  [FRAME_KIND.openBulk]: [0, 0],
  [FRAME_KIND.close]: [1, 1 + REASON_BYTES],
  [FRAME_KIND.offerUdp]: [6, 6],
};

/** A checked header. */
export interface FrameHeader {
  readonly kind: number;
  readonly flags: number;
  /** Bytes of this frame's payload. */
  readonly payloadLength: number;
  /** Bytes of the whole message this frame is a part of. */
  readonly messageLength: number;
}

/** What receives decoded frames. A method may throw a typed error to refuse; it reaches the caller of `push`. */
export interface FrameSink {
  /** A data frame starts. */
  begin(header: FrameHeader): void;
  /** A piece of its payload. The view is valid only during the call. */
  data(piece: Uint8Array): void;
  /** The data frame is complete. */
  end(): void;
  /** A control frame. The payload is the sink's to keep. */
  control(kind: number, payload: Uint8Array): void;
}

/** Write a header at `offset` and return the offset behind it. */
export function writeFrameHeader(target: Buffer, offset: number, header: FrameHeader): number {
  target[offset] = FRAME_VERSION;
  target[offset + 1] = header.kind;
  target[offset + 2] = header.flags;
  target[offset + 3] = 0;
  target.writeUInt32BE(header.payloadLength, offset + 4);
  target.writeUInt32BE(header.messageLength, offset + 8);
  return offset + FRAME_HEADER_BYTES;
}

/** A control frame as bytes. */
export function controlFrame(kind: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  const length = payload.length;
  frame.set(
    payload,
    writeFrameHeader(frame, 0, { kind, flags: FLAG_WHOLE, payloadLength: length, messageLength: length }),
  );
  return frame;
}

/** Check a header (F1). @throws {BadFrameError} */
export function readFrameHeader(bytes: Uint8Array): FrameHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES);
  const version = view.getUint8(0);
  if (version !== FRAME_VERSION) throw new BadFrameError(`its version is ${version}, not ${FRAME_VERSION}`);
  if (view.getUint8(3) !== 0) throw new BadFrameError("its reserved byte is not zero");
  const header = {
    kind: view.getUint8(1),
    flags: view.getUint8(2),
    payloadLength: view.getUint32(4),
    messageLength: view.getUint32(8),
  };
  if ((header.flags & ~FLAG_WHOLE) !== 0) throw new BadFrameError(`its flags are ${header.flags}`);
  if (header.payloadLength > FRAME_PAYLOAD_BYTES) {
    throw new BadFrameError(`its payload of ${header.payloadLength} bytes is over ${FRAME_PAYLOAD_BYTES}`);
  }
  const trafficClass = CLASS_OF_KIND[header.kind];
  if (trafficClass === undefined) checkControl(header);
  else checkData(header, trafficClass);
  return header;
}

function checkControl(header: FrameHeader): void {
  const range = CONTROL_PAYLOAD[header.kind];
  if (range === undefined) throw new BadFrameError(`its kind ${header.kind} is unknown`);
  if (header.payloadLength < range[0] || header.payloadLength > range[1]) {
    throw new BadFrameError(
      `a payload of ${header.payloadLength} bytes does not fit its kind ${header.kind}`,
    );
  }
  if (header.flags !== FLAG_WHOLE || header.messageLength !== header.payloadLength) {
    throw new BadFrameError("a control frame is not whole");
  }
}

function checkData(header: FrameHeader, trafficClass: TrafficClass): void {
  const { flags, payloadLength, messageLength } = header;
  const limit = MESSAGE_LIMIT_BYTES[trafficClass];
  if (messageLength > limit) {
    throw new BadFrameError(
      `a ${trafficClass} message of ${messageLength} bytes is over the limit of ${limit}`,
    );
  }
  if (payloadLength > messageLength) throw new BadFrameError("its payload is longer than its message");
  if (flags === FLAG_WHOLE && payloadLength !== messageLength)
    throw new BadFrameError("a whole message has another length");
  if (flags !== FLAG_WHOLE && payloadLength === 0) throw new BadFrameError("a part of a message is empty");
  if (trafficClass === "datagram" && flags !== FLAG_WHOLE) throw new BadFrameError("a datagram is split");
}

/** Turns a stream of bytes into frames. */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #header: Buffer = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerFilled = 0;
  #current: FrameHeader | undefined;
  #remaining = 0;
  #control: Uint8Array | undefined;
  #failed: unknown;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Take the next bytes of the stream. @throws {BadFrameError} (F2), and whatever the sink throws */
  push(chunk: Uint8Array): void {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      for (let at = 0; at < chunk.length; ) {
        at =
          this.#current === undefined
            ? this.#takeHeader(chunk, at)
            : this.#takePayload(chunk, at, this.#current);
      }
    } catch (error) {
      this.#failed = error;
      throw error;
    }
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const count = Math.min(FRAME_HEADER_BYTES - this.#headerFilled, chunk.length - at);
    this.#header.set(chunk.subarray(at, at + count), this.#headerFilled);
    this.#headerFilled += count;
    if (this.#headerFilled === FRAME_HEADER_BYTES) {
      this.#headerFilled = 0;
      this.#begin(readFrameHeader(this.#header));
    }
    return at + count;
  }

  #begin(header: FrameHeader): void {
    this.#remaining = header.payloadLength;
    if (CLASS_OF_KIND[header.kind] === undefined) this.#control = new Uint8Array(header.payloadLength);
    else this.#sink.begin(header);
    if (this.#remaining === 0) this.#finish(header);
    else this.#current = header;
  }

  #takePayload(chunk: Uint8Array, at: number, header: FrameHeader): number {
    const count = Math.min(this.#remaining, chunk.length - at);
    const piece = chunk.subarray(at, at + count);
    if (this.#control === undefined) this.#sink.data(piece);
    else this.#control.set(piece, header.payloadLength - this.#remaining);
    this.#remaining -= count;
    if (this.#remaining === 0) this.#finish(header);
    return at + count;
  }

  #finish(header: FrameHeader): void {
    this.#current = undefined;
    const control = this.#control;
    this.#control = undefined;
    if (control === undefined) this.#sink.end();
    else this.#sink.control(header.kind, control);
  }
}
