/** Routed envelopes: messages arrive over relays once, and never loop, whatever the hops in between do. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLOCK_SKEW_MS } from "../src/admission/certificate.ts";
import type { NodeRole } from "../src/mesh-types.ts";
import { ReplayWindows, SOURCES_MAX, WINDOW } from "../src/routing/replay-window.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_MESSAGES_MAX,
  forwardBody,
  HOPS_MAX,
  RoutedBatches,
  readForward,
} from "../src/routing/routed-batch.ts";
import { BATCH_LIFE_MS, FORWARD_METHOD, Router, WAITING_MAX } from "../src/routing/router.ts";
import { CallNetwork, SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { idOf } from "./digests.ts";
import { identity } from "./overlay-nodes.ts";

interface Node {
  readonly id: NodeId;
  readonly router: Router;
  readonly batches: RoutedBatches;
  readonly got: number[];
}

/** A network in which only the named pairs reach each other. */
class Graph {
  readonly time = new VirtualTime();
  readonly network: CallNetwork;
  readonly nodes: Node[] = [];
  readonly #edges = new Set<string>();
  readonly #down = new Set<NodeId>();

  constructor(roles: readonly NodeRole[], edges: readonly (readonly [number, number])[], seed = 1) {
    this.network = new CallNetwork(this.time, seed);
    for (const [n, role] of roles.entries()) this.#add(n, role);
    for (const [a, b] of edges) this.join(a, b);
    this.network.passes = (from, to) => this.linked(from, to) && !this.#down.has(to);
  }

  node(n: number): Node {
    const node = this.nodes[n];
    if (node === undefined) throw new RangeError(`no node ${n}`);
    return node;
  }

  join(a: number, b: number): void {
    this.#edges.add(`${this.node(a).id} ${this.node(b).id}`);
    this.#edges.add(`${this.node(b).id} ${this.node(a).id}`);
  }

  linked(from: NodeId, to: NodeId): boolean {
    return this.#edges.has(`${from} ${to}`);
  }

  #add(n: number, role: NodeRole): void {
    const vouch = identity(n, role, this.time);
    const id = idOf(vouch.signer);
    const batches = new RoutedBatches(vouch);
    const forwards = role === "relay" || role === "core";
    const router = new Router({
      self: id,
      bootEpoch: 1,
      clock: this.time,
      batches,
      forwards,
      connected: (node) => this.linked(id, node),
      relays: () =>
        this.nodes
          .filter((other) => other.router.stats() && relays.has(other.id))
          .map((other) => other.id)
          .filter((other) => this.linked(id, other)),
      call: this.network.caller(id, role),
    });
    if (forwards) relays.add(id);
    this.network.join(id, role, router.methods());
    const got: number[] = [];
    router.on("n", (_from, payload) => got.push(payload[0] as number));
    this.nodes.push({ id, router, batches, got });
  }
}

const relays = new Set<NodeId>();
const line = (length: number): [number, number][] => Array.from({ length: length - 1 }, (_, n) => [n, n + 1]);
const roles = (count: number, role: NodeRole = "relay"): NodeRole[] =>
  Array.from({ length: count }, () => role);

describe("the replay window", () => {
  it("RW1: says new exactly once for every number within the window, whatever the order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 400 }), (numbers) => {
        const windows = new ReplayWindows();
        const source = "a".repeat(64) as NodeId;
        const seen = new Set<number>();
        let highest = 0;
        for (const number of numbers) {
          const expected = number <= highest - WINDOW ? "old" : seen.has(number) ? "repeated" : "new";
          expect(windows.admit(source, 1, number)).toBe(expected);
          if (expected === "new") seen.add(number);
          highest = Math.max(highest, number);
        }
      }),
    );
  });

  it("RW2 and RW3: an earlier boot is old, and sources are bounded", () => {
    const windows = new ReplayWindows();
    const id = (n: number): NodeId => n.toString(16).padStart(64, "0") as NodeId;
    expect([windows.admit(id(0), 5, 1), windows.admit(id(0), 4, 9), windows.admit(id(0), 6, 1)]).toEqual([
      "new",
      "old",
      "new",
    ]);
    for (let n = 0; n < SOURCES_MAX + 5; n++) windows.admit(id(n), 1, 1);
    expect(windows.size).toBe(SOURCES_MAX);
  });
});

