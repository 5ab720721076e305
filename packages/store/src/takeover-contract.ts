/** What every `Coordination` keeps of take-overs (K6), as part of its contract. */
import assert from "node:assert/strict";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type NodeId, toEpoch } from "@glia-os/abi/ids";
import type { AgentRow, CasOutcome, Coordination, NodeSession } from "@glia-os/abi/ports";
import { agentNamed, type ContractCase, newAgent, nodeNamed } from "./contract-case.ts";

const TTL_MS = 10_000;
const AGENT = agentNamed("1");
const [A, B, C, D, E, F] = ["a", "b", "c", "d", "e", "f"].map(nodeNamed) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];

interface Setting {
  readonly row: AgentRow;
  readonly replica: NodeSession;
  readonly other: NodeSession;
}

/** An agent of A whose row names B; B and C have sessions that outlive A's. */
async function replicated(store: Coordination): Promise<Setting> {
  const owner = await store.openSession(A, TTL_MS, "open-a");
  const replica = await store.openSession(B, TTL_MS * 10, "open-b");
  const other = await store.openSession(C, TTL_MS * 10, "open-c");
  const row = await store.createAgent({ ...newAgent(AGENT, owner, "agent"), replicas: [B] }, "create");
  return { row, replica, other };
}

function by(
  { sessionId }: NodeSession,
  { sessionId: from }: AgentRow,
  status: "running" | "terminated" = "running",
) {
  return { sessionId, from, status } as const;
}

function committed(outcome: CasOutcome): AgentRow {
  assert.equal(outcome.kind, "committed");
  return (outcome as Extract<CasOutcome, { kind: "committed" }>).row;
}

async function refusedWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.equal(errorCodeOf(error), code);
    return true;
  });
}

