/** One agent's feed: what counts as held, who is named, and who is sought. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { describe, expect, it } from "vitest";
import { EntryLog } from "../../src/failover/entry-log.ts";
import { Feed, SHUNNED_MS } from "../../src/failover/feed.ts";
import {
  countAnswer,
  ENTRIES_MAX,
  PART_MAX,
  REPLICA_METHODS,
  readAppend,
} from "../../src/failover/messages.ts";
import { OwnerRow } from "../../src/failover/owner-row.ts";
import { SeededRandom, VirtualTime } from "../../src/testing/index.ts";

const AGENT = "ab".repeat(16) as AgentId;
const [OWNER, A, B, C] = ["1", "a", "b", "c"].map((digit) => digit.repeat(64)) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const ENTRY = Uint8Array.of(1);

interface Setting {
  readonly wanted: number;
  readonly without: "hold" | "continue";
  readonly named?: readonly NodeId[];
}

/** A feed in a world whose nodes answer, or are silent (`down`). */
class World {
  readonly time = new VirtualTime();
  readonly engine = createMemoryCoordination({ clock: this.time });
  readonly down = new Set<NodeId>();
  readonly told: string[] = [];
  /** The bytes of checkpoints, and answers to entries of `behind`, come when these settle. */
  bytes: Promise<void> = Promise.resolve();
  entries: Promise<void> = Promise.resolve();
  behind: NodeId | undefined;
  nodes: readonly NodeId[] = [];
  /** Writes of the row are performed, and answered when this settles. */
  row: Promise<void> = Promise.resolve();
  held = 0;
  lost = 0;
  feed!: Feed;
  #epoch = 1 as Epoch;

