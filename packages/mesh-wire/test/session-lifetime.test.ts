import { spawn } from "node:child_process";
import { once } from "node:events";
import { hasErrorCode } from "@glia-os/abi/errors";
import type { HostPort, Session } from "@glia-os/abi/ports";
import { afterEach, describe, expect, it } from "vitest";
import {
  type CertificateRotated,
  createNodeIdentity,
  createWireTransport,
  OptionOutOfRangeError,
  REQUEST_WINDOW_BYTES,
  type WireSession,
  type WireTransport,
  type WireTransportOptions,
} from "../src/index.ts";
import { freeAddress, LOOPBACK, makeTransport } from "./endpoints.ts";
import { ManualTime, realClock, realRandom, realTimers, settle, until } from "./ports.ts";

const DAY_MS = 86_400_000;

describe("a transport over time", () => {
  const opened: WireTransport[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()));
  });

  function open(options: Partial<WireTransportOptions> = {}): WireTransport {
    const transport = makeTransport(options);
    opened.push(transport);
    return transport;
  }

  async function listening(
    options: Partial<WireTransportOptions> = {},
  ): Promise<{ node: WireTransport; at: HostPort; got: Session[] }> {
    const node = open(options);
    const got: Session[] = [];
    node.onSession((session) => {
      session.onMessage(() => {});
      got.push(session);
    });
    return { node, at: await node.listen(LOOPBACK), got };
  }

  it("a session without messages is closed after 300 s, in order, although keepalives go on", async () => {
    const time = new ManualTime();
    const { at, got } = await listening({ clock: time, timers: time });
    const session = await open({ clock: time, timers: time }).connect(at);
    session.onMessage(() => {});
    for (let elapsed = 0; elapsed < 285_000; elapsed += 15_000) {
      time.advance(15_000);
      await settle(30);
    }
    expect(session.open).toBe(true);
    time.advance(15_000);
    expect((await session.closed).reason).toContain("idle");
    expect((await got[0]!.closed).kind).not.toBe("failed");
  });

  it("messages keep a session from being idle", async () => {
    const time = new ManualTime();
    const { at } = await listening({ clock: time, timers: time });
    const session = await open({ clock: time, timers: time }).connect(at);
    for (let elapsed = 0; elapsed < 600_000; elapsed += 15_000) {
      if (elapsed % 120_000 === 0) await session.send("datagram", new Uint8Array(1));
      time.advance(15_000);
      await settle(30);
    }
    expect(session.open).toBe(true);
  });

  it("B2: over the limit, the idle session used least recently is closed", async () => {
    const a = open({ limits: { sessions: 3 } });
    const peers = await Promise.all([listening(), listening(), listening(), listening()]);
    const sessions: WireSession[] = [];
    for (const { at } of peers.slice(0, 3)) sessions.push(await a.connect(at));
    await sessions[0]!.send("request", new Uint8Array(1));
    await until(() => sessions.every((session) => session.idle));
    await a.connect(peers[3]!.at);
    expect((await sessions[1]!.closed).kind).toBe("local");
    expect(sessions[0]!.open && sessions[2]!.open).toBe(true);
    await until(() => a.sessions.length === 3);
  });

  it("B2: 100 sessions by default: the 101st peer takes the place of the one used least recently", async () => {
    const { node, at } = await listening();
    const dialled: WireSession[] = [];
    for (let i = 0; i < 100; i++) dialled.push(await open({ datagrams: "stream" }).connect(at));
    await until(() => node.sessions.every((session) => session.idle));
    expect(node.sessions.length).toBe(100);
    await open({ datagrams: "stream" }).connect(at);
    expect((await dialled[0]!.closed).kind).toBe("remote");
    await until(() => node.sessions.length === 100);
    expect(dialled.slice(1).every((session) => session.open)).toBe(true);
  });

  it("B2: over the limit without an idle session, a new one is refused on both sides", async () => {
    const { node: b, at } = await listening({ limits: { sessions: 1 } });
    const never = new Promise<void>(() => {});
    b.onSession((session) => session.onMessage(() => never));
    const first = await open().connect(at);
    await first.send("request", new Uint8Array(1));
    await until(() => b.sessions[0]?.idle === false);
    const refused = await open()
      .connect(at)
      .catch((e: unknown) => e);
    expect(hasErrorCode(refused, "wire.refused") && refused.details["refusal"]).toBe("session-limit");
    const other = await listening();
    const own = await b.connect(other.at).catch((e: unknown) => e);
    expect(hasErrorCode(own, "wire.session-limit")).toBe(true);
  });

  it("AC3: a peer that started again replaces its old session", async () => {
    const time = new ManualTime();
    const { at, got } = await listening({ clock: time, timers: time });
    const identity = createNodeIdentity();
    const [before, after] = [open({ identity }), open({ identity })];
    await before.connect(at);
    const fresh = await after.connect(at);
    await until(() => got.length === 2);
    expect(fresh.open).toBe(true);
    expect((got[0] as Session & { open: boolean }).open).toBe(true);
    time.advance(5000);
    expect((await got[0]!.closed).reason).toContain("newer session");
    expect(fresh.open).toBe(true);
  });

  it("a dial that nobody answers fails with wire.connect-timeout after 10 s", async () => {
    const time = new ManualTime();
    const { createServer } = await import("node:net");
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", () => resolve()));
    const { port } = silent.address() as { port: number };
    const connection = once(silent, "connection");
    const outcome = open({ clock: time, timers: time })
      .connect({ host: "127.0.0.1", port })
      .catch((e: unknown) => e);
    const [socket] = await connection;
    time.advance(10_000);
    expect(hasErrorCode(await outcome, "wire.connect-timeout")).toBe(true);
    socket.destroy();
    silent.close();
  });

  it("an address in use is refused with wire.address-in-use naming it, and can be used after it is free", async () => {
    const { node, at } = await listening();
    const other = open();
    const error = await other.listen(at).catch((e: unknown) => e);
    expect(hasErrorCode(error, "wire.address-in-use")).toBe(true);
    expect((error as Error).message).toContain(`127.0.0.1:${at.port}`);
    await open().connect(at);
    await node.close();
    expect(await other.listen(at)).toEqual(at);
  });

  it("an address that is not of this machine is refused with wire.address-unavailable", async () => {
    const error = await open()
      .listen({ host: "192.0.2.1", port: 0 })
      .catch((e: unknown) => e);
    expect(hasErrorCode(error, "wire.address-unavailable")).toBe(true);
  });

  it("listening twice is refused with wire.already-listening", async () => {
    const { node } = await listening();
    await expect(node.listen(await freeAddress())).rejects.toSatisfy((e) =>
      hasErrorCode(e, "wire.already-listening"),
    );
  });

  it("a node does not connect to itself", async () => {
    const { node, at } = await listening();
    for (const expect_ of [undefined, node.self]) {
      await expect(node.connect(at, expect_)).rejects.toSatisfy((e) => hasErrorCode(e, "wire.peer-identity"));
    }
  });

  it.each([
    { limits: { sessions: 0 } },
    { limits: { idleMs: -1 } },
    { limits: { connectTimeoutMs: Number.NaN } },
    { limits: { keepaliveMs: 0.5 } },
    { certificateValidityMs: 100 * DAY_MS },
  ])("options out of range are refused: %o", (options) => {
    expect(() =>
      createWireTransport({
        identity: createNodeIdentity(),
        clock: realClock,
        timers: realTimers,
        random: realRandom,
        ...options,
      }),
    ).toThrow(OptionOutOfRangeError);
  });

  it("keying material of an impossible length is refused", async () => {
    const { at } = await listening();
    const session = await open().connect(at);
    for (const length of [0, -1, 1.5, 8161]) {
      expect(() => session.exportKeyingMaterial("EXPORTER-glia-test", length)).toThrow(OptionOutOfRangeError);
    }
  });

  it("R1: a rotated certificate is shown to new peers and drops no session", async () => {
    const time = new ManualTime();
    const events: CertificateRotated[] = [];
    const onCertificate = (event: CertificateRotated) => void events.push(event);
    const { node, at, got } = await listening({ clock: time, timers: time, onCertificate });
    const session = await open().connect(at);
    const before = node.certificateNotAfterMs;
    time.advance(1000);
    node.rotateCertificate();
    expect(node.certificateNotAfterMs).toBeGreaterThan(before);
    expect(events).toEqual([{ previousNotAfterMs: before, notAfterMs: node.certificateNotAfterMs }]);
    const later = await open().connect(at, node.self);
    await later.send("request", new Uint8Array(1));
    await session.send("request", new Uint8Array(1));
    await until(
      () => got.length === 2 && node.sessions.every((each) => each.stats().messages.request.messagesIn === 1),
    );
  });

  it("R2: at 30 days left the certificate is renewed without being asked, and not before", () => {
    const time = new ManualTime();
    const events: CertificateRotated[] = [];
    open({ clock: time, timers: time, onCertificate: (event) => void events.push(event) });
    time.advance(60 * DAY_MS - 10_000);
    expect(events.length).toBe(0);
    time.advance(20_000);
    expect(events.length).toBe(1);
    time.advance(60 * DAY_MS + 10_000);
    expect(events.length).toBe(2);
  });

  it("W2: close leaves no timer behind", async () => {
    const time = new ManualTime();
    const { node, at } = await listening({ clock: time, timers: time });
    const dialler = open({ clock: time, timers: time });
    const session = await dialler.connect(at);
    await session.send("bulk", new Uint8Array(10));
    await until(() => node.sessions[0]?.stats().messages.bulk.messagesIn === 1);
    await dialler.close();
    await node.close();
    expect(time.pending).toBe(0);
  });

  it("Q2: while the receiver is held, a large request gets no further than the window", async () => {
    const { node, at } = await listening();
    const gate = Promise.withResolvers<void>();
    let received = 0;
    node.onSession((session) =>
      session.onMessage(() => {
        received++;
        return gate.promise;
      }),
    );
    const session = await open().connect(at);
    await session.send("request", new Uint8Array(1));
    await until(() => received === 1);
    await session.send("request", new Uint8Array(4 * REQUEST_WINDOW_BYTES));
    await settle(1000);
    const bytesIn = node.sessions[0]!.stats().bytesIn;
    expect(bytesIn).toBeGreaterThan(REQUEST_WINDOW_BYTES / 2);
    expect(bytesIn).toBeLessThan(REQUEST_WINDOW_BYTES + 2000);
    gate.resolve();
    await until(() => received === 2);
  });

  it("X1: of what is sent in one turn, datagrams leave before requests", async () => {
    const { node, at } = await listening();
    const got: string[] = [];
    node.onSession((session) => session.onMessage((trafficClass) => void got.push(trafficClass)));
    const session = await open({ datagrams: "stream" }).connect(at);
    void session.send("request", new Uint8Array(10));
    void session.send("datagram", new Uint8Array(10));
    await until(() => got.length === 2);
    expect(got).toEqual(["datagram", "request"]);
  });

  it("stats name the carrier and count what passed", async () => {
    const { node, at, got } = await listening();
    const session = await open().connect(at);
    await session.send("request", new Uint8Array(100));
    await session.send("bulk", new Uint8Array(1000));
    await until(() => node.sessions[0]?.stats().messages.bulk.messagesIn === 1);
    await until(() => session.stats().rttMs !== undefined);
    await until(() => session.stats().carriers.datagram === "udp");
    expect(session.stats().carriers).toEqual({ datagram: "udp", request: "tls-tcp", bulk: "tls-tcp" });
    expect(session.stats().connections).toBe(2);
    expect(session.stats().messages.request).toEqual({
      messagesIn: 0,
      messagesOut: 1,
      bytesIn: 0,
      bytesOut: 100,
    });
    expect(got.length).toBe(1);
  });

  it("W2: a process that closed its transports exits by itself", async () => {
    const program = `
      import { randomFillSync } from "node:crypto";
      import { createNodeIdentity, createWireTransport } from "@glia-os/mesh-wire";
      const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
      const timers = { schedule(ms, fire) { const t = setTimeout(fire, ms); return { cancel: () => clearTimeout(t) }; } };
      const random = { uint32: () => 0, bytes: (target) => randomFillSync(target), fork: () => random };
      const make = () => createWireTransport({ identity: createNodeIdentity(), clock, timers, random });
      const [a, b] = [make(), make()];
      b.onSession((session) => session.onMessage((c, m) => session.send(c, m)));
      const session = await a.connect(await b.listen({ host: "127.0.0.1", port: 0 }), b.self);
      const echoed = new Promise((resolve) => session.onMessage((c, m) => resolve(m)));
      await session.send("bulk", new Uint8Array(100000));
      await echoed;
      await Promise.all([a.close(), b.close()]);
      console.log("closed");`;
    const child = spawn(
      process.execPath,
      ["--conditions=@glia-os/source", "--input-type=module", "-e", program],
      {
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [code] = await once(child, "exit");
    expect(output).toBe("closed\n");
    expect(code).toBe(0);
  });
});
