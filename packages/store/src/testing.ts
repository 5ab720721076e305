/**
 * The contract every `Coordination` keeps, as cases any test runner can run:
 * `for (const { title, run } of coordinationContract) it(title, () => run(harness))`.
 *
 * Titles cite the port's invariants K1-K6. A harness opens an empty store per case and closes it afterwards.
 */
import assert from "node:assert/strict";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, type NodeId, toEpoch } from "@glia-os/abi/ids";
import type { AgentRow, CasOutcome, Coordination, NodeSession } from "@glia-os/abi/ports";
import { agentNamed, type ContractCase, newAgent, nodeNamed } from "./contract-case.ts";
import type { NewAgent } from "./request.ts";
import { takeOverContract } from "./takeover-contract.ts";

export {
  agentNamed,
  type ContractCase,
  type CoordinationHarness,
  newAgent,
  nodeNamed,
} from "./contract-case.ts";
export type { NewAgent } from "./request.ts";

const TTL_MS = 10_000;

const A = nodeNamed("a");
const B = nodeNamed("b");
const AGENT = agentNamed("1");
const OTHER = agentNamed("2");

async function refusedWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.equal(errorCodeOf(error), code);
    return true;
  });
}

function ownedBy(session: NodeSession, status: AgentRow["status"] = "running") {
  return { owner: session.node, sessionId: session.sessionId, status } as const;
}

function committed(outcome: CasOutcome): AgentRow {
  assert.equal(outcome.kind, "committed");
  return (outcome as Extract<CasOutcome, { readonly kind: "committed" }>).row;
}

async function withAgent(store: Coordination): Promise<{ session: NodeSession; row: AgentRow }> {
  const session = await store.openSession(A, TTL_MS, "open-a");
  return { session, row: await store.createAgent(newAgent(AGENT, session, "counter"), "create-1") };
}

const sessionCases: readonly ContractCase[] = [
  {
    title: "K3: the fence grows with every session of any node",
    async run(harness) {
      const store = await harness.open();
      const fences: number[] = [];
      for (const [i, node] of [A, B, A, B].entries())
        fences.push((await store.openSession(node, TTL_MS, `o${i}`)).fence);
      assert.deepEqual(
        fences,
        [...new Set(fences)].sort((x, y) => x - y),
      );
    },
  },
  {
    title: "K3: a new session of a node ends the earlier one",
    async run(harness) {
      const store = await harness.open();
      const first = await store.openSession(A, TTL_MS, "o1");
      const second = await store.openSession(A, TTL_MS, "o2");
      await refusedWith("store.session-expired", store.renewSession(first.sessionId));
      assert.equal((await store.renewSession(second.sessionId)).fence, second.fence);
    },
  },
  {
    title: "a renewed session lives on, one that is not renewed ends at its ttl and not before",
    async run(harness) {
      const store = await harness.open();
      const { sessionId } = await store.openSession(A, TTL_MS, "o1");
      harness.advanceMs(TTL_MS - 1);
      await store.renewSession(sessionId);
      harness.advanceMs(TTL_MS - 1);
      await store.renewSession(sessionId);
      harness.advanceMs(TTL_MS);
      await refusedWith("store.session-expired", store.renewSession(sessionId));
    },
  },
  {
    title:
      "K3: an expired session owns nothing new, but what it owned stays its own until a compare-and-swap",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      harness.advanceMs(TTL_MS);
      const swap = store.compareAndSwap(AGENT, row.epoch, ownedBy(session), "cas-late");
      await refusedWith("store.session-expired", swap);
      await refusedWith(
        "store.session-expired",
        store.createAgent(newAgent(OTHER, session, "late"), "create-late"),
      );
      assert.deepEqual(await store.getAgent(AGENT), row);
      const next = await store.openSession(B, TTL_MS, "open-b");
      const moved = committed(await store.compareAndSwap(AGENT, row.epoch, ownedBy(next), "cas-takeover"));
      assert.equal(moved.owner, B);
    },
  },
  {
    title: "closing a session ends it at once, twice is the same as once",
    async run(harness) {
      const store = await harness.open();
      const { sessionId } = await store.openSession(A, TTL_MS, "o1");
      await store.closeSession(sessionId);
      await store.closeSession(sessionId);
      await refusedWith("store.session-expired", store.renewSession(sessionId));
    },
  },
  {
    title:
      "a session past the limit is refused; an expired one makes room, and a node's own next session always has it",
    async run(harness) {
      const store = await harness.open({ sessions: 2 });
      await store.openSession(A, TTL_MS, "o1");
      await store.openSession(B, 2 * TTL_MS, "o2");
      await refusedWith("store.too-many-sessions", store.openSession(nodeNamed("c"), TTL_MS, "o3"));
      await store.openSession(B, 2 * TTL_MS, "o4");
      harness.advanceMs(TTL_MS);
      await store.openSession(nodeNamed("c"), TTL_MS, "o5");
    },
  },
];

