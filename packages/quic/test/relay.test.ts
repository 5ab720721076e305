/** Through a relay that loses, doubles, reorders and damages packets. */
import { randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import type { QuicConnection, QuicEndpointOptions } from "../src/index.ts";
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
  const relay = await startRelay(server.address, faults, seed);
  onTestFinished(() => relay.close());
  const dialled = await endpoint(options).connect(relay.address);
  return { relay, dialled, accepted: await arrived.promise };
}

describe.skipIf(noAddon !== undefined)(
  `a bad network, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test.each([
      ["loses a tenth", { drop: 0.1 }],
      ["doubles a third", { duplicate: 0.3 }],
      ["reorders a third", { reorder: 0.3 }],
      ["damages a tenth", { mutate: 0.1 }],
      ["does all of it", { drop: 0.05, duplicate: 0.1, reorder: 0.1, mutate: 0.05 }],
    ])("a network that %s delivers every byte, in order, on every stream", async (_name, faults) => {
      const seeds = soak ? 20 : 2;
      for (let seed = 1; seed <= seeds; seed += 1) {
        const { relay, accepted, dialled } = await relayed(faults, seed);
        accepted.onStream(async (stream) => stream.end(await readAll(stream)));
        const sent = Array.from({ length: 5 }, () => randomBytes(60_000));
        const back = await Promise.all(
          sent.map(async (bytes) => {
            const stream = await dialled.openStream();
            stream.end(bytes);
            return readAll(stream);
          }),
        );
        expect(
          back.map((bytes, index) => bytes.equals(sent[index]!)),
          `seed ${seed}`,
        ).toEqual(sent.map(() => true));
        const { passed, ...faulty } = relay.counts;
        expect(passed).toBeGreaterThan(100);
        expect(Object.values(faulty).some((count) => count > 0)).toBe(true);
      }
    });

    test("a network that goes silent ends the connection after the idle time, on both sides, and streams fail", async () => {
      const { relay, accepted, dialled } = await relayed({}, 1, { idleMs: 300 });
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
      const { accepted, dialled } = await relayed({}, 1, { idleMs: 200 });
      await new Promise((resolve) => setTimeout(resolve, 900));
      const stream = await dialled.openStream();
      stream.end("still there");
      expect(String(await readAll(await nextStream(accepted)))).toBe("still there");
    });
  },
);
