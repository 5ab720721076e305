import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { hasErrorCode } from "@glia-os/abi/errors";
import type { Session } from "@glia-os/abi/ports";
import { afterEach, describe, expect, it } from "vitest";
import type { CarrierFactory } from "../src/carriers/carrier.ts";
import { CertificateRotation } from "../src/certificate-rotation.ts";
import {
  type Carrier,
  createNodeIdentity,
  type Handshake,
  type ProvenStream,
  quicCarrier,
} from "../src/index.ts";
import { run } from "./contract/transport-contract.ts";
import { freeAddress, LOOPBACK, makeTransport } from "./endpoints.ts";
import { realClock, realRandom, realTimers, until } from "./ports.ts";

// Builds the addon where it is not built yet; says nothing new where it is.
spawnSync(process.execPath, [fileURLToPath(new URL("../../quic/scripts/build-native.ts", import.meta.url))]);
const found = quicCarrier();
const missing = "why" in found ? found.why.message : undefined;
if (missing !== undefined) console.warn(`\n!! THE TESTS OF THE QUIC CARRIER DO NOT RUN: ${missing}\n`);

describe.skipIf(missing !== undefined)(
  `the QUIC carrier, needs a compiler and Node's headers${missing ?? ""}`,
  () => {
    const makeCarrier = ("carrier" in found ? found.carrier : undefined) as CarrierFactory;

    run("requests over QUIC, bulk over TLS", async () => {
      const options = { transport: "quic-only", quic: makeCarrier } as const;
      const [a, b, spare] = [makeTransport(options), makeTransport(options), makeTransport(options)];
      const [aAddress, bAddress] = [await a.listen(LOOPBACK), await b.listen(LOOPBACK)];
      return { a, b, spare, aAddress, bAddress, deadAddress: await freeAddress() };
    });

    describe("by itself", () => {
      const ended: (() => unknown)[] = [];
      afterEach(async () => {
        for (const end of ended.splice(0).reverse()) await end();
      });

      function carrier(): { carrier: Carrier; rotation: CertificateRotation } {
        const ports = { clock: realClock, timers: realTimers, random: realRandom };
        const rotation = new CertificateRotation(
          { identity: createNodeIdentity(), ...ports, validityMs: 90 * 86_400_000 },
          () => {},
        );
        const made = makeCarrier({ rotation, wallMs: () => Date.now() });
        ended.push(() => rotation.stop());
        return { carrier: made, rotation };
      }

      async function connected(): Promise<{
        dialled: ProvenStream;
        accepted: ProvenStream;
        server: Carrier;
      }> {
        const { carrier: server } = carrier();
        const arrived = Promise.withResolvers<Handshake>();
        const bound = await server.listen(LOOPBACK, arrived.resolve);
        const dial = carrier().carrier.dial(bound).complete();
        const accepted = await (await arrived.promise).complete();
        const dialled = await dial;
        ended.push(() => {
          dialled.stream.destroy();
          accepted.stream.destroy();
          return server.stop();
        });
        return { dialled, accepted, server };
      }

      it("K1, K2: the acceptor gets a stream nobody has read from or written to", async () => {
        const { dialled, accepted } = await connected();
        expect(accepted.stream.readableLength).toBe(0);
        const got = once(accepted.stream, "data");
        dialled.stream.write("hello");
        expect(String((await got)[0])).toBe("hello");
        accepted.stream.write("back");
        expect(String((await once(dialled.stream, "data"))[0])).toBe("back");
        expect(dialled.carrier).toBe("quic");
      });

      it("K3: what was written before end arrives before the peer's end, and then both streams close", async () => {
        const { dialled, accepted } = await connected();
        let bytes = 0;
        accepted.stream.on("data", (chunk: Uint8Array) => (bytes += chunk.length));
        accepted.stream.once("end", () => accepted.stream.end());
        dialled.stream.resume();
        dialled.stream.end(Buffer.alloc(300_000));
        await Promise.all([once(dialled.stream, "close"), once(accepted.stream, "close")]);
        expect(bytes).toBe(300_000);
      });

      it("K3: destroying one end closes the other", async () => {
        const { dialled, accepted } = await connected();
        accepted.stream.on("error", () => {});
        const closed = new Promise((resolve) => accepted.stream.once("close", resolve));
        dialled.stream.destroy();
        await closed;
      });

      it("K4: both ends export the same bytes, and every connection others", async () => {
        const [one, two] = [await connected(), await connected()];
        const bytes = one.dialled.exportKeyingMaterial("label", 8160);
        expect(Buffer.from(one.accepted.exportKeyingMaterial("label", 8160)).equals(bytes)).toBe(true);
        expect(Buffer.from(two.dialled.exportKeyingMaterial("label", 8160)).equals(bytes)).toBe(false);
      });

      it("K5, K6: an arriving handshake that is abandoned is refused, and the dial says so", async () => {
        const { carrier: server } = carrier();
        const bound = await server.listen(LOOPBACK, (handshake) => handshake.abandon());
        ended.push(() => server.stop());
        const error = await carrier()
          .carrier.dial(bound)
          .complete()
          .catch((cause: unknown) => cause);
        expect(error).toMatchObject({ refusal: { reason: expect.stringContaining("no more connections") } });
      });

      it("K5: a dial that is abandoned fails soon, whenever that is", async () => {
        const { carrier: server } = carrier();
        const bound = await server.listen(LOOPBACK, () => {});
        ended.push(() => server.stop());
        const dial = carrier().carrier.dial(bound);
        const outcome = dial.complete().catch((error: unknown) => error);
        dial.abandon();
        expect(hasErrorCode(await outcome, "wire.protocol-violation")).toBe(true);
        dial.abandon();
      });

      it("K5, QP2: an abandoned dial that nobody answers keeps no port open", async () => {
        const silent = createSocket("udp4");
        silent.bind(0, "127.0.0.1");
        await once(silent, "listening");
        const nobody = { host: "127.0.0.1", port: silent.address().port };
        const earlier = carrier().carrier.dial(nobody);
        const over = earlier.complete().then(
          () => "answered",
          () => "the time of a dial is over",
        );
        await once(silent, "message");
        const { carrier: own } = carrier();
        await own.listen(LOOPBACK, () => {});
        const dial = own.dial(nobody);
        const outcome = dial.complete().catch((error: unknown) => error);
        await once(silent, "message");
        dial.abandon();
        expect(hasErrorCode(await outcome, "wire.protocol-violation")).toBe(true);
        expect(await Promise.race([own.stop().then(() => "stopped"), over])).toBe("stopped");
        earlier.abandon();
        silent.close();
      });

      it("QP3: the next connection shows a certificate that was rotated in", async () => {
        const { carrier: server, rotation } = carrier();
        const streams: ProvenStream[] = [];
        const bound = await server.listen(LOOPBACK, (handshake) => {
          void handshake.complete().then((stream) => streams.push(stream));
        });
        const client = carrier().carrier;
        const first = await client.dial(bound).complete();
        await new Promise((resolve) => setTimeout(resolve, 1100));
        rotation.rotate();
        const second = await client.dial(bound).complete();
        expect(second.peer.nodeId).toBe(first.peer.nodeId);
        expect(second.peer.notAfterMs).toBeGreaterThan(first.peer.notAfterMs);
        await until(() => streams.length === 2);
        for (const { stream } of [first, second, ...streams]) stream.destroy();
        await server.stop();
      });

      it("QP2: stop gives the address back when the last connection has ended, and open streams live on until then", async () => {
        const { dialled, accepted, server } = await connected();
        let stopped = false;
        const stopping = server.stop().then(() => (stopped = true));
        const got = once(accepted.stream, "data");
        dialled.stream.write("still");
        expect(String((await got)[0])).toBe("still");
        expect(stopped).toBe(false);
        dialled.stream.destroy();
        await stopping;
      });
    });

    it("auto: a session is over QUIC where both have it, and over TLS where one has none", async () => {
      const [a, b, plain] = [
        makeTransport({ quic: makeCarrier }),
        makeTransport({ quic: makeCarrier }),
        makeTransport(),
      ];
      const take = (session: Session): void => session.onMessage(() => {});
      b.onSession(take);
      plain.onSession(take);
      const [overQuic, overTls] = [
        await a.connect(await b.listen(LOOPBACK)),
        await a.connect(await plain.listen(LOOPBACK)),
      ];
      expect([overQuic.carrier, overTls.carrier]).toEqual(["quic", "tls-tcp"]);
      await Promise.all([a.close(), b.close(), plain.close()]);
    });
  },
);
