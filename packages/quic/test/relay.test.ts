/**
 * Through a relay that loses, doubles, reorders and damages packets.
 *
 * A handshake has ten seconds, and QUIC asks again after 1, 2 and 4: on these networks a few of a hundred dials end in a timeout, rightly.
 * So the streams are tested on connections that were made before the network went bad, and the dials apart from them.
 */
import { randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import type { QuicConnection, QuicEndpoint, QuicEndpointOptions } from "../src/index.ts";
import { noAddon } from "./addon.ts";
import { endpoint, failure, nextStream, readAll } from "./peers.ts";
import { type Faults, type Relay, startRelay } from "./relay.ts";

const soak = process.env["GLIA_SOAK"] === "1";

interface Relayed {
  readonly relay: Relay;
  readonly accepted: QuicConnection;
  readonly dialled: QuicConnection;
}

async function relayed(
  faults: Faults,
  seed: number,
  options: Partial<QuicEndpointOptions> = {},
): Promise<Relayed> {
  const arrived = Promise.withResolvers<QuicConnection>();
  const server = endpoint({ onConnection: arrived.resolve, ...options });
  const relay = await startRelay(server.address, {}, seed);
  onTestFinished(() => relay.close());
  const dialled = await endpoint(options).connect(relay.address);
  const accepted = await arrived.promise;
  relay.setFaults(faults);
  return { relay, dialled, accepted };
}

/** Dials until a handshake gets through; gives the number of dials. Whatever else goes wrong than time is thrown. */
async function dialUntilUp(client: QuicEndpoint, to: Relay["address"]): Promise<number> {
  for (let dials = 1; ; dials += 1) {
    try {
      await client.connect({ ...to, timeoutMs: 4000 });
      return dials;
    } catch (error) {
      if ((error as { code?: string }).code !== "quic.connect-timeout" || dials === 10) throw error;
    }
  }
}

/** Sends `bytes` over a new stream and gives what comes back. */
async function echoed(dialled: QuicConnection, bytes: Uint8Array): Promise<Buffer> {
  const stream = await dialled.openStream();
  stream.end(bytes);
  return readAll(stream);
}

const networks: [name: string, faults: Faults][] = [
  ["loses a tenth", { drop: 0.1 }],
  ["doubles a third", { duplicate: 0.3 }],
  ["reorders a third", { reorder: 0.3 }],
  ["damages a tenth", { mutate: 0.1 }],
  ["does all of it", { drop: 0.05, duplicate: 0.1, reorder: 0.1, mutate: 0.05 }],
];

describe.skipIf(noAddon !== undefined)(
  `a bad network, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test.each(networks)(
      "a network that %s delivers every byte, in order, on every stream",
      async (_name, faults) => {
        const seeds = soak ? 20 : 2;
        for (let seed = 1; seed <= seeds; seed += 1) {
          const { relay, accepted, dialled } = await relayed(faults, seed);
          accepted.onStream(async (stream) => stream.end(await readAll(stream)));
          const sent = Array.from({ length: 5 }, () => randomBytes(20_000));
          const back = await Promise.all(sent.map((bytes) => echoed(dialled, bytes)));
          expect(
            back.map((bytes, index) => bytes.equals(sent[index]!)),
            `seed ${seed}`,
          ).toEqual(sent.map(() => true));
          const { passed, ...faulty } = relay.counts;
          expect(passed).toBeGreaterThan(100);
          expect(Object.values(faulty).some((count) => count > 0)).toBe(true);
        }
      },
    );

    test.each(networks)(
      "a handshake gets through a network that %s, or fails with a timeout and can be tried again",
      async (_name, faults) => {
        const dials = soak ? 200 : 4;
        const server = endpoint();
        const relay = await startRelay(server.address, faults, 1);
        onTestFinished(() => relay.close());
        const tries = await Promise.all(
          Array.from({ length: dials }, () => dialUntilUp(endpoint(), relay.address)),
        );
        expect(tries).toHaveLength(dials);
      },
    );

    test("a network that goes silent ends the connection after the idle time, on both sides, and streams fail", async () => {
      const { relay, accepted, dialled } = await relayed({}, 1, { idleMs: 1000 });
      const stream = await dialled.openStream();
      stream.write("x");
      const reader = await nextStream(accepted);
      relay.setFaults({ drop: 1 });
      expect(await dialled.closed).toMatchObject({ kind: "idle", code: 0 });
      expect(await accepted.closed).toMatchObject({ kind: "idle" });
      expect(await failure(readAll(reader))).toMatchObject({ code: "quic.connection-closed" });
      expect(stream.errored).toMatchObject({ code: "quic.connection-closed" });
    });

    test("a live connection with nothing to say outlives the idle time", async () => {
      const { accepted, dialled } = await relayed({}, 1, { idleMs: 1000 });
      await new Promise((resolve) => setTimeout(resolve, 2200));
      const stream = await dialled.openStream();
      stream.end("still there");
      expect(String(await readAll(await nextStream(accepted)))).toBe("still there");
    });
  },
);