describe("routed messages", () => {
  it("arrive over three relays, batched under one signature, in order, once", async () => {
    const graph = new Graph(["edge", "relay", "relay", "relay", "edge"], line(5));
    const sends = Array.from({ length: 100 }, (_, n) =>
      graph.node(0).router.send(graph.node(4).id, "n", Uint8Array.of(n)),
    );
    await graph.time.settle(Promise.all(sends));
    expect(graph.node(4).got).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(graph.node(2).router.stats().forwarded).toBe(Math.ceil(100 / BATCH_MESSAGES_MAX));
    expect(graph.node(4).router.stats().hopsMax).toBe(4);
    expect(graph.node(0).router.stats().sent).toBe(100);
  });

  it("RO4: an edge node passes nothing on", async () => {
    const graph = new Graph(["edge", "edge", "edge"], line(3));
    await expect(
      graph.time.settle(graph.node(0).router.send(graph.node(2).id, "n", Uint8Array.of(1))),
    ).rejects.toMatchObject({ code: "overlay.no-route" });
    const direct = forwardBody({
      ttl: 15,
      path: [graph.node(0).id],
      budgetMs: 1000,
      batch: signed(graph, 0, 2),
    });
    await expect(
      graph.time.settle(
        graph.network.caller(graph.node(0).id, "edge")(graph.node(1).id, FORWARD_METHOD, direct),
      ),
    ).rejects.toMatchObject({ code: "overlay.not-serving" });
  });

  it("RO1: a way of 16 hops is gone, one of 17 is not", async () => {
    for (const [length, arrives] of [
      [HOPS_MAX + 1, true],
      [HOPS_MAX + 2, false],
    ] as const) {
      const graph = new Graph(roles(length), line(length), 3);
      // Every hop needs its part of the time: give them enough.
      const sent = graph.node(0).router.send(graph.node(length - 1).id, "n", Uint8Array.of(1));
      const outcome = await graph.time.settle(
        sent.then(
          () => true,
          () => false,
        ),
      );
      expect([outcome, graph.node(length - 1).got.length]).toEqual([arrives, arrives ? 1 : 0]);
    }
  });

  it("RO2 and RO3: in any graph of relays a message arrives at most once and is passed on at most once per node", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 3, max: 9 }),
        async (seed, size) => {
          const random = new SeededRandom(seed);
          const edges: [number, number][] = [];
          for (let a = 0; a < size; a++)
            for (let b = a + 1; b < size; b++) if (random.fraction() < 0.4) edges.push([a, b]);
          const graph = new Graph(roles(size), edges, seed);
          const counts = new Map<string, number>();
          const { passes } = graph.network;
          graph.network.passes = (from, to, method) => {
            counts.set(to, (counts.get(to) ?? 0) + 1);
            return passes(from, to, method) && random.fraction() > 0.1;
          };
          await graph.time.settle(
            graph
              .node(0)
              .router.send(graph.node(size - 1).id, "n", Uint8Array.of(7))
              .catch(() => undefined),
          );
          await graph.time.advance(20_000);
          expect(graph.node(size - 1).got.length).toBeLessThanOrEqual(1);
          for (const { router } of graph.nodes) expect(router.stats().forwarded).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("finds another relay when the first cannot go on", async () => {
    const graph = new Graph(
      ["edge", "relay", "relay", "edge"],
      [
        [0, 1],
        [0, 2],
        [2, 3],
      ],
    );
    await graph.time.settle(graph.node(0).router.send(graph.node(3).id, "n", Uint8Array.of(9)));
    expect(graph.node(3).got).toEqual([9]);
  });
});

