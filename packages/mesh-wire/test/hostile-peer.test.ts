import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { errorCodeOf, hasErrorCode } from "@glia-os/abi/errors";
import type { HostPort, Logger, Session } from "@glia-os/abi/ports";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acceptTls } from "../src/carriers/tls-carrier.ts";
import { PURPOSE, REFUSAL, readCodedReason, writeDatagramOffer, writeHello } from "../src/control-payload.ts";
import { DER_TAG, derPositiveInteger, derTime, derValue } from "../src/der.ts";
import {
  controlFrame,
  FLAG_FIRST,
  FLAG_LAST,
  FRAME_KIND,
  FrameDecoder,
  type FrameHeader,
  writeFrameHeader,
} from "../src/frame.ts";
import {
  type CertificateFault,
  createNodeIdentity,
  issueNodeCertificate,
  type NodeIdentity,
  type PeerCertificateError,
  REQUEST_WINDOW_BYTES,
  type WireTransport,
} from "../src/index.ts";
import { PENDING_HANDSHAKES } from "../src/limits.ts";
import { LOOPBACK, makeTransport } from "./endpoints.ts";
import { ManualTime, realRandom, settle, until } from "./ports.ts";

const DAY_MS = 86_400_000;
const WHOLE = FLAG_FIRST | FLAG_LAST;

interface Pem {
  readonly cert: string;
  readonly key: string;
}

function issue(identity = createNodeIdentity(), notBeforeMs = Date.now(), validityMs = DAY_MS): Pem {
  return issueNodeCertificate(identity, { notBeforeMs, validityMs }, realRandom);
}

/** A certificate without our extension. */
function plainCertificate(): Pem {
  const leaf = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = derValue(
    DER_TAG.sequence,
    derValue(DER_TAG.objectIdentifier, Buffer.from("2a8648ce3d040302", "hex")),
  );
  const name = derValue(DER_TAG.sequence);
  const body = derValue(
    DER_TAG.sequence,
    derPositiveInteger(Uint8Array.of(1)),
    algorithm,
    name,
    derValue(DER_TAG.sequence, derTime(Date.now() - DAY_MS), derTime(Date.now() + DAY_MS)),
    name,
    leaf.publicKey.export({ format: "der", type: "spki" }),
  );
  const signature = sign("sha256", body, leaf.privateKey);
  const bits = derValue(DER_TAG.bitString, Uint8Array.of(0), signature);
  const der = derValue(DER_TAG.sequence, body, algorithm, bits);
  const key = leaf.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { cert: new X509Certificate(der).toString(), key };
}

/** A certificate that claims `victim`'s key without its signature. */
function forgedCertificate(victim: NodeIdentity): Pem {
  const attacker = createNodeIdentity();
  return issue({ ...victim, sign: (message) => attacker.sign(message) });
}

const CERTIFICATES: readonly (readonly [string, () => Pem, CertificateFault])[] = [
  ["expired", () => issue(undefined, Date.now() - 2 * DAY_MS), "expired"],
  ["not valid yet", () => issue(undefined, Date.now() + DAY_MS), "not-yet-valid"],
  ["without the extension", plainCertificate, "extension-missing"],
  ["forged for another identity", () => forgedCertificate(createNodeIdentity()), "identity-signature"],
  [
    "followed by a second one",
    () => {
      const own = issue();
      return { ...own, cert: own.cert + issue().cert };
    },
    "chain",
  ],
];

function contextOf({ cert, key }: Pem): SecureContext {
  return createSecureContext({ cert, key, minVersion: "TLSv1.3" });
}

function offerUdp(port: number): Buffer {
  return controlFrame(FRAME_KIND.offerUdp, writeDatagramOffer({ port, path: 1 }));
}

/** A whole request of this size. */
function dataFrameOf(length: number): Buffer {
  const bytes = Buffer.alloc(12 + length);
  writeFrameHeader(bytes, 0, {
    kind: FRAME_KIND.request,
    flags: WHOLE,
    payloadLength: length,
    messageLength: length,
  });
  return bytes;
}

