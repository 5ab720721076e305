/** A feed under `continue`: what is given while a candidate is seeded is held also when the candidate fails. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { describe, expect, it } from "vitest";
import { Feed } from "../../src/failover/feed.ts";
import { countAnswer, REPLICA_METHODS } from "../../src/failover/messages.ts";
import { OwnerRow } from "../../src/failover/owner-row.ts";
import { SeededRandom, VirtualTime } from "../../src/testing/index.ts";

const AGENT = "ab".repeat(16) as AgentId;
const [OWNER, REPLICA] = ["1", "2"].map((digit) => digit.repeat(64)) as [NodeId, NodeId];
const ENTRY = Uint8Array.of(1);

/** A feed without a replica until `candidate` is true; the replica refuses what `refused` names, when it is let go. */
async function fed(refused: string, slowRow: boolean) {
  const time = new VirtualTime();
  const engine = createMemoryCoordination({ clock: time });
  const { sessionId } = await engine.openSession(OWNER, 20_000, "open");
  const created = { agent: AGENT, owner: OWNER, sessionId, status: "running", name: "a" } as const;
  await engine.createAgent({ ...created, programHash: "0".repeat(64) }, "create");
  const [call, row] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const world = { time, engine, call, row, candidate: false, held: 0, epoch: 1 as Epoch };
  const compareAndSwap: Coordination["compareAndSwap"] = async (...args) => {
    const outcome = await engine.compareAndSwap(...args);
    if (slowRow && args[2].replica === REPLICA) await row.promise;
    return outcome;
  };
  const shared = { timers: time, random: new SeededRandom(1) };
  const feed: Feed = new Feed({
    ...shared,
    agent: AGENT,
    meta: ENTRY,
    without: "continue",
    clock: time,
    row: new OwnerRow({
      ...shared,
      self: OWNER,
      coordination: () => ({ compareAndSwap }) as Coordination,
      sessionId: () => sessionId,
      stands: () => ({ epoch: world.epoch, suspended: false }),
      renew: (_, epoch) => {
        world.epoch = epoch;
      },
    }),
    candidates: () => (world.candidate ? [REPLICA] : []),
    call: async (_, method) => {
      if (method === refused) {
        await call.promise;
        throw new RangeError("refused");
      }
      return countAnswer(0);
    },
    checkpoint: async () => ({ position: feed.position, head: ENTRY, chunks: async () => undefined }),
    onHeld: (position) => {
      world.held = Math.max(world.held, position);
    },
    onLost: () => undefined,
    onFenced: () => undefined,
  });
  feed.start();
  await time.advance(100);
  feed.append(ENTRY);
  expect(world.held).toBe(1);
  world.candidate = true;
  await time.advance(1000);
  expect(feed.state.kind).toBe("seeding");
  feed.append(ENTRY);
  expect(world.held).toBe(1);
  return { ...world, feed, heldNow: () => world.held };
}

describe("a feed that goes on without a replica", () => {
  it("FD1: what it was given while a candidate was seeded is held when the candidate fails", async () => {
    const { time, feed, call, heldNow } = await fed(REPLICA_METHODS.seed, false);
    call.resolve();
    await time.advance(10);
    expect(feed.state.kind).toBe("missing");
    expect(heldNow()).toBe(2);
    feed.stop(false);
  });

  it("FD1: while the row may name the candidate that failed, nothing is held; afterwards all is", async () => {
    const { time, engine, feed, call, row, heldNow } = await fed(REPLICA_METHODS.append, true);
    call.resolve();
    await time.advance(10);
    expect((await engine.getAgent(AGENT))?.replica).toBe(REPLICA);
    expect(feed.state.kind).toBe("missing");
    feed.append(ENTRY);
    expect(heldNow()).toBe(1);
    row.resolve();
    await time.advance(1000);
    expect((await engine.getAgent(AGENT))?.replica ?? null).toBeNull();
    expect(heldNow()).toBe(3);
    feed.stop(false);
  });
});
