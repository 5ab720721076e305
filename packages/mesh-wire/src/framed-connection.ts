/**
 * One stream to a proven peer that carries frames, whatever the carrier.
 *
 * X1. Frames leave in this order: control, then the lanes in the order given. A lane waits for at most one batch of the
 *     lanes behind it, and each lane has a share of the batch that the lanes before it cannot take.
 * X2. At most the socket bound plus one batch waits inside the socket, and 2 MiB plus one batch leave in one turn of the event loop.
 * X3. Unsent control frames are one per kind, whatever the peer does: the newest ping, the newest pong, one sum of credit.
 * X4. Errors of the peer's bytes reach the handler as typed errors; nothing thrown escapes into the event loop.
 */
import type { Duplex } from "node:stream";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { BatchBuffers } from "./batch-buffers.ts";
import type { CarrierName, ProvenStream } from "./carriers/carrier.ts";
import {
  controlFrame,
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  FRAME_PAYLOAD_BYTES,
  FrameDecoder,
  type FrameSink,
  writeFrameHeader,
} from "./frame.ts";
import { CLOSE_TIMEOUT_MS, SHARED_WRITES, TURN_BYTES, type WriteBounds } from "./limits.ts";
import { ConnectionLostReason } from "./lost-reason.ts";
import type { Lane, OutgoingFrame } from "./outbox.ts";

/** What happens on a connection. */
export interface ConnectionHandler extends FrameSink {
  /** The peer's bytes broke a rule; the connection takes no more of them. */
  violated(error: unknown): void;
  /** The connection is gone. Called once. */
  lost(reason: string): void;
  /** Everything the lanes had to give was handed to the socket. */
  flushed(): void;
}

/** A stream with frames on it. */
export class FramedConnection {
  readonly #proven: ProvenStream;
  readonly #socket: Duplex;
  readonly #timers: Timers;
  #bounds: WriteBounds = SHARED_WRITES;
  readonly #decoder: FrameDecoder;
  readonly #controls = new Map<number, Uint8Array>();
  #credit = 0;
  #lanes: readonly Lane[] = [];
  #handler: ConnectionHandler;
  readonly #buffers = new BatchBuffers();
  #inSocket = 0;
  #inTurn = 0;
  #pumping = false;
  #over = false;
  #finishing = false;
  #stuck: TimerHandle | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>;

