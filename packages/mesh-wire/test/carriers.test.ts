import { Duplex } from "node:stream";
import { hasErrorCode } from "@glia-os/abi/errors";
import type { HostPort, Timers } from "@glia-os/abi/ports";
import { afterEach, describe, expect, it } from "vitest";
import { raceDials } from "../src/carriers/dial-race.ts";
import { createTlsCarrier } from "../src/carriers/tls-carrier.ts";
import type {
  Carrier,
  CarrierFactory,
  Handshake,
  ProvenStream,
  WireTransport,
  WireTransportOptions,
} from "../src/index.ts";
import { run } from "./contract/transport-contract.ts";
import { freeAddress, LOOPBACK, makeTransport } from "./endpoints.ts";
import { ManualTime, until } from "./ports.ts";

/** A stream that is nothing but a `Duplex`, over another. */
class PlainStream extends Duplex {
  readonly #inner: Duplex;

  constructor(inner: Duplex) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    let ended = false;
    inner.pause();
    inner.on("data", (chunk) => {
      if (!this.push(chunk)) inner.pause();
    });
    inner.on("end", () => {
      ended = true;
      this.push(null);
    });
    inner.on("error", (error) => this.destroy(error));
    inner.on("close", () => {
      if (!ended) this.destroy();
    });
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Uint8Array, _: unknown, done: (error?: Error | null) => void): void {
    this.#inner.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#inner.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }
}

/** Port numbers of the second carrier: where its connections really go. */
type Ports = Map<number, number>;

/** A second carrier for tests, which takes the place of QUIC: plain streams over TLS at ports of its own. */
function secondCarrier(ports: Ports, seen: string[] = []): CarrierFactory {
  return (carrierPorts): Carrier => {
    const tls = createTlsCarrier(carrierPorts);
    const rename = (handshake: Handshake): Handshake => ({
      carrier: "quic",
      remote: handshake.remote,
      complete: async (): Promise<ProvenStream> => {
        const proven = await handshake.complete();
        seen.push("proved");
        return {
          carrier: "quic",
          peer: proven.peer,
          stream: new PlainStream(proven.stream),
          remoteHost: undefined,
          exportKeyingMaterial: (label, length) => proven.exportKeyingMaterial(label, length),
        };
      },
      abandon: () => handshake.abandon(),
    });
    return {
      name: "quic",
      async listen(bind: HostPort, incoming) {
        const real = await tls.listen({ ...bind, port: 0 }, (handshake) => incoming(rename(handshake)));
        ports.set(bind.port, real.port);
        return bind;
      },
      dial: (address) => rename(tls.dial({ ...address, port: ports.get(address.port) ?? 1 })),
      stop: () => tls.stop(),
    };
  };
}

run("a second carrier for requests, TLS for bulk", async () => {
  const ports: Ports = new Map();
  const options: Partial<WireTransportOptions> = { transport: "quic-only", quic: secondCarrier(ports) };
  const a = makeTransport(options);
  const b = makeTransport(options);
  const [aAddress, bAddress] = [await a.listen(LOOPBACK), await b.listen(LOOPBACK)];
  return { a, b, spare: makeTransport(options), aAddress, bAddress, deadAddress: await freeAddress() };
});

describe("the choice of a carrier", () => {
  const opened: WireTransport[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()));
  });

  async function listening(options: Partial<WireTransportOptions>): Promise<[WireTransport, HostPort]> {
    const transport = makeTransport(options);
    opened.push(transport);
    transport.onSession((session) => session.onMessage(() => {}));
    return [transport, await transport.listen(LOOPBACK)];
  }

  it("CC1: auto takes QUIC where both ends have it, bulk stays on TLS, and both sides can see it", async () => {
    const ports: Ports = new Map();
    const [a] = await listening({ quic: secondCarrier(ports) });
    const [b, at] = await listening({ quic: secondCarrier(ports) });
    const session = await a.connect(at);
    await session.send("bulk", new Uint8Array(10));
    expect(session.carrier).toBe("quic");
    expect(session.stats().carriers).toMatchObject({ request: "quic", bulk: "tls-tcp" });
    await until(() => b.sessions[0]?.stats().messages.bulk.messagesIn === 1);
    expect(b.sessions[0]?.carrier).toBe("quic");
  });

  it("CC2, CC3: auto falls back to TLS where the peer has no QUIC, and dials TLS alone the next time", async () => {
    const seen: string[] = [];
    const [a] = await listening({ quic: secondCarrier(new Map(), seen) });
    const [, at] = await listening({});
    const first = await a.connect(at);
    expect(first.carrier).toBe("tls-tcp");
    await first.close("again");
    expect((await a.connect(at)).carrier).toBe("tls-tcp");
    expect(seen).toEqual([]);
  });

  it("CC1: quic-only neither dials sessions over TLS nor takes them", async () => {
    const ports: Ports = new Map();
    const [a] = await listening({ transport: "quic-only", quic: secondCarrier(ports) });
    const [b, tlsAt] = await listening({});
    const [, quicAt] = await listening({ transport: "quic-only", quic: secondCarrier(ports) });
    await expect(a.connect(tlsAt)).rejects.toSatisfy((e) => hasErrorCode(e, "wire.connect-failed"));
    const refused = await b.connect(quicAt).catch((e: unknown) => e);
    expect(hasErrorCode(refused, "wire.refused") && String(refused)).toContain("no sessions over tls-tcp");
  });

  it("CC1: tls-only does not use the QUIC carrier it was given", async () => {
    const ports: Ports = new Map();
    const [a] = await listening({ transport: "tls-only", quic: secondCarrier(ports) });
    const [, at] = await listening({ quic: secondCarrier(ports) });
    expect((await a.connect(at)).carrier).toBe("tls-tcp");
  });

  it("quic-only without a QUIC carrier is refused with wire.carrier-unavailable", () => {
    const make = () => makeTransport({ transport: "quic-only" });
    expect(make).toThrow(expect.objectContaining({ code: "wire.carrier-unavailable" }));
  });
});

