/**
 * What a transport tells a meter (names and owners: docs/spec/metrics.md).
 *
 * WM1. Counters never go back: what a session counted stays counted when it is over.
 * WM2. Nothing is measured per message. Readings of the sessions are taken every 5 s, and once more at the end.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, Meter, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { SessionStats, WireSession } from "./session-stats.ts";

/** Time between two readings, in milliseconds (WM2). */
export const METRICS_INTERVAL_MS = 5000;
const SECOND_MS = 1000;
const MICROSECONDS = 1000;

/** What a reading is made from. */
export interface WireMetricsParts {
  readonly meter: Meter;
  readonly node: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Sessions that are not over. */
  readonly sessions: () => readonly WireSession[];
  /** Packets for no session, so far. */
  readonly strayPackets: () => number;
  /** End of this node's certificate, milliseconds since the Unix epoch. */
  readonly certificateNotAfterMs: () => number;
}

/** Counters by metric name. */
type Totals = Map<string, number>;

function add(totals: Totals, name: string, value: number): void {
  totals.set(name, (totals.get(name) ?? 0) + value);
}

function addSession(totals: Totals, stats: SessionStats): void {
  for (const { messagesIn, messagesOut, bytesIn, bytesOut } of Object.values(stats.messages)) {
    add(totals, "mielin_messages_received_total", messagesIn);
    add(totals, "mielin_messages_sent_total", messagesOut);
    add(totals, "mielin_bytes_received_total", bytesIn);
    add(totals, "mielin_bytes_sent_total", bytesOut);
  }
  add(totals, "glia_datagrams_dropped_total", stats.datagramsDroppedIn + stats.datagramsDroppedOut);
  add(totals, "glia_packets_unopened_total", stats.packetsUnopened);
}

/** Takes readings of one transport. */
export class WireMetrics {
  readonly #parts: WireMetricsParts;
  readonly #labels: Readonly<Record<string, string>>;
  /** Of sessions that are over, and of events (WM1). */
  readonly #kept: Totals = new Map();
  readonly #reported: Totals = new Map();
  #messages = 0;
  #readAtMs: number;
  #timer: TimerHandle;

  constructor(parts: WireMetricsParts) {
    this.#parts = parts;
    this.#labels = { node: parts.node };
    this.#readAtMs = parts.clock.monotonicMs();
    this.#timer = this.#schedule();
  }

  /** A session is over. */
  sessionOver(session: WireSession): void {
    addSession(this.#kept, session.stats());
    void session.closed.then(({ kind }) => {
      if (kind === "failed") this.failed();
    });
  }

  /** A dial failed, or a session did. */
  failed(): void {
    add(this.#kept, "mielin_failures_total", 1);
  }

  /** The certificate was replaced. */
  rotated(): void {
    add(this.#kept, "glia_certificate_rotations_total", 1);
  }

  /** A session ends because its peer's certificate has expired. */
  peerExpired(): void {
    add(this.#kept, "glia_peer_certificates_expired_total", 1);
  }

  /** Take a reading now. */
  read(): void {
    const readings = this.#parts.sessions().map((session) => ({ session, stats: session.stats() }));
    const totals = new Map(this.#kept);
    for (const { stats } of readings) addSession(totals, stats);
    totals.set("glia_packets_stray_total", this.#parts.strayPackets());
    for (const [name, total] of totals) this.#count(name, total);
    this.#gauges(totals, readings);
    this.#certificates(readings.map(({ session }) => session.peerCertificateNotAfterMs));
  }

  /** Take the last reading. */
  stop(): void {
    this.#timer.cancel();
    this.read();
  }

  #schedule(): TimerHandle {
    const tick = (): void => {
      this.read();
      this.#timer = this.#schedule();
    };
    return this.#parts.timers.schedule(METRICS_INTERVAL_MS, tick, { toleranceMs: METRICS_INTERVAL_MS / 10 });
  }

  #count(name: string, total: number): void {
    const more = total - (this.#reported.get(name) ?? 0);
    this.#reported.set(name, total);
    if (more > 0) this.#parts.meter.count(name, more, this.#labels);
  }

  #gauge(name: string, value: number): void {
    this.#parts.meter.gauge(name, value, this.#labels);
  }

  #gauges(totals: Totals, readings: readonly { readonly stats: SessionStats }[]): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const sent = totals.get("mielin_messages_sent_total") ?? 0;
    const messages = sent + (totals.get("mielin_messages_received_total") ?? 0);
    const seconds = (nowMs - this.#readAtMs) / SECOND_MS;
    if (seconds > 0) this.#gauge("mielin_message_rate", (messages - this.#messages) / seconds);
    this.#messages = messages;
    this.#readAtMs = nowMs;
    const connections = readings.reduce((sum, { stats }) => sum + stats.connections, 0);
    this.#gauge("mielin_active_connections", connections);
    this.#gauge("glia_sessions", readings.length);
    const overUdp = readings.filter(({ stats }) => stats.carriers.datagram === "udp");
    this.#gauge("glia_sessions_over_udp", overUdp.length);
    const overQuic = readings.filter(({ stats }) => stats.carriers.request === "quic");
    this.#gauge("glia_sessions_over_quic", overQuic.length);
    this.#latency(readings.flatMap(({ stats }) => stats.rttMs ?? []));
  }

  #latency(roundTripsMs: number[]): void {
    if (roundTripsMs.length === 0) return;
    const sorted = roundTripsMs.sort((x, y) => x - y);
    const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
    this.#gauge("mielin_message_latency_avg_us", mean * MICROSECONDS);
    this.#gauge("mielin_message_latency_p99_us", p99 * MICROSECONDS);
  }

  #certificates(peersNotAfterMs: readonly number[]): void {
    const nowMs = this.#parts.clock.wallMs();
    const own = this.#parts.certificateNotAfterMs();
    this.#gauge("glia_certificate_remaining_seconds", (own - nowMs) / SECOND_MS);
    if (peersNotAfterMs.length === 0) return;
    const first = Math.min(...peersNotAfterMs);
    this.#gauge("glia_peer_certificate_remaining_seconds", (first - nowMs) / SECOND_MS);
  }
}