function signed(
  graph: Graph,
  from: number,
  to: number,
  more: { seq?: number; expiresMs?: number } = {},
): Uint8Array {
  const expiresMs = Math.floor(graph.time.wallMs()) + BATCH_LIFE_MS;
  return graph.node(from).batches.sign({
    to: graph.node(to).id,
    boot: 1,
    seq: 900,
    expiresMs,
    messages: [{ topic: "n", payload: Uint8Array.of(5) }],
    ...more,
  });
}

describe("what a hop refuses", () => {
  const graph = new Graph(
    ["core", "core", "core"],
    [
      [0, 1],
      [1, 2],
      [0, 2],
    ],
  );
  const give = (
    batch: Uint8Array,
    more: { ttl?: number; path?: NodeId[] } = {},
  ): Promise<string | undefined> => {
    const body = forwardBody({ ttl: 15, path: [graph.node(0).id], budgetMs: 3000, batch, ...more });
    const call = graph.network.caller(graph.node(0).id, "core")(graph.node(1).id, FORWARD_METHOD, body);
    return graph.time.settle(
      call.then(
        () => undefined,
        (error: unknown) => errorCodeOf(error) ?? "?",
      ),
    );
  };

  it("a changed batch, a wrong path, a loop, an expired or too long one, and a replay", async () => {
    const good = signed(graph, 0, 1, { seq: 10 });
    const changed = Uint8Array.from(good);
    changed[changed.length - 3] = (changed[changed.length - 3] as number) ^ 1;
    expect(await give(changed)).toBe("mesh.certificate-invalid");
    expect(await give(good, { path: [graph.node(2).id] })).toBe("overlay.message-refused");
    expect(await give(good, { path: [] })).toBe("overlay.message-refused");
    expect(await give(good, { path: [graph.node(0).id, graph.node(1).id, graph.node(0).id] })).toBe(
      "overlay.message-refused",
    );
    expect(
      await give(
        signed(graph, 0, 1, { seq: 11, expiresMs: Math.floor(graph.time.wallMs()) - CLOCK_SKEW_MS - 1 }),
      ),
    ).toBe("overlay.message-refused");
    expect(
      await give(
        signed(graph, 0, 1, { seq: 12, expiresMs: Math.floor(graph.time.wallMs()) + 2 * CLOCK_SKEW_MS }),
      ),
    ).toBe("overlay.message-refused");
    expect(graph.node(1).got).toEqual([]);
    expect(await give(good)).toBeUndefined();
    expect(await give(good)).toBeUndefined();
    expect(graph.node(1).got).toEqual([5]);
    const onward = signed(graph, 0, 2, { seq: 20 });
    expect(await give(onward)).toBeUndefined();
    expect(await give(onward)).toBe("overlay.message-refused");
    expect(await give(signed(graph, 0, 2, { seq: 21 }), { ttl: 0 })).toBe("overlay.message-refused");
    expect(graph.node(2).got).toEqual([5]);
  });

  it("too much at once, too large, or under a topic that is none", async () => {
    const lone = new Graph(["edge", "edge"], []);
    const [a, b] = [lone.node(0), lone.node(1)];
    const code = (sent: Promise<void>): Promise<string> =>
      sent.then(
        () => "sent",
        (error: { code: string }) => error.code,
      );
    expect(await code(a.router.send(b.id, "n", new Uint8Array(BATCH_BYTES_MAX + 1)))).toBe("overlay.limit");
    expect(await code(a.router.send(b.id, "", Uint8Array.of(1)))).toBe("overlay.limit");
    const codes = Array.from({ length: WAITING_MAX + 1 }, () =>
      code(a.router.send(b.id, "n", Uint8Array.of(1))),
    );
    expect(await codes.at(-1)).toBe("overlay.limit");
    a.router.stop();
    expect(await lone.time.settle(codes[WAITING_MAX - 1] as Promise<string>)).toBe("overlay.message-refused");
    expect(() => b.router.on("n", () => undefined)).toThrow(
      expect.objectContaining({ code: "overlay.limit" }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readForward(bytes);
        } catch (error) {
          expect(errorCodeOf(error)).toBe("mesh.malformed-message");
        }
      }),
    );
  });
});
