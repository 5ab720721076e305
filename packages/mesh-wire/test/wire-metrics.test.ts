import type { Meter, Session } from "@glia-os/abi/ports";
import { afterEach, describe, expect, it } from "vitest";
import { METRICS_INTERVAL_MS, type WireTransport, type WireTransportOptions } from "../src/index.ts";
import { freeAddress, LOOPBACK, makeTransport } from "./endpoints.ts";
import { ManualTime, settle, until } from "./ports.ts";

const DAY_S = 86_400;

/** Keeps what it is told. */
class Told implements Meter {
  readonly counters = new Map<string, number>();
  readonly gauges = new Map<string, number>();
  readonly labels = new Set<string>();

  count(name: string, value = 1, labels: Readonly<Record<string, string>> = {}): void {
    expect(value).toBeGreaterThan(0);
    this.counters.set(name, (this.counters.get(name) ?? 0) + value);
    this.labels.add(JSON.stringify(labels));
  }

  observe(): void {
    throw new RangeError("the wire has no histograms");
  }

  gauge(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.gauges.set(name, value);
    this.labels.add(JSON.stringify(labels));
  }
}

describe("what the wire tells a meter", () => {
  const opened: WireTransport[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()));
  });

  function open(options: Partial<WireTransportOptions> = {}): WireTransport {
    const transport = makeTransport(options);
    opened.push(transport);
    return transport;
  }

  it("WM1: messages and bytes of sessions that are over and of those that are not, each once", async () => {
    const [time, meter] = [new ManualTime(), new Told()];
    const b = open({ clock: time, timers: time, meter, datagrams: "stream" });
    const sessions: Session[] = [];
    let got = 0;
    b.onSession((session) => {
      sessions.push(session);
      session.onMessage(() => void got++);
    });
    const at = await b.listen(LOOPBACK);
    const [one, two] = [await open().connect(at), await open().connect(at)];
    await one.send("request", new Uint8Array(100));
    await one.send("bulk", new Uint8Array(1000));
    await two.send("datagram", new Uint8Array(10));
    await until(() => got === 3);
    await sessions[0]!.send("request", new Uint8Array(7));
    time.advance(METRICS_INTERVAL_MS);
    expect(meter.counters.get("mielin_messages_received_total")).toBe(3);
    expect(meter.counters.get("mielin_bytes_received_total")).toBe(1110);
    expect(meter.counters.get("mielin_messages_sent_total")).toBe(1);
    expect(meter.gauges.get("mielin_message_rate")).toBe(4 / (METRICS_INTERVAL_MS / 1000));
    expect(meter.gauges.get("mielin_active_connections")).toBe(3);
    expect(meter.gauges.get("glia_sessions")).toBe(2);
    await one.close("enough");
    await until(() => b.sessions.length === 1);
    await two.send("request", new Uint8Array(5));
    await until(() => got === 4);
    time.advance(METRICS_INTERVAL_MS);
    expect(meter.counters.get("mielin_messages_received_total")).toBe(4);
    expect(meter.counters.get("mielin_bytes_received_total")).toBe(1115);
    expect(meter.gauges.get("glia_sessions")).toBe(1);
    expect([...meter.labels]).toEqual([JSON.stringify({ node: b.self })]);
    await b.close();
    expect(meter.gauges.get("glia_sessions")).toBe(0);
    expect(time.pending).toBe(0);
  });

  it("failed dials and failed sessions are counted", async () => {
    const meter = new Told();
    const a = open({ meter });
    await a.connect(await freeAddress()).catch(() => {});
    const b = open();
    b.onSession((session) => session.onMessage(() => Promise.reject(new RangeError("no"))));
    const session = await a.connect(await b.listen(LOOPBACK));
    await session.send("request", new Uint8Array(1));
    expect((await session.closed).kind).toBe("failed");
    await settle(5);
    await a.close();
    expect(meter.counters.get("mielin_failures_total")).toBe(2);
  });

  it("what is left of certificates, own and peers', and their rotations", async () => {
    const [time, meter] = [new ManualTime(), new Told()];
    const b = open({ clock: time, timers: time, meter, limits: { idleMs: 2 ** 31 - 1 } });
    b.onSession(() => {});
    const at = await b.listen(LOOPBACK);
    await open({ certificateValidityMs: 10 * DAY_S * 1000 }).connect(at);
    time.advance(METRICS_INTERVAL_MS);
    expect(meter.gauges.get("glia_certificate_remaining_seconds")).toBeCloseTo(90 * DAY_S, -2);
    expect(meter.gauges.get("glia_peer_certificate_remaining_seconds")).toBeCloseTo(10 * DAY_S, -2);
    b.rotateCertificate();
    time.advance(METRICS_INTERVAL_MS);
    expect(meter.counters.get("glia_certificate_rotations_total")).toBe(1);
  });

  it("which carriers sessions use", async () => {
    const [time, meter] = [new ManualTime(), new Told()];
    const a = open({ clock: time, timers: time, meter });
    const b = open();
    b.onSession(() => {});
    const session = await a.connect(await b.listen(LOOPBACK));
    await until(() => session.stats().carriers.datagram === "udp" && session.stats().rttMs !== undefined);
    time.advance(METRICS_INTERVAL_MS);
    expect(meter.gauges.get("glia_sessions_over_udp")).toBe(1);
    expect(meter.gauges.get("glia_sessions_over_quic")).toBe(0);
    expect(meter.gauges.has("mielin_message_latency_p99_us")).toBe(true);
  });
});
