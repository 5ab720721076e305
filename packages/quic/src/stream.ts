/**
 * A stream as a Node Duplex.
 *
 * ST1. Back-pressure both ways: while the reader's buffer is full the addon reads nothing, which stops the peer; a write's callback is
 *      called when OpenSSL took all of it.
 * ST2. A stream that ends well on both halves is released without a reset. One that is destroyed sends a reset for what it did not finish
 *      and tells the peer to stop what it did not read.
 * ST3. What a peer does never ends the process: an error that nobody listens for is kept in `errored`.
 */
import { Duplex, type DuplexOptions } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import { checkNumber } from "./checks.ts";
import { CODE_MAX } from "./close.ts";
import { StreamResetError, StreamStoppedError } from "./errors.ts";
import type { NativeEndpoint, NativeQuic } from "./native.ts";

/** Bytes buffered above OpenSSL per half. */
const BUFFER_BYTES = 256 * 1024;
/** Small writes that wait together go to OpenSSL as one, up to this size. */
const GATHER_BYTES = 64 * 1024;
/** RFC 9000 section 2.1: this bit of a stream's number tells unidirectional ones. */
const UNIDIRECTIONAL_BIT = 2;

/** A stream. Bidirectional ones read and write; of a unidirectional one, one side writes and the other reads. */
export interface QuicStream extends Duplex {
  /** The number of the stream in its connection (RFC 9000 section 2.1). */
  readonly id: number;
  /** Whether it carries bytes one way only. */
  readonly isUnidirectional: boolean;
  /** Gives the stream up with a code: the peer's reader fails with `quic.stream-reset` and that code, its writer with code 0. */
  reset(code?: number): void;
  /** The same stream as web streams; a half that is not there is undefined. Use one face or the other. */
  web(): { readonly readable?: ReadableStream<Uint8Array>; readonly writable?: WritableStream<Uint8Array> };
}

/** Where a stream lives in the addon. */
export interface StreamPlace {
  readonly native: NativeQuic;
  readonly endpoint: NativeEndpoint;
  readonly handle: number;
  readonly id: number;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  /** Called once when the addon may forget the stream. */
  readonly onReleased: () => void;
}

type Callback = (error?: Error | null) => void;

interface PendingWrite {
  readonly chunks: readonly Uint8Array[];
  at: number;
  offset: number;
  readonly done: Callback;
}

/** The implementation of QuicStream; its connection makes it and tells it what happens. */
export class NativeStream extends Duplex implements QuicStream {
  readonly id: number;
  readonly isUnidirectional: boolean;
  readonly #place: StreamPlace;
  #pending: PendingWrite | undefined;
  #resetCode = 0;
  #hasFinished = false;
  #hasEnded = false;
  #isPaused = true;

  constructor(place: StreamPlace) {
    super({
      readable: place.canRead,
      writable: place.canWrite,
      allowHalfOpen: true,
      readableHighWaterMark: BUFFER_BYTES,
      writableHighWaterMark: BUFFER_BYTES,
      decodeStrings: true,
    } as DuplexOptions);
    this.id = place.id;
    this.isUnidirectional = (place.id & UNIDIRECTIONAL_BIT) !== 0;
    this.#place = place;
    this.on("error", () => {});
  }

  reset(code: number = 0): void {
    this.#resetCode = checkNumber("code", code, [0, CODE_MAX]);
    this.destroy();
  }

  web(): { readable?: ReadableStream<Uint8Array>; writable?: WritableStream<Uint8Array> } {
    const { canRead, canWrite } = this.#place;
    const pair = Duplex.toWeb(this) as unknown as {
      readable: ReadableStream<Uint8Array>;
      writable: WritableStream<Uint8Array>;
    };
    return {
      ...(canRead ? { readable: pair.readable } : {}),
      ...(canWrite ? { writable: pair.writable } : {}),
    };
  }

  /** The peer sent bytes. */
  receive(bytes: Uint8Array): void {
    if (!this.destroyed && !this.push(bytes)) this.#pause(true);
  }

  /** The peer finished sending. */
  receiveEnd(): void {
    this.#hasEnded = true;
    if (!this.destroyed) this.push(null);
  }

  /** The peer gave up sending. */
  receiveReset(code: number): void {
    this.destroy(new StreamResetError(code));
  }

  /** The peer no longer reads. */
  receiveStop(code: number): void {
    this.destroy(new StreamStoppedError(code));
  }

  /** The connection is gone. What the peer finished before stays readable; a half that was not finished fails. */
  receiveClose(error: Error): void {
    const isComplete =
      (this.#hasEnded || !this.#place.canRead) && (this.#hasFinished || !this.#place.canWrite);
    if (!isComplete) this.destroy(error);
  }

  /** OpenSSL has room again. */
  receiveRoom(): void {
    const pending = this.#pending;
    if (pending !== undefined && this.#advance(pending)) this.#settle(pending);
  }

  override _read(): void {
    this.#pause(false);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Callback): void {
    this.#send([chunk], done);
  }

  override _writev(entries: { chunk: Uint8Array }[], done: Callback): void {
    const chunks = entries.map(({ chunk }) => chunk);
    const total = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#send(total <= GATHER_BYTES ? [Buffer.concat(chunks, total)] : chunks, done);
  }

  override _final(done: Callback): void {
    this.#hasFinished = true;
    const { native, endpoint, handle } = this.#place;
    native.finish(endpoint, handle);
    done();
  }

  override _destroy(error: Error | null, done: Callback): void {
    const { native, endpoint, handle, canWrite, onReleased } = this.#place;
    if (canWrite && !this.#hasFinished) native.reset(endpoint, handle, this.#resetCode);
    native.release(endpoint, handle);
    onReleased();
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.done(error ?? new StreamResetError(this.#resetCode));
    done(error);
  }

  #send(chunks: readonly Uint8Array[], done: Callback): void {
    const pending = { chunks, at: 0, offset: 0, done };
    if (this.#advance(pending)) done();
    else this.#pending = pending;
  }

  /** Hands over what fits; true when nothing is left. */
  #advance(pending: PendingWrite): boolean {
    const { native, endpoint, handle } = this.#place;
    for (; pending.at < pending.chunks.length; pending.at += 1, pending.offset = 0) {
      const chunk = pending.chunks[pending.at]!;
      if (chunk.byteLength === 0) continue;
      pending.offset += native.write(endpoint, handle, chunk, pending.offset);
      if (pending.offset < chunk.byteLength) return false;
    }
    return true;
  }

  #settle({ done }: PendingWrite): void {
    this.#pending = undefined;
    done();
  }

  #pause(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#place.native.pause(this.#place.endpoint, this.#place.handle, isPaused);
  }
}