describe("a peer that does not follow the rules", () => {
  let b: WireTransport;
  let address: HostPort;
  let time: ManualTime;
  let sessions: Session[];
  let refusals: string[];
  const sockets: Socket[] = [];
  const servers: Server[] = [];

  beforeEach(async () => {
    // Closures over this test's own lists: the end of an earlier test may still be logged.
    const [ownSessions, ownRefusals]: [Session[], string[]] = [[], []];
    sessions = ownSessions;
    refusals = ownRefusals;
    const logger: Logger = {
      log: (_, __, fields) => void ownRefusals.push(String(fields?.["why"])),
      child: () => logger,
    };
    time = new ManualTime();
    b = makeTransport({ clock: time, timers: time, logger });
    b.onSession((session) => void ownSessions.push(session));
    address = await b.listen(LOOPBACK);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
    await b.close();
  });

  function tlsTo(secureContext: SecureContext, extra: object = {}): TLSSocket {
    const socket = connect({
      ...address,
      secureContext,
      rejectUnauthorized: false,
      ALPNProtocols: ["glia/1"],
      ...extra,
    });
    socket.on("error", () => {});
    sockets.push(socket);
    return socket;
  }

  const goneFrom = (socket: Socket) => until(() => socket.closed);

  /** A raw client that has a session and shows the frames it gets. */
  async function rawSession(
    extra: object = {},
  ): Promise<{ socket: TLSSocket; controls: { kind: number; payload: Uint8Array }[]; session: Session }> {
    const socket = tlsTo(contextOf(issue()), extra);
    const controls: { kind: number; payload: Uint8Array }[] = [];
    const ignore = () => {};
    const decoder = new FrameDecoder({
      begin: ignore,
      data: ignore,
      end: ignore,
      control: (kind, payload) => void controls.push({ kind, payload }),
    });
    socket.on("data", (chunk: Buffer) => decoder.push(chunk));
    socket.write(helloFrame(PURPOSE.session));
    await until(() => sessions.length > 0 && controls.some(({ kind }) => kind === FRAME_KIND.welcome));
    return { socket, controls, session: sessions.at(-1)! };
  }

  function helloFrame(purpose: number, count = 1): Buffer {
    const hello = { purpose, ordinal: { instance: "ab".repeat(16), count }, binding: new Uint8Array(32) };
    return controlFrame(FRAME_KIND.hello, writeHello(hello));
  }

  function dataFrame(header: Partial<FrameHeader>, payload: Uint8Array): Buffer {
    const bytes = Buffer.alloc(12 + payload.length);
    const length = payload.length;
    const full = {
      kind: FRAME_KIND.request,
      flags: WHOLE,
      payloadLength: length,
      messageLength: length,
      ...header,
    };
    bytes.set(payload, writeFrameHeader(bytes, 0, full));
    return bytes;
  }

  it.each(CERTIFICATES)(
    "as a client with a certificate that is %s is told and gets no session",
    async (_, make, fault) => {
      const socket = tlsTo(contextOf(make()));
      let refusal: { code: number; reason: string } | undefined;
      const decoder = new FrameDecoder({
        begin() {},
        data() {},
        end() {},
        control: (kind, payload) => {
          if (kind === FRAME_KIND.refuse) refusal = readCodedReason(payload);
        },
      });
      socket.on("data", (chunk: Buffer) => decoder.push(chunk));
      socket.write(Buffer.concat([helloFrame(PURPOSE.session), dataFrame({}, new Uint8Array(100))]));
      await goneFrom(socket);
      await until(() => refusals.length === 1);
      expect(refusal?.code).toBe(REFUSAL.certificate);
      expect(refusal?.reason).toContain("certificate was refused");
      expect(fault).toBeTruthy();
      expect(sessions).toEqual([]);
    },
  );

  it.each(CERTIFICATES)(
    "as a server with a certificate that is %s is refused by the dialler",
    async (_, make, fault) => {
      const context = contextOf(make());
      const server = createServer((raw) => acceptTls(raw, context).on("error", () => {}));
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
      const { port } = server.address() as { port: number };
      const error = await b.connect({ host: "127.0.0.1", port }).catch((e: unknown) => e);
      expect(errorCodeOf(error)).toBe("wire.peer-certificate");
      expect((error as PeerCertificateError).reason).toBe(fault);
    },
  );

  it("without a certificate gets no session", async () => {
    const socket = tlsTo(createSecureContext({ minVersion: "TLSv1.3" }));
    socket.resume();
    socket.write(helloFrame(PURPOSE.session));
    await goneFrom(socket);
    await until(() => refusals.length === 1);
    expect(refusals[0]).toContain("the peer sent none");
    expect(sessions).toEqual([]);
  });

  it("that speaks TLS 1.2 is refused in the handshake", async () => {
    const { cert, key } = issue();
    const socket = tlsTo(createSecureContext({ cert, key, maxVersion: "TLSv1.2" }));
    await goneFrom(socket);
    await until(() => refusals.length === 1);
    expect(sessions).toEqual([]);
  });

  it.each([
    ["another protocol", ["h2"]],
    ["no protocol", undefined],
  ])("that asks for %s gets no session", async (_, names) => {
    const socket = tlsTo(contextOf(issue()), { ALPNProtocols: names });
    socket.resume();
    await goneFrom(socket);
    await until(() => refusals.length === 1);
    expect(sessions).toEqual([]);
  });

  it("P3: that offers to resume a TLS session has to do a full handshake", async () => {
    const context = contextOf(issue());
    const first = tlsTo(context);
    const ticket = await new Promise<Buffer>((resolve) => {
      first.once("session", resolve);
      first.resume();
    });
    const second = tlsTo(context, { session: ticket });
    await new Promise((resolve) => second.once("secureConnect", resolve));
    expect(second.isSessionReused()).toBe(false);
  });

  it("that sends garbage on plain TCP is cut off", async () => {
    const socket = connectTcp({ ...address });
    sockets.push(socket);
    socket.on("error", () => {});
    socket.resume();
    socket.write(Buffer.alloc(4096, "GET / HTTP/1.1\r\n\r\n"));
    await goneFrom(socket);
    await until(() => refusals.length === 1);
    expect(b.pendingHandshakes).toBe(0);
  });

  it.each([
    ["before TLS", () => connectTcp({ ...address })],
    ["after TLS", () => tlsTo(contextOf(issue()))],
  ])("AC1: that says nothing %s is cut off at the connect timeout", async (_, open) => {
    const socket = open();
    sockets.push(socket);
    socket.on("error", () => {});
    socket.resume();
    await until(() => b.pendingHandshakes === 1);
    await settle();
    time.advance(9_999);
    await settle();
    expect(b.pendingHandshakes).toBe(1);
    time.advance(1);
    await goneFrom(socket);
    await until(() => b.pendingHandshakes === 0);
  });

  it("AC1: that drips its hello byte by byte is cut off at the connect timeout", async () => {
    const socket = tlsTo(contextOf(issue()));
    socket.resume();
    let gone = false;
    void goneFrom(socket).then(() => {
      gone = true;
    });
    for (const byte of helloFrame(PURPOSE.session)) {
      socket.write(Uint8Array.of(byte));
      await settle(20);
      time.advance(500);
      if (gone) break;
    }
    await until(() => gone);
    expect(sessions).toEqual([]);
  });

  it("AC2: cannot hold more than the bounded number of unfinished connections", async () => {
    const open = () => {
      const socket = connectTcp({ ...address });
      socket.on("error", () => {});
      socket.resume();
      sockets.push(socket);
      return socket;
    };
    for (let i = 0; i < PENDING_HANDSHAKES; i++) open();
    await until(() => b.pendingHandshakes === PENDING_HANDSHAKES);
    await goneFrom(open());
    expect(b.pendingHandshakes).toBe(PENDING_HANDSHAKES);
  });

  it.each([
    ["a message before its hello", () => dataFrame({}, new Uint8Array(10))],
    ["a ping before its hello", () => controlFrame(FRAME_KIND.ping, new Uint8Array(8))],
    ["a hello with an unknown purpose", () => helloFrame(7)],
    ["random bytes", () => realRandom.bytes(new Uint8Array(4096))],
  ])("that starts with %s gets no session", async (_, bytes) => {
    const socket = tlsTo(contextOf(issue()));
    socket.resume();
    socket.write(bytes());
    await goneFrom(socket);
    await until(() => refusals.length === 1);
    expect(sessions).toEqual([]);
  });

  it("that opens bulk for a session it does not have is refused", async () => {
    const { session } = await rawSession();
    const socket = tlsTo(contextOf(issue()));
    socket.resume();
    socket.write(helloFrame(PURPOSE.bulk));
    await goneFrom(socket);
    expect(session.carrier).toBe("tls-tcp");
    expect(sessions.length).toBe(1);
  });

  it("AC3: whose hello is older than the session it has gets no second one; with a newer hello it does", async () => {
    const context = contextOf(issue());
    const say = (count: number) => {
      const socket = tlsTo(context);
      socket.resume();
      socket.write(helloFrame(PURPOSE.session, count));
      return socket;
    };
    say(5);
    await until(() => sessions.length === 1);
    await goneFrom(say(3));
    expect(sessions.length).toBe(1);
    say(6);
    await until(() => sessions.length === 2);
  });

  it("H2: that opens bulk for its own session without the binding is refused, and the session goes on", async () => {
    const identity = createNodeIdentity();
    const context = contextOf(issue(identity));
    const first = tlsTo(context);
    first.resume();
    first.write(helloFrame(PURPOSE.session));
    await until(() => sessions.length === 1);
    const second = tlsTo(context);
    second.resume();
    second.write(helloFrame(PURPOSE.bulk));
    await goneFrom(second);
    await sessions[0]!.send("datagram", new Uint8Array(1));
    expect(b.sessions[0]!.stats().connections).toBe(1);
  });

  it.each<[string, () => Buffer, RegExp]>([
    ["a bad frame", () => Buffer.alloc(12), /version/],
    ["UDP port 0", () => offerUdp(0), /port 0/],
    ["a second UDP port", () => Buffer.concat([offerUdp(1), offerUdp(2)]), /second port/],
    [
      "an announced 4 GiB message",
      () => dataFrame({ flags: FLAG_FIRST, payloadLength: 1, messageLength: 0xffffffff }, new Uint8Array(1)),
      /limit/,
    ],
    [
      "bulk on the shared connection",
      () => dataFrame({ kind: FRAME_KIND.bulk }, new Uint8Array(1)),
      /bulk on the shared/,
    ],
    ["a second hello", () => helloFrame(PURPOSE.session, 2), /control 16/],
    [
      "credit beyond the window",
      () => controlFrame(FRAME_KIND.credit, Uint8Array.of(255, 255, 255, 255)),
      /more than the window/,
    ],
    [
      "a request to open bulk",
      () => controlFrame(FRAME_KIND.openBulk, new Uint8Array(0)),
      /asked the acceptor/,
    ],
  ])(
    "that sends %s after the hello loses its session, and both sides learn the reason",
    async (_, bytes, why) => {
      const { socket, controls, session } = await rawSession();
      socket.write(bytes());
      const closed = await session.closed;
      expect(closed.kind).toBe("failed");
      expect(closed.reason).toMatch(why);
      await goneFrom(socket);
      const close = controls.find(({ kind }) => kind === FRAME_KIND.close);
      expect(readCodedReason(close!.payload).reason).toMatch(why);
    },
  );

  it("Q1: that sends more request bytes than granted to a held receiver loses its session", async () => {
    const { socket, session } = await rawSession();
    session.onMessage(() => new Promise(() => {}));
    const piece = new Uint8Array(16_384);
    for (let sent = 0; sent < REQUEST_WINDOW_BYTES + 4 * piece.length; sent += piece.length)
      socket.write(dataFrame({}, piece));
    const closed = await session.closed;
    expect(closed.reason).toContain("granted");
  });

  it("that resets the connection in the middle of a message ends the session as failed", async () => {
    const raw = connectTcp({ ...address });
    raw.on("error", () => {});
    const { socket, session } = await rawSession({ socket: raw });
    let received = 0;
    session.onMessage(() => void received++);
    socket.write(dataFrame({ flags: FLAG_FIRST, messageLength: 20_000 }, new Uint8Array(10_000)));
    await settle();
    raw.resetAndDestroy();
    expect((await session.closed).kind).toBe("failed");
    expect(received).toBe(0);
  });

  it("L1: that is silent for three keepalive intervals is dead; one that answers is not", async () => {
    const { socket, session } = await rawSession();
    socket.pause();
    let closed = false;
    void session.closed.then(() => {
      closed = true;
    });
    for (let i = 0; i < 3; i++) {
      time.advance(15_000);
      await settle(20);
    }
    expect(closed).toBe(false);
    socket.write(controlFrame(FRAME_KIND.pong, new Uint8Array(8)));
    await settle();
    for (let i = 0; i < 3; i++) {
      time.advance(15_000);
      await settle(20);
    }
    expect(closed).toBe(false);
    time.advance(15_000);
    await settle(20);
    time.advance(1);
    expect((await session.closed).reason).toContain("silent for three");
  });

  it.each([
    ["the header of a frame", Buffer.alloc(0)],
    ["the payload of a frame", dataFrameOf(100).subarray(0, 12)],
  ])(
    "L1: that drips %s byte by byte into its session is dead after three keepalive intervals",
    async (_, start) => {
      const { socket, session } = await rawSession();
      socket.write(start);
      const rest = dataFrameOf(100).subarray(start.length);
      let over = false;
      void session.closed.then(() => {
        over = true;
      });
      for (const byte of rest.subarray(0, 11)) {
        if (over) break;
        socket.write(Uint8Array.of(byte));
        await settle(20);
        time.advance(10_000);
        await settle(5);
      }
      await until(() => over);
      expect((await session.closed).reason).toContain("silent");
    },
  );

  it("X3: that pings without reading costs one pong, not one per ping", async () => {
    const { socket, controls } = await rawSession();
    socket.pause();
    const ping = controlFrame(FRAME_KIND.ping, new Uint8Array(8));
    for (let i = 0; i < 200; i++) socket.write(Buffer.concat(Array(100).fill(ping)));
    await settle(400);
    const before = controls.length;
    socket.resume();
    await settle(400);
    expect(controls.length - before).toBeLessThan(5000);
    expect(b.sessions.length).toBe(1);
  });

  it("that takes no sessions refuses a dial with wire.refused", async () => {
    const deaf = makeTransport();
    const at = await deaf.listen(LOOPBACK);
    const error = await b.connect(at).catch((e: unknown) => e);
    expect(hasErrorCode(error, "wire.refused")).toBe(true);
    await deaf.close();
  });
});