const agentCases: readonly ContractCase[] = [
  {
    title: "a new agent has epoch 1 and is found by id and by name",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      assert.deepEqual(row, { ...newAgent(AGENT, session, "counter"), epoch: 1, revision: 1 });
      assert.deepEqual(await store.getAgent(AGENT), row);
      assert.deepEqual(await store.findAgent("counter"), row);
      assert.equal(await store.getAgent(OTHER), undefined);
      assert.equal(await store.findAgent("nobody"), undefined);
    },
  },
  {
    title: "an agent id is used once, a name once among agents that are not terminated",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      await refusedWith("store.agent-exists", store.createAgent(newAgent(AGENT, session, "other"), "c2"));
      await refusedWith("store.name-taken", store.createAgent(newAgent(OTHER, session, "counter"), "c3"));
      await store.compareAndSwap(AGENT, row.epoch, ownedBy(session, "terminated"), "end");
      assert.equal(await store.findAgent("counter"), undefined);
      await refusedWith("store.agent-exists", store.createAgent(newAgent(AGENT, session, "other"), "c4"));
      assert.equal((await store.createAgent(newAgent(OTHER, session, "counter"), "c5")).epoch, 1);
    },
  },
  {
    title: "K1: a compare-and-swap raises the epoch by one and changes owner, session and status",
    async run(harness) {
      const store = await harness.open();
      const { row } = await withAgent(store);
      const next = await store.openSession(B, TTL_MS, "open-b");
      const moved = committed(
        await store.compareAndSwap(AGENT, row.epoch, ownedBy(next, "suspended"), "cas"),
      );
      assert.deepEqual(moved, { ...row, ...ownedBy(next, "suspended"), epoch: 2, revision: 2 });
      assert.deepEqual(await store.getAgent(AGENT), moved);
    },
  },
  {
    title: "K2: a compare-and-swap against any other epoch changes nothing and returns the stored row",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      const moved = committed(await store.compareAndSwap(AGENT, row.epoch, ownedBy(session), "cas"));
      for (const epoch of [1, 3, 2 ** 53 - 1]) {
        const outcome = await store.compareAndSwap(AGENT, toEpoch(epoch), ownedBy(session), `stale-${epoch}`);
        assert.deepEqual(outcome, { kind: "conflict", row: moved });
      }
      const unknown = await store.compareAndSwap(OTHER, row.epoch, ownedBy(session), "unknown");
      assert.deepEqual(unknown, { kind: "unknown-agent" });
      assert.equal((await store.changesSince(0, 10)).length, 2);
    },
  },
  {
    title: "K1: of many writers that expect the same epoch exactly one commits",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      const swap = (i: number) => store.compareAndSwap(AGENT, row.epoch, ownedBy(session), `racer-${i}`);
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => swap(i)));
      assert.equal(outcomes.filter((outcome) => outcome.kind === "committed").length, 1);
      assert.equal((await store.getAgent(AGENT))?.epoch, 2);
    },
  },
  {
    title: "the row of a terminated agent never changes again",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      const ended = committed(
        await store.compareAndSwap(AGENT, row.epoch, ownedBy(session, "terminated"), "end"),
      );
      await refusedWith(
        "store.agent-terminated",
        store.compareAndSwap(AGENT, ended.epoch, ownedBy(session), "again"),
      );
      assert.deepEqual(await store.getAgent(AGENT), ended);
    },
  },
  {
    title: "the list has every agent that is not terminated, by the code points of its name",
    async run(harness) {
      const store = await harness.open();
      const session = await store.openSession(A, TTL_MS, "o");
      const names = ["zebra", "\u{1f600}", "\ufb01", "Alpha", "alpha beta", "alpha", "\u00e9"];
      for (const [i, name] of names.entries()) {
        await store.createAgent(newAgent(agentNamed(String(i)), session, name), `c${i}`);
      }
      await store.compareAndSwap(agentNamed("0"), toEpoch(1), ownedBy(session, "terminated"), "end");
      const listed = (await store.listAgents()).map((row) => row.name);
      assert.deepEqual(listed, ["Alpha", "alpha", "alpha beta", "\u00e9", "\ufb01", "\u{1f600}"]);
    },
  },
  {
    title:
      "an agent past the limit of live ones is refused, and past the limit of rows even after others ended",
    async run(harness) {
      const store = await harness.open({ liveAgents: 1, agentRows: 2 });
      const { session, row } = await withAgent(store);
      await refusedWith("store.too-many-agents", store.createAgent(newAgent(OTHER, session, "b"), "c2"));
      await store.compareAndSwap(AGENT, row.epoch, ownedBy(session, "terminated"), "end-1");
      const second = await store.createAgent(newAgent(OTHER, session, "b"), "c3");
      await store.compareAndSwap(OTHER, second.epoch, ownedBy(session, "terminated"), "end-2");
      await refusedWith(
        "store.too-many-agents",
        store.createAgent(newAgent(agentNamed("3"), session, "c"), "c4"),
      );
    },
  },
];