  static async of({ wanted, without, named }: Setting, nodes: readonly NodeId[]): Promise<World> {
    const world = new World();
    world.nodes = nodes;
    const { engine, time } = world;
    const { sessionId } = await engine.openSession(OWNER, 600_000, "open");
    const row = { agent: AGENT, owner: OWNER, sessionId, status: "running", name: "a" } as const;
    const replicas = named === undefined ? {} : { replicas: named };
    await engine.createAgent({ ...row, ...replicas, programHash: "0".repeat(64) }, "create");
    const shared = { timers: time, random: new SeededRandom(1) };
    const coordination = {
      getAgent: (agent: AgentId) => engine.getAgent(agent),
      compareAndSwap: async (...args: Parameters<Coordination["compareAndSwap"]>) => {
        const outcome = await engine.compareAndSwap(...args);
        await world.row;
        return outcome;
      },
    } as Coordination;
    world.feed = new Feed({
      ...shared,
      agent: AGENT,
      meta: ENTRY,
      wanted,
      without,
      clock: time,
      row: new OwnerRow({
        ...shared,
        self: OWNER,
        coordination: () => coordination,
        sessionId: () => sessionId,
        stands: () => ({ epoch: world.#epoch, suspended: false }),
        renew: (_, epoch) => {
          world.#epoch = epoch;
        },
      }),
      candidates: (chosen) => world.nodes.filter((node) => !chosen.includes(node)),
      call: (node, method, body, { timeoutMs = 0 }) => world.#answer(node, method, body, timeoutMs),
      checkpoint: async () => ({
        position: world.feed.position,
        head: ENTRY,
        chunks: async () => world.bytes.then(() => undefined),
      }),
      onHeld: (position) => {
        world.held = position;
      },
      onLost: () => {
        world.lost++;
      },
      onFenced: () => undefined,
    });
    world.feed.start();
    await time.advance(1000);
    return world;
  }

  async named(): Promise<readonly NodeId[]> {
    return (await this.engine.getAgent(AGENT))?.replicas ?? [];
  }

  fed(): readonly NodeId[] {
    return this.feed.replicas.flatMap(({ node, state }) => (state === "fed" ? [node] : []));
  }

  async #answer(node: NodeId, method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    this.told.push(`${method} ${node[0]}`);
    if (this.down.has(node)) {
      await new Promise<void>((resolve) => void this.time.schedule(timeoutMs, resolve));
      throw new RangeError("no answer");
    }
    if (method !== REPLICA_METHODS.append) return countAnswer(0);
    const { first, entries } = readAppend(body);
    if (node === this.behind) await this.entries;
    return countAnswer(first + entries.length - 1);
  }
}

describe("a feed of several replicas", () => {
  it("FD1: what one of those that the row names lacks is not held, until its name is taken out", async () => {
    const world = await World.of({ wanted: 2, without: "hold" }, [A, B]);
    expect(await world.named()).toEqual([A, B]);
    world.feed.append(ENTRY);
    await world.time.advance(100);
    expect(world.held).toBe(1);
    world.down.add(B);
    world.feed.append(ENTRY);
    await world.time.advance(1500);
    expect(world.held, "A has it, B does not").toBe(1);
    expect(world.feed.ready).toBe(true);
    await world.time.advance(1000);
    expect(world.held).toBe(2);
    expect(await world.named()).toEqual([A]);
    expect([world.lost, world.fed()], "those who wait are not sent away: A has all").toEqual([0, [A]]);
    world.feed.stop(false);
  });

  it("FD1: while the answer to a change of the row is out, what any that may be named lacks is not held", async () => {
    const world = await World.of({ wanted: 2, without: "hold" }, [A]);
    const answer = Promise.withResolvers<void>();
    world.row = answer.promise;
    world.nodes = [A, B];
    await world.time.advance(1000);
    expect(await world.named()).toEqual([A, B]);
    world.down.add(B);
    world.feed.append(ENTRY);
    await world.time.advance(5000);
    expect(world.held, "B is given up, and the row may name it").toBe(0);
    world.row = Promise.resolve();
    answer.resolve();
    await world.time.advance(100);
    expect(await world.named()).toEqual([A]);
    expect(world.held).toBe(1);
    world.feed.stop(false);
  });

  it("FD3: one that fails is replaced, and the agent goes on with fewer while there is nobody else", async () => {
    const world = await World.of({ wanted: 3, without: "hold" }, [A, B]);
    expect(world.fed()).toEqual([A, B]);
    world.down.add(A);
    world.feed.silent(A);
    await world.time.advance(100);
    expect(await world.named()).toEqual([B]);
    world.nodes = [A, B, C];
    await world.time.advance(1000);
    expect(await world.named()).toEqual([B, C]);
    world.down.delete(A);
    await world.time.advance(SHUNNED_MS + 2000);
    expect(await world.named()).toEqual([B, C, A]);
    expect(world.told).toContain("replica.drop a");
    world.feed.stop(false);
  });

  it("FD3: the last one's name stays while nobody has another copy, and senders are told to ask again", async () => {
    const world = await World.of({ wanted: 2, without: "hold" }, [A, B]);
    for (const node of [A, B]) {
      world.down.add(node);
      world.feed.silent(node);
    }
    await world.time.advance(3000);
    expect(world.lost).toBe(1);
    expect(world.feed.ready).toBe(false);
    const named = await world.named();
    expect(named.length).toBeGreaterThan(0);
    world.feed.append(ENTRY);
    world.nodes = [C];
    await world.time.advance(1000);
    expect(await world.named()).toEqual([C]);
    expect(world.held).toBe(1);
    world.feed.stop(false);
  });

  it("FD2: after a takeover those that the row names are seeded first, and nothing is held before each has a copy or failed", async () => {
    const world = await World.of({ wanted: 2, without: "hold", named: [C, B] }, [A]);
    await world.time.advance(SHUNNED_MS);
    expect(await world.named(), "nobody else is left").toEqual([A]);
    world.feed.stop(false);
    const again = await World.of({ wanted: 2, without: "continue", named: [C, B] }, [A, B, C]);
    expect(again.told.slice(0, 2).sort()).toEqual(["replica.seed b", "replica.seed c"]);
    expect(again.told).not.toContain("replica.seed a");
    again.feed.append(ENTRY);
    await again.time.advance(100);
    expect([again.held, await again.named()]).toEqual([1, [C, B]]);
    again.feed.stop(false);
  });

  it("FD2: one that joins is named when it has what was acknowledged, and counts from its first checkpoint on, so that it gets there", async () => {
    const world = await World.of({ wanted: 2, without: "hold" }, [A]);
    const [bytes, entries] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    Object.assign(world, { bytes: bytes.promise, entries: entries.promise, behind: B, nodes: [A, B] });
    await world.time.advance(600);
    world.feed.append(ENTRY);
    await world.time.advance(100);
    expect(world.held, "A has it").toBe(1);
    bytes.resolve();
    await world.time.advance(100);
    expect(await world.named(), "the copy of B ends before what was acknowledged").toEqual([A]);
    world.feed.append(ENTRY);
    await world.time.advance(100);
    expect(world.held, "nothing more is acknowledged until B has caught up").toBe(1);
    entries.resolve();
    await world.time.advance(100);
    expect([await world.named(), world.held]).toEqual([[A, B], 2]);
    world.feed.stop(false);
  });

  it("FD5: all get the same checkpoints, a whole one when somebody joins", async () => {
    const world = await World.of({ wanted: 2, without: "hold" }, [A]);
    const points = (): number => world.told.filter((call) => call === "replica.point a").length;
    const before = points();
    world.nodes = [A, B];
    await world.time.advance(1000);
    expect(points()).toBe(before + 1);
    expect(world.told.filter((call) => call === "replica.point b")).toHaveLength(1);
    world.feed.stop(false);
  });
});

describe("a feed that goes on without a replica", () => {
  it("FD1: what it is given while a candidate is seeded is held at once, for the row names nobody", async () => {
    const world = await World.of({ wanted: 1, without: "continue" }, []);
    world.feed.append(ENTRY);
    expect(world.held).toBe(1);
    world.nodes = [A];
    world.down.add(A);
    await world.time.advance(600);
    expect(world.feed.replicas).toMatchObject([{ node: A, state: "seeding" }]);
    world.feed.append(ENTRY);
    expect(world.held).toBe(2);
    world.feed.stop(false);
  });

  it("FD1: while the row may name the candidate that failed, nothing is held; afterwards all is", async () => {
    const world = await World.of({ wanted: 1, without: "continue" }, []);
    const answer = Promise.withResolvers<void>();
    world.row = answer.promise;
    world.nodes = [A];
    await world.time.advance(1000);
    expect(await world.named()).toEqual([A]);
    world.down.add(A);
    world.nodes = [];
    world.feed.append(ENTRY);
    await world.time.advance(5000);
    expect(world.held).toBe(0);
    world.row = Promise.resolve();
    answer.resolve();
    await world.time.advance(100);
    expect(await world.named()).toEqual([]);
    expect(world.held).toBe(1);
    world.feed.stop(false);
  });
});

describe("the log of a feed", () => {
  it("EL1: gives what follows a position, as much as one call carries, and forgets what all have", () => {
    const log = new EntryLog();
    expect(log.append(ENTRY, false)).toBe(1);
    for (let n = 2; n <= ENTRIES_MAX + 10; n++) log.append(Uint8Array.of(n % 256), true);
    expect(log.after(1)).toHaveLength(ENTRIES_MAX);
    expect(log.after(ENTRIES_MAX)[0]).toEqual(Uint8Array.of((ENTRIES_MAX + 1) % 256));
    log.forget(ENTRIES_MAX);
    expect([log.bytes, log.bytesAfter(ENTRIES_MAX + 4)]).toEqual([10, 6]);
    log.append(new Uint8Array(PART_MAX), true);
    expect(log.after(ENTRIES_MAX), "a large one goes alone").toHaveLength(10);
    expect(log.after(ENTRIES_MAX + 10)).toHaveLength(1);
    log.clear();
    expect([log.bytes, log.after(0), log.last]).toEqual([0, [], ENTRIES_MAX + 11]);
  });
});
