/**
 * The UDP path of one session: found by probing, watched while it is used.
 *
 * DP1. Messages leave only to an address that has answered a probe: its packets arrive here and ours arrive there.
 * DP2. Each side probes for itself, first the address the other end said, then every address its sealed probes come from, so
 *      a peer behind a translator, or one that has moved, is found. Tokens are random: only who received a probe can answer it.
 * DP3. Probes leave at 0, 250, 500, 1,000 ms ... until one is answered, then every interval. Three in a row without an answer
 *      end the path, and probing starts again; meanwhile the stream carries datagrams.
 * DP4. Each probe is answered with one packet of the same size. At most 8 probes wait for an answer.
 */
import type { HostPort, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { printAddress } from "../errors.ts";
import type { DatagramSocket } from "./datagram-socket.ts";
import { PACKET_KIND, type PacketHeader, PacketOpener, PacketSealer } from "./sealed-packet.ts";

const FIRST_PAUSE_MS = 250;
const MISSED_PROBES = 3;
const WAITING_PROBES = 8;
const TOKEN_BYTES = 16;

/** Secrets of both directions, SECRET_BYTES each. */
export interface DatagramSecrets {
  readonly out: Uint8Array;
  readonly in: Uint8Array;
}

/** What a path is made from. */
export interface DatagramPathParts {
  readonly socket: DatagramSocket;
  readonly secrets: DatagramSecrets;
  readonly timers: Timers;
  readonly random: Random;
  /** Time between two probes of a path that works, in milliseconds. */
  readonly intervalMs: number;
  /** A message arrived. */
  readonly message: (message: Uint8Array) => void;
  /** The path began or ceased to work. */
  readonly changed: () => void;
}

/** Counters of a path. */
export interface PathCounts {
  /** Packets for this session that did not open: forged, damaged, replayed or late. */
  readonly unopened: number;
  /** Probes answered by the peer. */
  readonly proofs: number;
}

/** One session's path. */
export class DatagramPath {
  /** What the peer has to write into its packets. */
  readonly name: number;
  readonly #parts: DatagramPathParts;
  readonly #opener: PacketOpener;
  readonly #waiting = new Map<string, HostPort>();
  #sealer: PacketSealer | undefined;
  #home: HostPort | undefined;
  #target: HostPort | undefined;
  #missed = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: TimerHandle | undefined;
  #unopened = 0;
  #proofs = 0;

  constructor(parts: DatagramPathParts) {
    this.#parts = parts;
    this.#opener = new PacketOpener(parts.secrets.in);
    this.name = parts.socket.open((packet, header, from) => this.#take(packet, header, from));
  }

  /** Whether messages can leave (DP1). */
  get works(): boolean {
    return this.#target !== undefined;
  }

  /** The address messages go to. */
  get target(): HostPort | undefined {
    return this.#target;
  }

  /** What has been counted so far. */
  get counts(): PathCounts {
    return { unopened: this.#unopened, proofs: this.#proofs };
  }

  /** The peer said where it may be reached and what it calls this session. A second call is ignored. */
  start(home: HostPort | undefined, peerName: number): void {
    if (this.#sealer !== undefined) return;
    this.#home = home;
    this.#sealer = new PacketSealer(this.#parts.secrets.out, peerName);
    this.#tick();
  }

  /** Send a message to where the path leads; `done` when the operating system has it. Only while {@link works}. */
  send(message: Uint8Array, done: () => void): void {
    if (this.#target !== undefined && this.#emit(PACKET_KIND.message, message, this.#target, done)) return;
    this.#lose();
    done();
  }

  /** Give everything back. */
  stop(): void {
    this.#timer?.cancel();
    this.#parts.socket.release(this.name);
    this.#target = undefined;
  }

  #emit(kind: number, payload: Uint8Array, to: HostPort, done: () => void = () => {}): boolean {
    const packet = this.#sealer?.seal(kind, payload);
    if (packet === undefined) return false;
    this.#parts.socket.send(packet, to, done);
    return true;
  }

  /** (DP3) */
  #tick(): void {
    if (this.#target !== undefined && this.#missed >= MISSED_PROBES) this.#lose();
    const to = this.#target ?? this.#home;
    if (to !== undefined) {
      this.#missed++;
      this.#probe(to);
    }
    const { timers, intervalMs } = this.#parts;
    const pauseMs = this.#target === undefined ? Math.min(this.#pauseMs, intervalMs) : intervalMs;
    this.#pauseMs *= 2;
    const toleranceMs = this.#target === undefined ? 0 : intervalMs / 8;
    this.#timer = timers.schedule(pauseMs, () => this.#tick(), { toleranceMs });
  }

  #lose(): void {
    if (this.#target === undefined) return;
    this.#target = undefined;
    this.#missed = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#parts.changed();
  }

  /** (DP4) */
  #probe(to: HostPort): void {
    const token = this.#parts.random.bytes(new Uint8Array(TOKEN_BYTES));
    const oldest = this.#waiting.keys().next().value;
    if (this.#waiting.size >= WAITING_PROBES && oldest !== undefined) this.#waiting.delete(oldest);
    this.#waiting.set(Buffer.from(token).toString("hex"), to);
    this.#emit(PACKET_KIND.probe, token, to);
  }

  #take(packet: Uint8Array, header: PacketHeader, from: HostPort): void {
    const newest = header.sequence > this.#opener.highest;
    const payload = this.#opener.open(packet, header);
    if (payload === undefined) this.#unopened++;
    else if (header.kind === PACKET_KIND.message) this.#parts.message(payload);
    else if (header.kind === PACKET_KIND.answer) this.#proven(payload);
    else if (payload.length === TOKEN_BYTES) this.#answer(payload, from, newest);
  }

  #answer(token: Uint8Array, from: HostPort, newest: boolean): void {
    this.#emit(PACKET_KIND.answer, token, from);
    const known = this.#target !== undefined && printAddress(this.#target) === printAddress(from);
    // Only the newest packet says where the peer is now; an older one may have been held back by somebody.
    if (newest && !known) this.#probe(from);
  }

  /** (DP1) */
  #proven(token: Uint8Array): void {
    const key = Buffer.from(token).toString("hex");
    const address = this.#waiting.get(key);
    if (address === undefined) return;
    this.#waiting.clear();
    this.#proofs++;
    this.#missed = 0;
    const before = this.#target;
    this.#target = address;
    if (before === undefined) this.#parts.changed();
  }
}