const changeCases: readonly ContractCase[] = [
  {
    title:
      "K5: revisions grow by one per change, in one order, and a refused or conflicting request makes none",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      await store.compareAndSwap(AGENT, toEpoch(9), ownedBy(session), "conflict");
      const moved = committed(await store.compareAndSwap(AGENT, row.epoch, ownedBy(session), "cas"));
      const other = await store.createAgent(newAgent(OTHER, session, "other"), "c2");
      const all = [row, moved, other].map((each, i) => ({ revision: i + 1, row: each }));
      assert.deepEqual(await store.changesSince(0, 1_000), all);
      assert.deepEqual(await store.changesSince(0, 1), all.slice(0, 1));
      assert.deepEqual(await store.changesSince(2, 1_000), all.slice(2));
      assert.deepEqual(await store.changesSince(3, 1_000), []);
      assert.deepEqual(await store.changesSince(99, 1_000), []);
    },
  },
  {
    title: "changes that are no longer kept are refused, never skipped in silence",
    async run(harness) {
      const store = await harness.open({ changes: 2 });
      const { session } = await withAgent(store);
      for (const epoch of [1, 2, 3])
        await store.compareAndSwap(AGENT, toEpoch(epoch), ownedBy(session), `cas-${epoch}`);
      await refusedWith("store.changes-compacted", store.changesSince(1, 10));
      const kept = await store.changesSince(2, 10);
      assert.deepEqual(
        kept.map(({ revision }) => revision),
        [3, 4],
      );
    },
  },
];

const requestCases: readonly ContractCase[] = [
  {
    title: "K4: a repeated mutation has the effect of one and returns the first outcome",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      const again = await withAgent(store);
      assert.deepEqual(again, { session, row });
      const first = await store.compareAndSwap(AGENT, row.epoch, ownedBy(session), "cas");
      const third = await store.compareAndSwap(AGENT, toEpoch(2), ownedBy(session), "cas-2");
      assert.equal(third.kind, "committed");
      assert.deepEqual(await store.compareAndSwap(AGENT, row.epoch, ownedBy(session), "cas"), first);
      assert.equal((await store.getAgent(AGENT))?.epoch, 3);
    },
  },
  {
    title: "K4: a delayed copy of a conflicting or refused request cannot take effect later",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      const early = () => store.compareAndSwap(AGENT, toEpoch(2), ownedBy(session), "early");
      const takeName = () => store.createAgent(newAgent(OTHER, session, "counter"), "take-name");
      assert.deepEqual(await early(), { kind: "conflict", row });
      await refusedWith("store.name-taken", takeName());
      const ended = await store.compareAndSwap(AGENT, row.epoch, ownedBy(session, "terminated"), "end");
      assert.equal(ended.kind, "committed");
      assert.deepEqual(await early(), { kind: "conflict", row });
      await refusedWith("store.name-taken", takeName());
      assert.equal(await store.getAgent(OTHER), undefined);
    },
  },
  {
    title: "K4: the same request id with other arguments, or for another operation, is refused",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      await refusedWith("store.request-id-reused", store.openSession(A, TTL_MS + 1, "open-a"));
      await refusedWith("store.request-id-reused", store.openSession(B, TTL_MS, "open-a"));
      await refusedWith(
        "store.request-id-reused",
        store.createAgent(newAgent(AGENT, session, "x"), "create-1"),
      );
      const swap = store.compareAndSwap(AGENT, row.epoch, ownedBy(session), "open-a");
      await refusedWith("store.request-id-reused", swap);
      assert.deepEqual(await store.getAgent(AGENT), row);
    },
  },
  {
    title: "outcomes are kept for as many requests as the limit says; the oldest goes first",
    async run(harness) {
      const store = await harness.open({ requests: 3 });
      const { session } = await withAgent(store);
      await store.compareAndSwap(AGENT, toEpoch(1), ownedBy(session), "cas-1");
      await store.openSession(A, TTL_MS, "open-a");
      await store.compareAndSwap(AGENT, toEpoch(9), ownedBy(session), "cas-2");
      const reopened = await store.openSession(A, TTL_MS, "open-a");
      assert.ok(reopened.fence > session.fence);
    },
  },
];

