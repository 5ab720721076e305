/**
 * What a lease promises, over many seeds on every store: over delayed, repeated and lost messages, nodes whose clocks jump ahead, and a
 * store that is closed and opened again.
 *
 * L1. One holder per epoch.
 * L2. Epochs grow by one, also over a restart.
 * L3. What a fenced resource takes has epochs that never fall, each by the holder of its epoch.
 * L4. A session that is not renewed ends after its time, and what it held can be taken at once.
 * L5. The history of opening, renewing, taking over and reading is linearizable.
 * L6. The clock of a node decides over its own patience only: all of this holds whatever the clocks do.
 */
import { describe, expect, it } from "vitest";
import { createMemoryCoordination } from "../src/memory.ts";
import { agentNamed, newAgent, nodeNamed } from "../src/testing.ts";
import { serverForThisFile as etcdForThisFile, missing as etcdMissing } from "./fixtures/etcd-harness.ts";
import { etcdBackend, memoryBackend, postgresBackend, sqliteBackend } from "./fixtures/lease-backends.ts";
import { leaseModel } from "./fixtures/lease-model.ts";
import { type LeaseBackend, type LeaseHistory, runLeases } from "./fixtures/lease-run.ts";
import { isLinearizable } from "./fixtures/linearizability.ts";
import {
  serverForThisFile as postgresForThisFile,
  missing as postgresMissing,
} from "./fixtures/postgres-harness.ts";
import { everySeedAsync } from "./fixtures/seeds.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const etcd = etcdForThisFile();
const postgres = postgresForThisFile();

const backends = [
  ["memory", memoryBackend, undefined, soak ? 20_000 : 1_000],
  ["sqlite", sqliteBackend, undefined, soak ? 500 : 20],
  ["PostgreSQL", () => postgresBackend(postgres()), postgresMissing, soak ? 1_000 : 15],
  ["etcd", () => etcdBackend(etcd()), etcdMissing, soak ? 1_000 : 15],
] as const;

describe.each(backends)("leases on %s", (_name, backendOf, missing, seeds) => {
  it(`L1, L2, L3, L5, L6 hold for ${seeds} seeds`, async ({ skip }) => {
    skip(missing !== undefined, missing);
    let operations = 0;
    await everySeedAsync(seeds, async (chance) => {
      const backend = await backendOf();
      try {
        const history = await runLeases(backend, chance);
        operations += history.operations.length;
        expectOneHolderPerEpoch(history);
        expectFenced(history);
        expect(isLinearizable(leaseModel, history.operations), JSON.stringify(history.operations)).toBe(true);
      } finally {
        await backend.dispose();
      }
    });
    expect(operations).toBeGreaterThan(seeds * 10);
  });

  it("L4: a session that is not renewed ends after its time, and what it held can be taken at once", async ({
    skip,
  }) => {
    skip(missing !== undefined, missing);
    const backend = await backendOf();
    try {
      await expectTakeover(backend);
    } finally {
      await backend.dispose();
    }
  });
});

/** L1, L2. */
function expectOneHolderPerEpoch({ changes, operations }: LeaseHistory): void {
  const holders = new Map<string, string>();
  const epochs = new Map<string, number>();
  for (const [i, { agent, epoch, owner, revision }] of changes.entries()) {
    expect(revision).toBe(i + 1);
    expect(epoch).toBe((epochs.get(agent) ?? 0) + 1);
    epochs.set(agent, epoch);
    holders.set(`${agent.slice(0, 1)} ${epoch}`, owner.slice(0, 1));
  }
  for (const { input, output } of operations) {
    if (input.op !== "swap" || typeof output !== "object" || !("committed" in output)) continue;
    expect(holders.get(`${input.agent} ${output.committed.epoch}`)).toBe(input.node);
  }
}

/** L3. */
function expectFenced({ accepted, changes }: LeaseHistory): void {
  const newest = new Map<string, number>();
  for (const { agent, epoch, writer } of accepted) {
    expect(epoch).toBeGreaterThanOrEqual(newest.get(agent) ?? 0);
    newest.set(agent, epoch);
    const row = changes.find((one) => one.agent.startsWith(agent) && one.epoch === epoch);
    expect(row?.owner.slice(0, 1)).toBe(writer);
  }
}

/** L4. The clock of the client that judges counts from when it first saw the session: one more time at most. */
async function expectTakeover({ clients, advance }: LeaseBackend): Promise<void> {
  const [holder, other] = [clients[0]!, clients[1]!];
  const session = await holder.openSession(nodeNamed("a"), 1_000, "holder");
  const row = await holder.createAgent(newAgent(agentNamed("1"), session, "held"), "create");
  const next = await other.openSession(nodeNamed("b"), 600_000, "other");
  // The other client sees the holder's session for the first time, alive.
  const change = { owner: session.node, sessionId: session.sessionId, status: "running" } as const;
  expect((await other.compareAndSwap(row.agent, row.epoch, change, "by-other")).kind).toBe("committed");
  for (const client of [0, 1, 2]) advance(client, 1_000);
  for (const [i, client] of [other, holder].entries())
    await expect(client.renewSession(session.sessionId), `client ${i}`).rejects.toMatchObject({
      code: "store.session-expired",
    });
  const take = { owner: next.node, sessionId: next.sessionId, status: "running" } as const;
  expect(await other.compareAndSwap(row.agent, 2 as never, take, "take")).toMatchObject({
    kind: "committed",
    row: { epoch: 3, owner: next.node },
  });
}

it("L6: a wall clock that jumps back or ahead ends no lease and revives none", async () => {
  let [wallMs, now] = [Date.UTC(2026, 0), 0];
  const store = createMemoryCoordination({ clock: { monotonicMs: () => now, wallMs: () => wallMs } });
  const { sessionId } = await store.openSession(nodeNamed("a"), 1_000, "open");
  for (const jumpMs of [-3e10, 6e10, -6e10]) {
    wallMs += jumpMs;
    now += 999;
    expect((await store.renewSession(sessionId)).sessionId).toBe(sessionId);
  }
  now += 1_000;
  await expect(store.renewSession(sessionId)).rejects.toMatchObject({ code: "store.session-expired" });
});
