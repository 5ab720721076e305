/**
 * A connection: approved on both sides before the program sees it, then streams until it closes.
 *
 * CO1. No stream is exposed, and `openStream` is not reachable, before the peer was approved here and confirmed there (confirmation.ts).
 * CO2. `closed` settles exactly once, and every stream of the connection fails with that end.
 * CO3. Streams of the peer wait for `onStream`; the peer can open at most 100 of each kind at once, so they are bounded.
 * CO4. Calls of openStream beyond what the peer allows wait, at most OPENS_WAITING_MAX of them.
 */
import { checkNumber } from "./checks.ts";
import { CLOSE_CODES, CODE_MAX, type QuicClose, REASON_BYTES_MAX } from "./close.ts";
import { ConfirmationReader, confirmationBytes, confirmationId } from "./confirmation.ts";
import { BadOptionError, ConnectionClosedError, TooManyError } from "./errors.ts";
import type { ConnectionStats, NativeEndpoint, NativeQuic } from "./native.ts";

import { NativeStream, type QuicStream } from "./stream.ts";

const OPENS_WAITING_MAX = 1024;
/** 255 times the shortest hash of TLS 1.3 (RFC 5869). */
const EXPORT_BYTES_MAX = 8160;
const UNIDIRECTIONAL_BIT = 2;

/** A connection whose peer was approved on both sides. */
export interface QuicConnection {
  /** The peer's certificate in DER form. */
  readonly peerCertificate: Uint8Array;
  /** Whether the other side made the connection. */
  readonly isAccepted: boolean;
  /** How it ended, when it did. Never rejects. */
  readonly closed: Promise<QuicClose>;
  /** Whether it has ended or is ending. */
  readonly isClosed: boolean;
  /** Takes the streams that the peer opens, those that wait first. One handler at a time. */
  onStream(handler: (stream: QuicStream) => void): void;
  /**
   * Opens a stream; waits while the peer has 100 of its kind open. The peer hears of it with the first byte.
   * Fails with `quic.connection-closed`, or `quic.too-many` when 1024 calls wait.
   */
  openStream(options?: { readonly unidirectional?: boolean }): Promise<QuicStream>;
  /** 1 to 8160 bytes that only the two ends can know (RFC 8446 section 7.5). Fails with `quic.connection-closed`. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array;
  /** Payload moved so far. */
  stats(): ConnectionStats;
  /**
   * Ends the connection with a code (default 0) and a text of at most 256 bytes. Streams that were finished are delivered first, for 2 s
   * at most; the others are lost, and so is what the peer's program has not read when the end arrives: a protocol that minds lets the reader
   * close. Settles when the end is on its way.
   */
  close(close?: { readonly code?: number; readonly reason?: string }): Promise<QuicClose>;
}

/** Where a connection lives in the addon. */
export interface ConnectionPlace {
  readonly native: NativeQuic;
  readonly endpoint: NativeEndpoint;
  readonly handle: number;
  readonly isAccepted: boolean;
  readonly peerCertificate: Uint8Array;
  readonly confirms: boolean;
  /** The endpoint's table of streams by handle. */
  readonly streams: Map<number, NativeStream>;
  /** Called once when both sides approved. */
  readonly onReady: (connection: NativeConnection) => void;
}

interface WaitingOpen {
  readonly unidirectional: boolean;
  readonly resolve: (stream: QuicStream) => void;
  readonly reject: (error: Error) => void;
}

/** The implementation of QuicConnection; its endpoint makes it and tells it what happens. */
export class NativeConnection implements QuicConnection {
  readonly peerCertificate: Uint8Array;
  readonly isAccepted: boolean;
  readonly closed: Promise<QuicClose>;
  readonly #place: ConnectionPlace;
  readonly #streams = new Set<NativeStream>();
  readonly #opens: WaitingOpen[] = [];
  readonly #settleClosed: (close: QuicClose) => void;
  #waiting: NativeStream[] = [];
  #handler: ((stream: QuicStream) => void) | undefined;
  #confirmation: { readonly handle: number; readonly reader: ConfirmationReader } | undefined;
  #isConfirmed = false;
  #end: QuicClose | undefined;
  #isEnding = false;
  #lastStats: ConnectionStats = { bytesReceived: 0, bytesSent: 0 };

  constructor(place: ConnectionPlace) {
    this.#place = place;
    this.peerCertificate = place.peerCertificate;
    this.isAccepted = place.isAccepted;
    const { promise, resolve } = Promise.withResolvers<QuicClose>();
    this.closed = promise;
    this.#settleClosed = resolve;
  }

  get isClosed(): boolean {
    return this.#isEnding || this.#end !== undefined;
  }

  onStream(handler: (stream: QuicStream) => void): void {
    this.#handler = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const stream of waiting) handler(stream);
  }

