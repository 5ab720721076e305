/** Blob exchange over the memory store: several sources, liars, dead ones, resuming, and every bound. */
import { createHash } from "node:crypto";
import { errorCodeOf } from "@glia-os/abi/errors";
import { fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Blobs } from "@glia-os/abi/ports";
import { createMemoryBlobs } from "@glia-os/store/blobs-memory";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlobExchange, FETCHES_MAX, FETCHES_WAITING_MAX } from "../src/blobs/blob-exchange.ts";
import { PER_SOURCE } from "../src/blobs/blob-fetch.ts";
import {
  BLOB_METHODS,
  CHUNK_BYTES,
  chunkBody,
  HASHES_MAX,
  haveAnswer,
  outlineAnswer,
  readChunkBody,
  readHave,
  readOutline,
} from "../src/blobs/messages.ts";
import type { CallHandler, NodeRole } from "../src/mesh-types.ts";
import { CallNetwork, SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { idOf } from "./digests.ts";
import { cheapSigner, digests } from "./overlay-nodes.ts";

interface Node {
  readonly id: NodeId;
  readonly blobs: Blobs;
  readonly exchange: BlobExchange;
}

class Nodes {
  readonly time = new VirtualTime();
  readonly network = new CallNetwork(this.time, 1);
  #next = 0;

  add(role: NodeRole = "core", blobs: Blobs = createMemoryBlobs()): Node {
    const id = idOf(cheapSigner(this.#next++));
    const exchange = new BlobExchange({
      blobs,
      digests,
      clock: this.time,
      timers: this.time,
      call: this.network.caller(id, role),
    });
    this.network.join(id, role, exchange.methods());
    return { id, blobs, exchange };
  }

  /** Until the promise settles. Time goes on also while only the store works, which sets no timer. */
  async settle<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    for (let rounds = 0; !settled && rounds < 20_000; rounds++) await this.time.advance(100);
    return promise;
  }

  /** A node that answers as it is told. */
  liar(methods: Record<string, CallHandler>): NodeId {
    const id = idOf(cheapSigner(this.#next++));
    this.network.join(id, "core", Object.entries(methods));
    return id;
  }
}

function random(bytes: number, seed = 1): Uint8Array {
  return new SeededRandom(seed).bytes(new Uint8Array(bytes));
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const MiB = 1_048_576;

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "done",
    (error: unknown) => errorCodeOf(error),
  );
}

describe("fetching a blob", () => {
  it("brings any size, from several sources at once, verified and stored", async () => {
    const nodes = new Nodes();
    const [to, a, b, c] = [nodes.add(), nodes.add(), nodes.add(), nodes.add()];
    for (const size of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * MiB + 17]) {
      const blob = random(size, size + 1);
      const hash = hashOf(blob);
      for (const { blobs } of [a, b, c]) await blobs.put(blob);
      const bytes = await nodes.settle(to.exchange.fetch(hash, [a.id, b.id, c.id]));
      expect([bytes.length, hashOf(bytes), await to.blobs.has(hash)]).toEqual([size, hash, true]);
    }
    for (const { exchange } of [a, b, c]) expect(exchange.stats().given).toBeGreaterThan(8);
    expect(await to.blobs.list("", 100)).toHaveLength(6);
    const calls = nodes.network.calls;
    await nodes.settle(to.exchange.fetch(hashOf(random(1, 2)), [a.id]));
    expect(nodes.network.calls).toBe(calls);
  });

  it("BF1 and BF2: a source of wrong chunks and one of a wrong outline cost time, never a wrong blob", async () => {
    const nodes = new Nodes();
    const [to, honest] = [nodes.add(), nodes.add()];
    const blob = random(5 * CHUNK_BYTES);
    const hash = hashOf(blob);
    await honest.blobs.put(blob);
    const other = random(5 * CHUNK_BYTES, 99);
    const outline = outlineAnswer({
      bytes: other.length,
      chunks: [0, 1, 2, 3, 4].map((i) => hashOf(other.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES))),
    });
    const chunk: CallHandler = async (_caller, body) => {
      const { index } = readChunkBody(body);
      return other.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    };
    const has: CallHandler = async () => haveAnswer([true]);
    const liar = nodes.liar({
      [BLOB_METHODS.have]: has,
      [BLOB_METHODS.outline]: async () => outline,
      [BLOB_METHODS.chunk]: chunk,
    });
    const bytes = await nodes.settle(to.exchange.fetch(hash, [liar, honest.id]));
    expect(hashOf(bytes)).toBe(hash);
    expect(to.exchange.stats().wrong).toBeGreaterThan(1);
    expect(await to.blobs.list("", 10)).toHaveLength(1);
    const alone = nodes.add();
    expect(await codeOf(nodes.settle(alone.exchange.fetch(hash, [liar])))).toBe("overlay.blob-not-found");
    expect(await alone.blobs.list("", 10)).toEqual([]);
  });

  it("a source that dies in the middle is replaced by the others", async () => {
    const nodes = new Nodes();
    const [to, a, b] = [nodes.add(), nodes.add(), nodes.add()];
    const blob = random(4 * MiB);
    for (const { blobs } of [a, b]) await blobs.put(blob);
    let chunks = 0;
    nodes.network.passes = (_from, node, method) => {
      if (method === BLOB_METHODS.chunk) chunks++;
      return !(node === a.id && chunks > 20);
    };
    expect(hashOf(await nodes.settle(to.exchange.fetch(hashOf(blob), [a.id, b.id])))).toBe(hashOf(blob));
  });

  it("BF3: a fetch goes on where an earlier one ended, also in another process, and leaves no parts", async () => {
    const nodes = new Nodes();
    const [to, from] = [nodes.add(), nodes.add()];
    const blob = random(4 * MiB, 5);
    const hash = hashOf(blob);
    await from.blobs.put(blob);
    let chunks = 0;
    nodes.network.passes = (_from, _to, method) => method !== BLOB_METHODS.chunk || ++chunks <= 40;
    expect(await codeOf(nodes.settle(to.exchange.fetch(hash, [from.id])))).toBe("overlay.blob-not-found");
    expect((await to.blobs.list("", 1000)).length).toBe(40);
    nodes.network.passes = () => true;
    const again = nodes.add("core", to.blobs);
    expect(hashOf(await nodes.settle(again.exchange.fetch(hash, [from.id])))).toBe(hash);
    expect(again.exchange.stats()).toMatchObject({ resumed: 40, chunks: 24 });
    expect((await to.blobs.list("", 1000)).map((info) => info.hash)).toEqual([hash]);
  });

  it("BF4: no source has more than four questions open", async () => {
    const nodes = new Nodes();
    const [to, from] = [nodes.add(), nodes.add()];
    const blob = random(2 * MiB);
    await from.blobs.put(blob);
    let open = 0;
    let most = 0;
    const methods = new Map(from.exchange.methods());
    const chunk = methods.get(BLOB_METHODS.chunk) as CallHandler;
    methods.set(BLOB_METHODS.chunk, async (caller, body) => {
      most = Math.max(most, ++open);
      await new Promise<void>((resolve) => nodes.time.schedule(50, resolve));
      open--;
      return chunk(caller, body);
    });
    nodes.network.join(from.id, "core", methods);
    await nodes.settle(to.exchange.fetch(hashOf(blob), [from.id]));
    expect(most).toBe(PER_SOURCE);
  });
});

describe("bounds of the blob exchange", () => {
  it("a size above what is taken is refused before anything is fetched, and what nobody has is said so", async () => {
    const nodes = new Nodes();
    const [to, from] = [nodes.add(), nodes.add()];
    const blob = random(MiB);
    await from.blobs.put(blob);
    expect(await codeOf(nodes.settle(to.exchange.fetch(hashOf(blob), [from.id], MiB - 1)))).toBe(
      "overlay.blob-not-found",
    );
    expect(from.exchange.stats().given).toBe(0);
    expect(await codeOf(nodes.settle(to.exchange.fetch("ab".repeat(32), [from.id])))).toBe(
      "overlay.blob-not-found",
    );
    expect(await codeOf(nodes.settle(to.exchange.fetch("ab".repeat(32), [])))).toBe("overlay.blob-not-found");
  });

  it("BS1: a client gets nothing, and a chunk that does not exist is refused", async () => {
    const nodes = new Nodes();
    const [client, from, member] = [nodes.add("client"), nodes.add(), nodes.add()];
    const blob = random(10);
    await from.blobs.put(blob);
    expect(await codeOf(nodes.settle(client.exchange.fetch(hashOf(blob), [from.id])))).toBe(
      "overlay.blob-not-found",
    );
    const ask = (role: NodeRole, who: NodeId, index: number): Promise<unknown> =>
      codeOf(
        nodes.settle(
          nodes.network.caller(who, role)(from.id, BLOB_METHODS.chunk, chunkBody(hashOf(blob), index)),
        ),
      );
    expect(await ask("client", client.id, 0)).toBe("overlay.not-serving");
    expect(await ask("core", member.id, 0)).toBe("done");
    expect(await ask("core", member.id, 1)).toBe("overlay.blob-not-found");
    expect(await nodes.settle(member.exchange.has(from.id, [hashOf(blob), "00".repeat(32)]))).toEqual([
      true,
      false,
    ]);
    expect(
      await codeOf(
        member.exchange.has(
          from.id,
          Array.from({ length: HASHES_MAX + 1 }, () => "00".repeat(32)),
        ),
      ),
    ).toBe("overlay.limit");
  });

  it("BE1 and BE2: one fetch per blob, a bounded number of fetches, and none after the end", async () => {
    const nodes = new Nodes();
    const [to, from] = [nodes.add(), nodes.add()];
    const hash = (n: number): string => toHex(fromHex(n.toString(16).padStart(64, "0")));
    expect(to.exchange.fetch(hash(1), [from.id])).toBe(to.exchange.fetch(hash(1), [from.id]));
    const codes = Array.from({ length: FETCHES_MAX + FETCHES_WAITING_MAX + 1 }, (_, n) =>
      codeOf(to.exchange.fetch(hash(n + 1), [from.id])),
    );
    const seen = await nodes.settle(Promise.all(codes));
    expect(seen.filter((code) => code === "overlay.limit")).toHaveLength(1);
    to.exchange.stop();
    expect(await codeOf(to.exchange.fetch(hash(1), [from.id]))).toBe("mesh.stopped");
  });

  it("rubbish is refused with a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const read of [readHave, readOutline, readChunkBody])
          try {
            read(bytes);
          } catch (error) {
            expect(errorCodeOf(error)).toBe("mesh.malformed-message");
          }
      }),
    );
  });
});
