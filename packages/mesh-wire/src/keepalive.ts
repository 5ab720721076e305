/**
 * Notices a peer that went silent, and measures round trips.
 *
 * L1. A ping leaves every interval. A peer of which nothing at all arrived for three intervals is dead.
 * L2. The verdict is spoken one turn of the event loop later, after the sockets were read, so that a process that was
 *     stopped does not bury its peers when it wakes up.
 */
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import { MISSED_KEEPALIVES } from "./limits.ts";

/** Weight of a new measurement in the smoothed round trip (RFC 6298 section 2: 1/8). */
const RTT_GAIN = 1 / 8;
const TOKEN_BYTES = 8;

/** What keepalive needs and tells. */
export interface KeepaliveHooks {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly intervalMs: number;
  /** Send a ping with this payload. */
  ping(token: Uint8Array): void;
  /** The peer is dead (L1). */
  dead(): void;
  /** An interval has passed. */
  interval(): void;
}

/** Watches one session. */
export class Keepalive {
  readonly #hooks: KeepaliveHooks;
  #timer: TimerHandle | undefined;
  #heard = true;
  #missed = 0;
  #sequence = 0;
  #pingedAtMs = 0;
  #rttMs: number | undefined;

  constructor(hooks: KeepaliveHooks) {
    this.#hooks = hooks;
    this.#ping();
    this.#schedule();
  }

  /** Smoothed round trip in milliseconds, once one was measured. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Something arrived. */
  heard(): void {
    this.#heard = true;
  }

  /** A pong arrived. Only the answer to the newest ping counts. */
  pong(token: Uint8Array): void {
    if (Buffer.from(token).readBigUInt64BE() !== BigInt(this.#sequence)) return;
    const sampleMs = this.#hooks.clock.monotonicMs() - this.#pingedAtMs;
    this.#rttMs = this.#rttMs === undefined ? sampleMs : this.#rttMs + RTT_GAIN * (sampleMs - this.#rttMs);
  }

  /** Stop watching. */
  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { timers, intervalMs } = this.#hooks;
    this.#timer = timers.schedule(intervalMs, () => this.#tick(), { toleranceMs: intervalMs / 16 });
  }

  #tick(): void {
    this.#missed = this.#heard ? 0 : this.#missed + 1;
    this.#heard = false;
    if (this.#missed >= MISSED_KEEPALIVES) {
      this.#timer = this.#hooks.timers.schedule(0, () => this.#judge());
      return;
    }
    this.#ping();
    this.#schedule();
    this.#hooks.interval();
  }

  /** (L2) */
  #judge(): void {
    if (!this.#heard) {
      this.#hooks.dead();
      return;
    }
    this.#missed = 0;
    this.#schedule();
  }

  #ping(): void {
    const token = Buffer.alloc(TOKEN_BYTES);
    token.writeBigUInt64BE(BigInt(++this.#sequence));
    this.#pingedAtMs = this.#hooks.clock.monotonicMs();
    this.#hooks.ping(token);
  }
}