  openStream({ unidirectional = false }: { readonly unidirectional?: boolean } = {}): Promise<QuicStream> {
    if (this.isClosed) return Promise.reject(this.#closedError());
    const stream = this.#opens.length === 0 ? this.#tryOpen(unidirectional) : undefined;
    if (stream !== undefined) return Promise.resolve(stream);
    if (this.#opens.length >= OPENS_WAITING_MAX)
      return Promise.reject(new TooManyError("streams waiting to be opened", OPENS_WAITING_MAX));
    return new Promise((resolve, reject) => this.#opens.push({ unidirectional, resolve, reject }));
  }

  exportKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array()): Uint8Array {
    checkNumber("length", length, [1, EXPORT_BYTES_MAX]);
    const name = new TextEncoder().encode(label);
    if (name.length === 0 || name.length > 249) throw new BadOptionError("label", "1 to 249 bytes");
    if (!(context instanceof Uint8Array)) throw new BadOptionError("context", "a Uint8Array");
    const { native, endpoint, handle } = this.#place;
    const bytes = native.exportKeyingMaterial(endpoint, handle, name, context, length);
    if (bytes === undefined) throw this.#closedError();
    return bytes;
  }

  stats(): ConnectionStats {
    const { native, endpoint, handle } = this.#place;
    this.#lastStats = native.connectionStats(endpoint, handle) ?? this.#lastStats;
    return this.#lastStats;
  }

  close({
    code = 0,
    reason = "",
  }: {
    readonly code?: number;
    readonly reason?: string;
  } = {}): Promise<QuicClose> {
    checkNumber("code", code, [0, CODE_MAX]);
    const text = new TextEncoder().encode(reason);
    if (text.length > REASON_BYTES_MAX)
      throw new BadOptionError("reason", `at most ${REASON_BYTES_MAX} bytes`);
    if (this.isClosed) return this.closed;
    this.stats();
    this.#isEnding = true;
    const { native, endpoint, handle } = this.#place;
    native.closeConnection(endpoint, handle, code, text);
    return this.closed;
  }

  /** This side approved the peer: tell it, and wait for its word. */
  approve(): void {
    const { native, endpoint, handle, confirms } = this.#place;
    native.approve(endpoint, handle);
    if (!confirms) {
      this.#ready();
      return;
    }
    const stream = native.open(endpoint, handle, true);
    native.write(endpoint, stream, confirmationBytes(), 0);
    native.finish(endpoint, stream);
    native.release(endpoint, stream);
  }

  /** The peer opened a stream. */
  takeStream(handle: number, id: number): void {
    const awaitsConfirmation = this.#place.confirms && !this.#isConfirmed && this.#confirmation === undefined;
    if (awaitsConfirmation && id === confirmationId(!this.isAccepted)) {
      this.#confirmation = { handle, reader: new ConfirmationReader() };
      this.#place.native.pause(this.#place.endpoint, handle, false);
      return;
    }
    const isOneWay = (id & UNIDIRECTIONAL_BIT) !== 0;
    const stream = this.#addStream(handle, id, { canRead: true, canWrite: !isOneWay });
    if (this.#handler === undefined) this.#waiting.push(stream);
    else this.#handler(stream);
  }

  /** Bytes or the end of the stream that carries the peer's confirmation; false when `handle` is another stream. */
  takeConfirmation(handle: number, bytes: Uint8Array | undefined): boolean {
    const confirmation = this.#confirmation;
    if (confirmation?.handle !== handle) return false;
    const { reader } = confirmation;
    const goesOn = bytes === undefined ? reader.isWhole() : reader.take(bytes);
    if (!goesOn)
      void this.close({ code: CLOSE_CODES.badConfirmation, reason: "the first stream is no confirmation" });
    else if (bytes === undefined) this.#confirmed(handle);
    return true;
  }

  /** The peer allows more streams. */
  takeOpenable(): void {
    for (let first = this.#opens[0]; first !== undefined; first = this.#opens[0]) {
      const stream = this.#tryOpen(first.unidirectional);
      if (stream === undefined) return;
      this.#opens.shift();
      first.resolve(stream);
    }
  }

  /** The connection has ended. */
  takeClosed(close: QuicClose): void {
    if (this.#end !== undefined) return;
    this.#end = close;
    this.#waiting = [];
    for (const stream of [...this.#streams]) stream.receiveClose(new ConnectionClosedError(close));
    for (const { reject } of this.#opens.splice(0)) reject(new ConnectionClosedError(close));
    this.#settleClosed(close);
  }

  #confirmed(handle: number): void {
    this.#isConfirmed = true;
    this.#confirmation = undefined;
    this.#place.native.release(this.#place.endpoint, handle);
    this.#ready();
  }

  #ready(): void {
    if (!this.isClosed) this.#place.onReady(this);
  }

  #tryOpen(unidirectional: boolean): NativeStream | undefined {
    const { native, endpoint, handle } = this.#place;
    const stream = native.open(endpoint, handle, unidirectional);
    const id = stream === 0 ? undefined : native.streamId(endpoint, stream);
    if (id === undefined) return undefined;
    return this.#addStream(stream, id, { canRead: !unidirectional, canWrite: true });
  }

  #addStream(handle: number, id: number, halves: { canRead: boolean; canWrite: boolean }): NativeStream {
    const { native, endpoint, streams } = this.#place;
    const onReleased = (): void => {
      streams.delete(handle);
      this.#streams.delete(stream);
    };
    const stream: NativeStream = new NativeStream({ native, endpoint, handle, id, ...halves, onReleased });
    streams.set(handle, stream);
    this.#streams.add(stream);
    return stream;
  }

  #closedError(): ConnectionClosedError {
    return new ConnectionClosedError(
      this.#end ?? { by: "us", kind: "application", code: 0, reason: "it is closing" },
    );
  }
}
