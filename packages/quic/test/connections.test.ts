/** Connections: approval on both sides, ends, limits, identities. */
import { X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import type { QuicConnection } from "../src/index.ts";
import { CLOSE_CODES } from "../src/index.ts";
import { noAddon } from "./addon.ts";
import { makeIdentity } from "./identity.ts";
import { endpoint, failure, nextStream, pair, readAll, until } from "./peers.ts";

/** Containers often have no IPv6, not even on loopback. */
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);

describe.skipIf(noAddon !== undefined)(
  `connections, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test("both sides see the certificate of the other", async () => {
      const [a, b] = [await makeIdentity("p256"), await makeIdentity()];
      const { accepted, dialled } = await pair(a, b);
      expect(Buffer.from(dialled.peerCertificate).equals(a.certificate)).toBe(true);
      expect(Buffer.from(accepted.peerCertificate).equals(b.certificate)).toBe(true);
      expect(new X509Certificate(dialled.peerCertificate).subject).toBe("CN=test");
      expect([accepted.isAccepted, dialled.isAccepted]).toEqual([true, false]);
    });

    test("both sides export the same secret, which depends on label and context", async () => {
      const { accepted, dialled } = await pair();
      const [here, there] = [
        dialled.exportKeyingMaterial(32, "glia"),
        accepted.exportKeyingMaterial(32, "glia"),
      ];
      expect(Buffer.from(here).equals(there)).toBe(true);
      expect(Buffer.from(dialled.exportKeyingMaterial(32, "other")).equals(here)).toBe(false);
      expect(Buffer.from(dialled.exportKeyingMaterial(32, "glia", Buffer.from("c"))).equals(here)).toBe(
        false,
      );
      expect(() => dialled.exportKeyingMaterial(8161, "glia")).toThrow(/length/);
      await dialled.close();
      expect(() => dialled.exportKeyingMaterial(32, "glia")).toThrow(/closed/);
    });

    test("a server that does not approve the dialler fails the dial, and neither side sees a connection or a stream", async () => {
      const seen: string[] = [];
      const server = endpoint({ approvePeer: () => false, onConnection: () => seen.push("connection") });
      const error = await failure(endpoint().connect(server.address));
      expect(error).toMatchObject({
        code: "quic.connect-failed",
        details: { code: CLOSE_CODES.notApproved, by: "peer" },
      });
      expect(seen).toEqual([]);
    });

    test("a dialler that does not approve the server says so, and neither side sees a connection or a stream", async () => {
      const seen: string[] = [];
      const server = endpoint({ onConnection: () => seen.push("connection") });
      const client = endpoint({ approvePeer: () => Promise.reject(new TypeError("no idea")) });
      const error = await failure(client.connect(server.address));
      expect(error).toMatchObject({ code: "quic.peer-refused", cause: { message: "no idea" } });
      await until(() => server.stats().connections === 0);
      expect(seen).toEqual([]);
    });

    test("an approval that takes its time holds the dial and every stream back", async () => {
      const verdict = Promise.withResolvers<boolean>();
      let asked = false;
      const server = endpoint({
        approvePeer: () => {
          asked = true;
          return verdict.promise;
        },
      });
      let isConnected = false;
      const dial = endpoint()
        .connect(server.address)
        .then(() => (isConnected = true));
      await until(() => asked);
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(isConnected).toBe(false);
      expect(server.stats().pending).toBe(1);
      verdict.resolve(true);
      await dial;
      expect(server.stats().pending).toBe(0);
    });

    test("the truthy is not approval", async () => {
      const server = endpoint({ approvePeer: (() => "yes") as never });
      expect(await failure(endpoint().connect(server.address))).toMatchObject({
        code: "quic.connect-failed",
      });
    });

    test("an endpoint without onConnection refuses to be dialled", async () => {
      const server = endpoint();
      const silent = endpoint({ onConnection: undefined as never });
      expect(await failure(server.connect(silent.address))).toMatchObject({ code: "quic.connect-failed" });
    });

    test("no common protocol name fails the dial at once, and nobody sees a connection", async () => {
      const seen: string[] = [];
      const server = endpoint({ alpn: ["one", "three"], onConnection: () => seen.push("connection") });
      const error = await failure(endpoint({ alpn: ["two", "four"] }).connect(server.address));
      expect(error).toMatchObject({
        code: "quic.connect-failed",
        details: { code: CLOSE_CODES.noProtocol, by: "peer" },
      });
      expect(seen).toEqual([]);
    });

    test("one protocol name in common is enough", async () => {
      const server = endpoint({ alpn: ["one", "two"] });
      expect((await endpoint({ alpn: ["zero", "two"] }).connect(server.address)).isClosed).toBe(false);
    });

    test("close codes and reasons reach the peer, from either side", async () => {
      const first = await pair();
      await first.dialled.close({ code: 1234, reason: "done: été" });
      expect(await first.accepted.closed).toEqual({
        by: "peer",
        kind: "application",
        code: 1234,
        reason: "done: été",
      });
      expect(await first.dialled.closed).toMatchObject({ by: "us", kind: "application", code: 1234 });
      const second = await pair();
      await second.accepted.close({ code: Number.MAX_SAFE_INTEGER });
      expect(await second.dialled.closed).toMatchObject({ by: "peer", code: Number.MAX_SAFE_INTEGER });
      expect(await failure(second.dialled.openStream())).toMatchObject({ code: "quic.connection-closed" });
    });

    test("codes and reasons out of range are refused and close nothing", async () => {
      const { dialled } = await pair();
      expect(() => dialled.close({ code: -1 })).toThrow(/code/);
      expect(() => dialled.close({ code: 2 ** 60 })).toThrow(/code/);
      expect(() => dialled.close({ reason: "x".repeat(257) })).toThrow(/reason/);
      expect(dialled.isClosed).toBe(false);
    });

    test("one port listens and dials", async () => {
      const connections: QuicConnection[] = [];
      const a = endpoint({ onConnection: (connection) => connections.push(connection) });
      const b = endpoint({ onConnection: (connection) => connections.push(connection) });
      const [ab, ba] = await Promise.all([a.connect(b.address), b.connect(a.address)]);
      await until(() => connections.length === 2);
      for (const accepted of connections)
        accepted.onStream(async (stream) => stream.end(await readAll(stream)));
      for (const connection of [ab, ba]) {
        const stream = await connection.openStream();
        stream.end("both ways");
        expect(String(await readAll(stream))).toBe("both ways");
      }
      expect(a.stats().connections).toBe(2);
    });

    test("an endpoint dials itself", async () => {
      const self = endpoint({
        onConnection: (connection) => connection.onStream((stream) => stream.end("me")),
      });
      const stream = await (await self.connect(self.address)).openStream();
      stream.end();
      expect(String(await readAll(stream))).toBe("me");
    });

    test("a certificate swapped in is what the next connection sees, in both roles, and open ones stay", async () => {
      const { server, client, dialled, accepted } = await pair();
      const next = await makeIdentity();
      const before = Buffer.from(dialled.peerCertificate);
      server.setIdentity(next);
      client.setIdentity(next);
      const seen: Uint8Array[] = [];
      const later = endpoint({
        onConnection: () => {},
        approvePeer: (certificate) => {
          seen.push(certificate);
          return true;
        },
      });
      await later.connect(server.address);
      await client.connect(later.address);
      expect(seen.map((bytes) => Buffer.from(bytes).equals(next.certificate))).toEqual([true, true]);
      expect(before.equals(next.certificate)).toBe(false);
      const stream = await dialled.openStream();
      stream.end("as before");
      expect(String(await readAll(await nextStream(accepted)))).toBe("as before");
    });

    test("an identity that does not fit is refused and the old one stays", async () => {
      const [a, b, other] = [await makeIdentity(), await makeIdentity(), await makeIdentity("p256")];
      const server = endpoint(a);
      expect(() => server.setIdentity({ certificate: b.certificate, key: a.key })).toThrow(/does not belong/);
      expect(() => server.setIdentity(other)).toThrow(/kind of key/);
      expect(() => server.setIdentity({ certificate: Buffer.from("rubbish"), key: a.key })).toThrow(/X\.509/);
      expect(() => server.setIdentity({ certificate: a.certificate, key: Buffer.from("rubbish") })).toThrow(
        /PKCS#8/,
      );
      expect(() =>
        server.setIdentity({ certificate: Buffer.concat([a.certificate, Buffer.alloc(1)]), key: a.key }),
      ).toThrow();
      const dialled = await endpoint().connect(server.address);
      expect(Buffer.from(dialled.peerCertificate).equals(a.certificate)).toBe(true);
    });

    test("handshakes beyond maxPending are refused, and the counter says so", async () => {
      const verdict = Promise.withResolvers<boolean>();
      const server = endpoint({ maxPending: 2, approvePeer: () => verdict.promise });
      const client = endpoint();
      const held = [client.connect(server.address), client.connect(server.address)];
      await until(() => server.stats().pending === 2);
      const error = await failure(client.connect(server.address));
      expect(error).toMatchObject({ code: "quic.connect-failed" });
      verdict.resolve(true);
      await Promise.all(held);
      await client.connect(server.address);
    });

    test("connections beyond maxConnections are refused on either side", async () => {
      const server = endpoint({ maxConnections: 2 });
      const client = endpoint();
      await client.connect(server.address);
      await client.connect(server.address);
      expect(await failure(client.connect(server.address))).toMatchObject({ code: "quic.connect-failed" });
      const small = endpoint({ maxConnections: 1 });
      await small.connect(client.address);
      expect(await failure(small.connect(client.address))).toMatchObject({ code: "quic.too-many" });
    });

    test("a peer that never answers is a timeout", async () => {
      const hole = createSocket("udp4").bind(0, "127.0.0.1");
      await once(hole, "listening");
      const client = endpoint();
      const { port } = hole.address();
      const error = await failure(client.connect({ host: "127.0.0.1", port, timeoutMs: 300 }));
      hole.close();
      expect(error).toMatchObject({ code: "quic.connect-timeout" });
      await until(() => client.stats().connections === 0);
    });

    test("a port where nobody listens does not disturb the endpoint's other connections", async () => {
      const { client, accepted, dialled } = await pair();
      const gone = endpoint();
      await gone.close();
      const dead = failure(client.connect({ ...gone.address, timeoutMs: 300 }));
      const stream = await dialled.openStream();
      stream.end("alive");
      expect(String(await readAll(await nextStream(accepted)))).toBe("alive");
      expect(await dead).toMatchObject({ code: "quic.connect-timeout" });
    });

    test("closing an endpoint ends its connections, frees the port and tells the peers", async () => {
      const { server, accepted, dialled } = await pair();
      const { address } = server;
      const closing = server.close();
      expect(server.close()).toBe(closing);
      await closing;
      expect(await accepted.closed).toMatchObject({ by: "us" });
      expect(await dialled.closed).toMatchObject({ by: "peer", kind: "application", code: 0 });
      expect(server.stats()).toMatchObject({ connections: 0, streams: 0 });
      expect(await failure(server.connect(address))).toMatchObject({ code: "quic.endpoint-closed" });
      const again = endpoint({ port: address.port });
      expect(again.address.port).toBe(address.port);
      const dialledAgain = await endpoint().connect(again.address);
      expect(dialledAgain.isClosed).toBe(false);
    });

    test("a connection that waits to end does not keep the loop busy", async () => {
      const { client, accepted, dialled } = await pair();
      accepted.onStream((stream) => stream.resume());
      for (let round = 0; round < 3; round += 1)
        (await dialled.openStream({ unidirectional: true })).end("x");
      const before = client.stats().ticks;
      await dialled.close();
      await until(() => client.stats().connections === 0);
      expect(client.stats().ticks - before).toBeLessThan(150);
    });

    test("an endpoint that closes while dialling fails the dial", async () => {
      const server = endpoint();
      const client = endpoint();
      const dial = failure(client.connect(server.address));
      await client.close();
      expect(await dial).toMatchObject({ code: "quic.endpoint-closed" });
    });

    test("an exception in onConnection or onStream closes nothing else", async () => {
      const { accepted, dialled } = await pair();
      const { promise, resolve } = Promise.withResolvers<Error>();
      const listeners = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", resolve);
      accepted.onStream(() => {
        throw new RangeError("the handler failed");
      });
      const stream = await dialled.openStream();
      stream.write("x");
      const error = await promise;
      for (const listener of listeners) process.on("uncaughtException", listener);
      expect(error.message).toBe("the handler failed");
      expect(dialled.isClosed).toBe(false);
    });

    test.skipIf(!hasIpv6)(
      "an IPv6 endpoint works, and refuses to dial IPv4, needs an IPv6 loopback",
      async () => {
        const arrived = Promise.withResolvers<QuicConnection>();
        const server = endpoint({ host: "::1", onConnection: arrived.resolve });
        const client = endpoint({ host: "::1" });
        const dialled = await client.connect(server.address);
        const stream = await dialled.openStream();
        stream.end("six");
        expect(String(await readAll(await nextStream(await arrived.promise)))).toBe("six");
        expect(await failure(client.connect({ host: "127.0.0.1", port: 9 }))).toMatchObject({
          code: "quic.bad-option",
        });
      },
    );

    test("without confirmation a connection is up at once and streams flow", async () => {
      const { accepted, dialled } = await pair({ confirmsApproval: false }, { confirmsApproval: false });
      const stream = await dialled.openStream();
      stream.end("plain");
      expect(String(await readAll(await nextStream(accepted)))).toBe("plain");
    });

    test("a first stream that is no confirmation ends the connection before anybody sees it", async () => {
      const seen: string[] = [];
      const server = endpoint({ onConnection: () => seen.push("connection") });
      const client = endpoint({ confirmsApproval: false });
      const dialled = await client.connect(server.address);
      const stream = await dialled.openStream({ unidirectional: true });
      stream.end("this is no confirmation");
      expect(await dialled.closed).toMatchObject({ by: "peer", code: CLOSE_CODES.badConfirmation });
      expect(seen).toEqual([]);
    });

    test("rubbish sent to the port changes nothing", async () => {
      const { server, accepted, dialled } = await pair();
      const socket = createSocket("udp4");
      for (let size = 0; size < 1500; size += 7) {
        const packet = Buffer.alloc(size, size);
        if (size > 6) packet.writeUInt32BE(size % 3 === 0 ? 1 : size, 1);
        if (size > 1) packet[0] = 0xc0 | size;
        await new Promise((resolve) => socket.send(packet, server.address.port, "127.0.0.1", resolve));
      }
      socket.close();
      const stream = await dialled.openStream();
      stream.end("unmoved");
      expect(String(await readAll(await nextStream(accepted)))).toBe("unmoved");
    });
  },
);