const refusalCases: readonly ContractCase[] = [
  {
    title: "a lease time that is not a whole number from 1,000 to 600,000 is refused",
    async run(harness) {
      const store = await harness.open();
      for (const ttl of [
        Number.NaN,
        -1,
        0,
        999,
        600_001,
        1_000.5,
        Number.POSITIVE_INFINITY,
        "5000" as never,
      ]) {
        await refusedWith("store.ttl-out-of-range", store.openSession(A, ttl, "o"));
      }
      assert.equal((await store.openSession(A, 1_000, "least")).ttlMs, 1_000);
      assert.equal((await store.openSession(A, 600_000, "most")).ttlMs, 600_000);
    },
  },
  {
    title: "a name that is empty, over 256 bytes, ill-formed or has control characters is refused",
    async run(harness) {
      const store = await harness.open();
      const session = await store.openSession(A, TTL_MS, "o");
      const bad = ["", "x".repeat(257), "\u00e9".repeat(129), "a\0b", "a\nb", "\u007f", "\ud800", 7 as never];
      for (const name of bad) {
        await refusedWith("store.name-invalid", store.createAgent(newAgent(AGENT, session, name), "c"));
        await refusedWith("store.name-invalid", store.findAgent(name));
      }
      const longest = "\u00e9".repeat(128);
      assert.equal((await store.createAgent(newAgent(AGENT, session, longest), "c")).name, longest);
    },
  },
  {
    title: "malformed ids, epochs, statuses, hashes, revisions and limits are refused and change nothing",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      const good = newAgent(OTHER, session, "ok");
      const create = (change: object) => store.createAgent({ ...good, ...change } as NewAgent, "c");
      const swap = (agent: string, epoch: number, change: object, id = "s") =>
        store.compareAndSwap(
          agent as AgentId,
          epoch as never,
          { ...ownedBy(session), ...change } as never,
          id,
        );
      const bad: readonly (() => Promise<unknown>)[] = [
        ...["", "A".repeat(64), "a".repeat(63), `${"a".repeat(64)}\n`].map(
          (id) => () => store.openSession(id as NodeId, TTL_MS, "o"),
        ),
        ...["", "a\n", "a".repeat(65), "\u00e9", undefined as never].map(
          (id) => () => store.openSession(A, TTL_MS, id),
        ),
        ...["", "x", `${A}:0`, `${A}:01`, `${A}:-1`, A].map((id) => () => store.renewSession(id)),
        () => store.closeSession("nonsense"),
        () => create({ agent: "zz" }),
        () => create({ owner: B }),
        () => create({ status: "terminated" }),
        () => create({ status: "asleep" }),
        () => create({ programHash: "00" }),
        () => store.createAgent(null as never, "c"),
        () => swap("12", 1, {}),
        ...[0, -1, 1.5, Number.NaN, 2 ** 53].map((epoch) => () => swap(AGENT, epoch, {})),
        () => swap(AGENT, 1, { owner: B }),
        () => swap(AGENT, 1, { status: "" }),
        () => swap(AGENT, 1, {}, ""),
        () => store.compareAndSwap(AGENT, row.epoch, null as never, "s"),
        () => store.getAgent("0" as AgentId),
        ...[-1, 0.5, Number.NaN].map((revision) => () => store.changesSince(revision, 1)),
        ...[0, 1_001, 0.5, Number.NaN].map((limit) => () => store.changesSince(0, limit)),
      ];
      for (const ask of bad) await refusedWith("abi.malformed", ask());
      assert.deepEqual(await store.changesSince(0, 10), [{ revision: 1, row }]);
    },
  },
  {
    title: "after close every request is refused; close is idempotent",
    async run(harness) {
      const store = await harness.open();
      const { session, row } = await withAgent(store);
      await Promise.all([store.close(), store.close()]);
      await store.close();
      await refusedWith("store.closed", store.getAgent(AGENT));
      await refusedWith("store.closed", store.compareAndSwap(AGENT, row.epoch, ownedBy(session), "late"));
    },
  },
];

/** Every promise of the port. */
export const coordinationContract: readonly ContractCase[] = [
  ...sessionCases,
  ...agentCases,
  ...changeCases,
  ...requestCases,
  ...refusalCases,
  ...takeOverContract,
];