describe("a race of two dials", () => {
  interface Pending {
    readonly handshake: Handshake;
    readonly outcome: PromiseWithResolvers<ProvenStream>;
    abandoned: boolean;
  }

  function pending(): Pending {
    const outcome = Promise.withResolvers<ProvenStream>();
    const entry: Pending = {
      outcome,
      abandoned: false,
      handshake: {
        carrier: "quic",
        remote: LOOPBACK,
        complete: () => outcome.promise,
        abandon: () => {
          entry.abandoned = true;
        },
      },
    };
    return entry;
  }

  function streamOf(carrier: "quic" | "tls-tcp"): ProvenStream {
    const peer = { nodeId: "00" as never, publicKey: new Uint8Array(32), notAfterMs: 0 };
    return {
      carrier,
      peer,
      stream: new Duplex({ read() {} }),
      remoteHost: undefined,
      exportKeyingMaterial: () => new Uint8Array(),
    };
  }

  function start(timers: Timers) {
    const [first, second] = [pending(), pending()];
    const told: string[] = [];
    const race = raceDials({
      first: first.handshake,
      second: () => {
        told.push("second started");
        return second.handshake;
      },
      headStartMs: 250,
      respiteMs: 1000,
      timers,
      secondWon: () => told.push("second won"),
    });
    return { first, second, told, race, result: race.complete() };
  }

  it("DR1: the second starts after the head start, and not when the first was faster", async () => {
    const time = new ManualTime();
    const slow = start(time);
    time.advance(249);
    expect(slow.told).toEqual([]);
    time.advance(1);
    expect(slow.told).toEqual(["second started"]);
    slow.first.outcome.resolve(streamOf("quic"));
    expect((await slow.result).carrier).toBe("quic");
    expect(slow.second.abandoned).toBe(true);
    const fast = start(time);
    fast.first.outcome.resolve(streamOf("quic"));
    await fast.result;
    time.advance(1000);
    expect(fast.told).toEqual([]);
    expect(time.pending).toBe(0);
  });

  it("DR2: a stream of the dial that lost is destroyed", async () => {
    const time = new ManualTime();
    const { first, second, told, result } = start(time);
    time.advance(250);
    second.outcome.resolve(streamOf("tls-tcp"));
    expect((await result).carrier).toBe("tls-tcp");
    expect(first.abandoned).toBe(true);
    expect(told).toEqual(["second started", "second won"]);
    const late = streamOf("quic");
    first.outcome.resolve(late);
    await until(() => late.stream.destroyed);
  });

  it("DR1, DR3: a first that fails starts the second at once; with both failed the second's error is told", async () => {
    const { first, second, told, result } = start(new ManualTime());
    first.outcome.reject(new RangeError("first"));
    await until(() => told.length === 1);
    second.outcome.reject(new RangeError("second"));
    await expect(result).rejects.toThrow("second");
  });

  it("DR3: a second that fails first does not end the race", async () => {
    const time = new ManualTime();
    const { first, second, result } = start(time);
    time.advance(250);
    second.outcome.reject(new RangeError("second"));
    await Promise.resolve();
    first.outcome.resolve(streamOf("quic"));
    expect((await result).carrier).toBe("quic");
  });

  it("DR4: a first that is silent when the second has failed is given up after the respite", async () => {
    const time = new ManualTime();
    const { first, second, result } = start(time);
    time.advance(250);
    second.outcome.reject(new RangeError("nobody listens"));
    await until(() => time.pending === 1);
    time.advance(999);
    expect(first.abandoned).toBe(false);
    time.advance(1);
    await expect(result).rejects.toThrow("nobody listens");
    expect(first.abandoned).toBe(true);
    const late = streamOf("quic");
    first.outcome.resolve(late);
    await until(() => late.stream.destroyed);
    expect(time.pending).toBe(0);
  });
});