  constructor(proven: ProvenStream, timers: Timers, handler: ConnectionHandler) {
    const socket = proven.stream;
    this.#proven = proven;
    this.#socket = socket;
    this.#timers = timers;
    this.#handler = handler;
    this.#decoder = new FrameDecoder({
      begin: (header) => this.#handler.begin(header),
      data: (piece) => this.#handler.data(piece),
      end: () => this.#handler.end(),
      control: (kind, payload) => this.#handler.control(kind, payload),
    });
    const lost = new ConnectionLostReason();
    this.gone = new Promise((resolve) => {
      socket.once("close", () => {
        this.#over = true;
        this.#stuck?.cancel();
        this.#handler.lost(lost.text);
        resolve();
      });
    });
    socket.on("error", (error) => lost.note(error));
    socket.on("end", () => this.finish());
    socket.on("data", (chunk: Uint8Array) => this.#read(chunk));
  }

  /** Bytes of frames read and written. */
  get traffic(): { readonly bytesIn: number; readonly bytesOut: number } {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
  }

  /** What carries this connection. */
  get carrier(): CarrierName {
    return this.#proven.carrier;
  }

  /** The address the peer is seen at, where the carrier knows it. */
  get remoteHost(): string | undefined {
    return this.#proven.remoteHost;
  }

  /** The TLS exporter of this connection (RFC 8446 section 7.5). */
  exportKeyingMaterial(label: string, lengthBytes: number): Uint8Array {
    return this.#proven.exportKeyingMaterial(label, lengthBytes);
  }

  /** Hand the connection to another handler, which takes the frames from the next one on. */
  handTo(handler: ConnectionHandler, lanes: readonly Lane[], bounds: WriteBounds = this.#bounds): void {
    this.#handler = handler;
    this.#lanes = lanes;
    this.#bounds = bounds;
    this.wake();
  }

  /** Send a control frame before anything in the lanes (X3). */
  sendControl(kind: number, payload: Uint8Array): void {
    this.#controls.set(kind, payload);
    this.wake();
  }

  /** Grant the peer `bytes` more of request frames. */
  sendCredit(bytes: number): void {
    this.#credit += bytes;
    this.wake();
  }

  /** Stop and go on reading. */
  pause(): void {
    this.#socket.pause();
  }

  /** Go on reading. */
  resume(): void {
    if (!this.#over) this.#socket.resume();
  }

  /** Write what the lanes have, soon: everything that is offered in one turn of the event loop leaves together. */
  wake(): void {
    if (this.#pumping || this.#over) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  /** Let what was handed to the socket leave, then end it. A peer that does not read delays this by a second at most. */
  finish(): void {
    if (this.#over || this.#finishing) return;
    this.#finishing = true;
    this.#pump();
    this.#over = true;
    this.#stuck = this.#timers.schedule(CLOSE_TIMEOUT_MS, () => this.#socket.destroy());
    this.#socket.resume();
    // Not destroyed before the peer ends too: closing with unread bytes would reset the connection and lose the last frame.
    this.#socket.end();
  }

  /** End the connection at once. */
  destroy(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#bytesIn += chunk.length;
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      this.#handler.violated(error);
    }
  }

  #pump(): void {
    while (!this.#over && this.#inSocket < this.#bounds.inSocketBytes && this.#inTurn < TURN_BYTES) {
      const batch = this.#nextBatch();
      if (batch === undefined) {
        if (this.#inSocket === 0) this.#buffers.clear();
        this.#handler.flushed();
        return;
      }
      const size = batch.length;
      this.#inSocket += size;
      this.#bytesOut += size;
      this.#countTurn(size);
      this.#socket.write(batch, () => {
        this.#inSocket -= size;
        this.#buffers.giveBack(batch);
        if (!this.#pumping) this.#pump();
      });
    }
  }

  /** (X2); small writes cannot fill a turn. */
  #countTurn(size: number): void {
    if (size < FRAME_PAYLOAD_BYTES) return;
    if (this.#inTurn === 0) {
      setImmediate(() => {
        this.#inTurn = 0;
        this.#pump();
      });
    }
    this.#inTurn += size;
  }

  /** Frames for one write, in the order of X1. */
  #nextBatch(): Buffer | undefined {
    const controls = this.#takeControls();
    const frames: OutgoingFrame[] = [];
    let size = controls.reduce((sum, frame) => sum + frame.length, 0);
    for (const [index, lane] of this.#lanes.entries()) {
      const upTo = (this.#bounds.batchBytes * (index + 1)) / this.#lanes.length;
      while (size < upTo) {
        const frame = lane.takeFrame();
        if (frame === undefined) break;
        frames.push(frame);
        size += FRAME_HEADER_BYTES + frame.payload.length;
      }
    }
    return size === 0 ? undefined : layOut(this.#buffers.take(size), controls, frames);
  }

  #takeControls(): Buffer[] {
    const frames = [...this.#controls].map(([kind, payload]) => controlFrame(kind, payload));
    this.#controls.clear();
    if (this.#credit > 0) {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(this.#credit);
      frames.unshift(controlFrame(FRAME_KIND.credit, payload));
      this.#credit = 0;
    }
    return frames;
  }
}

/** Write frames one behind the other; the part of `target` that they fill. */
function layOut(target: Buffer, controls: readonly Buffer[], frames: readonly OutgoingFrame[]): Buffer {
  let at = 0;
  for (const control of controls) {
    target.set(control, at);
    at += control.length;
  }
  for (const { kind, flags, messageLength, payload } of frames) {
    at = writeFrameHeader(target, at, { kind, flags, payloadLength: payload.length, messageLength });
    target.set(payload, at);
    at += payload.length;
  }
  return target.subarray(0, at);
}