/** The cases; `coordinationContract` has them. */
export const takeOverContract: readonly ContractCase[] = [
  {
    title:
      "K6: a row keeps its replica while the owner stays, until a change names another or none, and when it moves",
    async run(harness) {
      const store = await harness.open();
      const { row, replica } = await replicated(store);
      assert.deepEqual(row.replicas, [B]);
      assert.deepEqual(await store.getAgent(AGENT), row);
      assert.deepEqual(await store.findAgent("agent"), row);
      assert.deepEqual(await store.listAgents(), [row]);
      const change = { owner: A, sessionId: row.sessionId, status: "running" } as const;
      const named = committed(
        await store.compareAndSwap(AGENT, row.epoch, { ...change, replicas: [C] }, "c"),
      );
      assert.deepEqual(named.replicas, [C]);
      const same = committed(await store.compareAndSwap(AGENT, named.epoch, change, "same"));
      assert.deepEqual(same.replicas, [C]);
      const bare = committed(
        await store.compareAndSwap(AGENT, same.epoch, { ...change, replicas: [] }, "none"),
      );
      assert.equal("replicas" in bare, false);
      assert.deepEqual(await store.getAgent(AGENT), bare);
      const again = { ...change, replicas: [C] };
      const back = committed(await store.compareAndSwap(AGENT, bare.epoch, again, "back"));
      const there = { owner: B, sessionId: replica.sessionId, status: "running" } as const;
      const moved = committed(await store.compareAndSwap(AGENT, back.epoch, there, "move"));
      assert.equal("replicas" in moved, false);
      const last = committed(
        await store.compareAndSwap(AGENT, moved.epoch, { ...there, replicas: [A] }, "last"),
      );
      const failed = { ...there, status: "failed" } as const;
      assert.equal(
        "replicas" in committed(await store.compareAndSwap(AGENT, last.epoch, failed, "fail")),
        false,
      );
      const changes = await store.changesSince(0, 3);
      assert.deepEqual(
        changes.map((one) => one.row),
        [row, named, same],
      );
    },
  },
  {
    title: "K6: while the owner's session is live nobody takes its agent, nor ends it",
    async run(harness) {
      const store = await harness.open();
      const { row, replica, other } = await replicated(store);
      harness.advanceMs(TTL_MS - 1);
      await refusedWith("store.owner-alive", store.takeOver(AGENT, row.epoch, by(replica, row), "t1"));
      const end = by(other, row, "terminated");
      await refusedWith("store.owner-alive", store.takeOver(AGENT, row.epoch, end, "t2"));
      assert.deepEqual(await store.getAgent(AGENT), row);
    },
  },
  {
    title:
      "K6: once it is over the replica takes the agent under the next epoch, once, and no other node does",
    async run(harness) {
      const store = await harness.open();
      const { row, replica, other } = await replicated(store);
      harness.advanceMs(TTL_MS);
      await refusedWith("store.not-replica", store.takeOver(AGENT, row.epoch, by(other, row), "t1"));
      const taken = committed(await store.takeOver(AGENT, row.epoch, by(replica, row), "t2"));
      const { owner, sessionId, epoch, status } = taken;
      const { sessionId: now } = replica;
      assert.deepEqual(
        { owner, sessionId, epoch, status },
        { owner: B, sessionId: now, epoch: 2, status: "running" },
      );
      assert.equal("replicas" in taken, false);
      const again = await store.takeOver(AGENT, row.epoch, by(replica, row), "t2");
      assert.deepEqual(again, { kind: "committed", row: taken });
      const late = await store.takeOver(AGENT, row.epoch, by(replica, row), "t3");
      assert.deepEqual(late, { kind: "conflict", row: taken });
      await refusedWith("store.request-id-reused", store.takeOver(AGENT, toEpoch(9), by(replica, row), "t2"));
    },
  },
  {
    title:
      "K6: a session that was replaced is over at once, and a row written under the new one is safe again",
    async run(harness) {
      const store = await harness.open();
      const { row, replica } = await replicated(store);
      const next = await store.openSession(A, TTL_MS, "open-a2");
      const change = { owner: A, sessionId: next.sessionId, status: "running", replicas: [B] } as const;
      const kept = committed(await store.compareAndSwap(AGENT, row.epoch, change, "keep"));
      const stale = await store.takeOver(AGENT, row.epoch, by(replica, row), "t1");
      assert.deepEqual(stale, { kind: "conflict", row: kept });
      await refusedWith("store.owner-alive", store.takeOver(AGENT, kept.epoch, by(replica, kept), "t2"));
      await store.openSession(A, TTL_MS, "open-a3");
      assert.equal(committed(await store.takeOver(AGENT, kept.epoch, by(replica, kept), "t3")).owner, B);
    },
  },
  {
    title:
      "K6: any node may end the agent of a node that is gone, which frees its name; an expired one may not",
    async run(harness) {
      const store = await harness.open();
      const { row, replica, other } = await replicated(store);
      await store.closeSession(row.sessionId);
      await store.closeSession(replica.sessionId);
      await refusedWith("store.session-expired", store.takeOver(AGENT, row.epoch, by(replica, row), "t1"));
      const ended = committed(await store.takeOver(AGENT, row.epoch, by(other, row, "terminated"), "t2"));
      assert.equal(ended.status, "terminated");
      assert.equal(await store.findAgent("agent"), undefined);
      await refusedWith("store.agent-terminated", store.takeOver(AGENT, ended.epoch, by(other, ended), "t3"));
      assert.deepEqual(await store.takeOver(agentNamed("2"), toEpoch(1), by(other, row), "t4"), {
        kind: "unknown-agent",
      });
    },
  },
  {
    title: "K6: any of several replicas takes the agent, one does, and those that are left stay named",
    async run(harness) {
      const store = await harness.open();
      const { row, replica, other } = await replicated(store);
      const change = {
        owner: A,
        sessionId: row.sessionId,
        status: "running",
        replicas: [C, D, B, E],
      } as const;
      const several = committed(await store.compareAndSwap(AGENT, row.epoch, change, "several"));
      assert.deepEqual(several.replicas, [C, D, B, E]);
      assert.deepEqual(await store.getAgent(AGENT), several);
      harness.advanceMs(TTL_MS);
      const taken = committed(await store.takeOver(AGENT, several.epoch, by(replica, several), "t1"));
      assert.deepEqual([taken.owner, taken.replicas], [B, [C, D, E]]);
      assert.deepEqual(await store.findAgent("agent"), taken);
      const late = await store.takeOver(AGENT, several.epoch, by(other, several), "t2");
      assert.deepEqual(late, { kind: "conflict", row: taken });
      await refusedWith("store.owner-alive", store.takeOver(AGENT, taken.epoch, by(other, taken), "t3"));
      await store.closeSession(taken.sessionId);
      const next = committed(await store.takeOver(AGENT, taken.epoch, by(other, taken), "t4"));
      assert.deepEqual([next.owner, next.replicas, next.epoch], [C, [D, E], 4]);
    },
  },
  {
    title:
      "refuses a take-over that makes no sense, and the owner as its own replica, one twice, and a fifth",
    async run(harness) {
      const store = await harness.open();
      const { row, replica } = await replicated(store);
      const odd = { ...by(replica, row), status: "suspended" } as never;
      await refusedWith("abi.malformed", store.takeOver(AGENT, row.epoch, odd, "t1"));
      const strange = { ...by(replica, row), from: "nobody" };
      await refusedWith("abi.malformed", store.takeOver(AGENT, row.epoch, strange, "t2"));
      const own = { owner: A, sessionId: row.sessionId, status: "running", replicas: [A] } as const;
      await refusedWith("abi.malformed", store.compareAndSwap(AGENT, row.epoch, own, "c"));
      for (const replicas of [[B, B], [B, C, D, E, F], B, ["b" as NodeId]]) {
        const change = { ...own, replicas } as never;
        await refusedWith("abi.malformed", store.compareAndSwap(AGENT, row.epoch, change, "c"));
      }
      assert.deepEqual(await store.getAgent(AGENT), row);
    },
  },
];
