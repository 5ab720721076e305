/** Membership in simulation: detection, refutation, leaving, partitions, and what strangers may not say. */
import { describe, expect, it } from "vitest";
import { issueCertificate } from "../src/admission/certificate.ts";
import { ClusterKeys } from "../src/admission/cluster-keys.ts";
import { MEMBERSHIP_PROFILES, membershipParameters } from "../src/index.ts";
import { Awareness } from "../src/membership/awareness.ts";
import { BroadcastQueue } from "../src/membership/broadcast-queue.ts";
import { log10, log10Ceiling } from "../src/membership/logarithm.ts";
import { MEMBERS_MAX, MemberTable } from "../src/membership/member-table.ts";
import { STATEMENT_MAX, Statements } from "../src/membership/statement.ts";
import { Suspicion } from "../src/membership/suspicion.ts";
import { CALM } from "../src/testing/index.ts";
import { Cluster, type TestNode } from "./cluster.ts";
import { digests, idOf, signerOf } from "./digests.ts";

const LAN = MEMBERSHIP_PROFILES.lan;
const stateOf = (viewer: TestNode, subject: TestNode): string | undefined =>
  viewer.mesh.members().find(({ node }) => node === subject.id)?.state;
const allSee = (viewers: readonly TestNode[], subject: TestNode, state: string): boolean =>
  viewers.every((viewer) => stateOf(viewer, subject) === state);

async function detection(
  seed: number,
  size: number,
  silently: boolean,
): Promise<{ ms: number; hash: string }> {
  const cluster = new Cluster(seed, { ...CALM, jitterMs: 2 });
  await cluster.boot(size);
  await cluster.time.advance(5000);
  const victim = cluster.node(size - 1);
  const others = cluster.nodes.slice(0, -1);
  victim.process.crash(silently);
  const from = cluster.time.monotonicMs();
  expect(await cluster.time.advanceUntil(() => allSee(others, victim, "dead"), 60_000), `seed ${seed}`).toBe(
    true,
  );
  for (const node of others) for (const other of others) expect(stateOf(node, other)).toBe("alive");
  return { ms: cluster.time.monotonicMs() - from, hash: cluster.network.traceHash };
}

describe("membership", () => {
  it("M2: a killed node is dead in every view, a silent one too, and nobody else is harmed", async () => {
    for (const seed of [1, 2, 3]) {
      expect((await detection(seed, 8, false)).ms).toBeLessThan(30_000);
      expect((await detection(seed, 8, true)).ms).toBeLessThan(30_000);
    }
  });

  it("the same seed gives the same trace", async () => {
    expect(await detection(4, 6, true)).toEqual(await detection(4, 6, true));
    expect((await detection(5, 6, true)).hash).not.toBe((await detection(4, 6, true)).hash);
  });

  it("M1: with a tenth of the datagrams lost, doubled and reordered, nobody is declared dead in two minutes", async () => {
    const cluster = new Cluster(11, { loss: 0.1, duplication: 0.1, breaks: 0, delayMs: 1, jitterMs: 40 });
    await cluster.boot(8);
    await cluster.time.advance(120_000);
    const dead = cluster.nodes.flatMap(({ events }) => events.filter(({ kind }) => kind === "memberDead"));
    expect(dead).toEqual([]);
    for (const node of cluster.nodes)
      for (const other of cluster.nodes) expect(stateOf(node, other)).toBe("alive");
  });

  it("M3, M5: a suspect that runs refutes with a higher incarnation and stays", async () => {
    const cluster = new Cluster(12);
    await cluster.boot(4);
    const [first, cut] = [cluster.node(0), cluster.node(3)];
    cluster.network.partition([cut.id]);
    const suspected = () => stateOf(first, cut) === "suspect";
    expect(await cluster.time.advanceUntil(suspected, 20_000)).toBe(true);
    cluster.network.heal();
    await cluster.time.advance(20_000);
    const seen = first.mesh.members().find(({ node }) => node === cut.id);
    expect(seen).toMatchObject({ state: "alive" });
    expect(seen?.incarnation).toBeGreaterThan(0);
  });

  it("M4, M6: both halves of a partition of a minute merge by themselves", async () => {
    for (const seed of [21, 22]) {
      const cluster = new Cluster(seed);
      await cluster.boot(6);
      const left = cluster.nodes.slice(0, 3);
      cluster.network.partition(left.map(({ id }) => id));
      await cluster.time.advance(60_000);
      expect(allSee(left, cluster.node(5), "dead"), "the halves gave each other up").toBe(true);
      cluster.network.heal();
      const merged = () => cluster.nodes.every((node) => allSee(cluster.nodes, node, "alive"));
      expect(await cluster.time.advanceUntil(merged, 90_000), `seed ${seed}`).toBe(true);
    }
  });

  it("M9: a node that left is Left for all, and comes back only under a higher boot epoch", async () => {
    const cluster = new Cluster(13);
    await cluster.boot(4);
    const gone = cluster.node(3);
    const credentials = gone.mesh.credentials();
    await cluster.time.settle(gone.mesh.stop());
    await cluster.time.advance(10_000);
    const others = cluster.nodes.slice(0, 3);
    expect(allSee(others, gone, "left")).toBe(true);
    expect(cluster.node(0).events.some(({ kind }) => kind === "memberLeft")).toBe(true);
    const contacts = [cluster.anchor.mesh.address ?? { host: "", port: 0 }];
    const again = cluster.build(3, "edge", { kind: "member", credentials, contacts }, { bootEpoch: 2 });
    await cluster.time.settle(again.mesh.start());
    await cluster.time.advance(5000);
    expect(allSee(others, again, "alive")).toBe(true);
  });

  it("M5 of the machine: a client is in nobody's table, and sees who comes and goes", async () => {
    const cluster = new Cluster(14);
    await cluster.boot(3);
    const client = await cluster.join(9, "client");
    await cluster.time.advance(3000);
    expect(client.mesh.members().map(({ state }) => state)).toEqual(["alive", "alive", "alive"]);
    for (const node of cluster.nodes.slice(0, 3)) expect(stateOf(node, client)).toBe(undefined);
    cluster.node(2).process.crash();
    const sees = () => stateOf(client, cluster.node(2)) === "dead";
    expect(await cluster.time.advanceUntil(sees, 40_000)).toBe(true);
    await cluster.time.settle(client.mesh.stop());
    await cluster.time.advance(30_000);
    expect(
      cluster.node(0).events.some((event) => event.kind === "memberDead" && event.member.node === client.id),
    ).toBe(false);
  });

  it("MS1-MS3: statements of others, changed ones and those of another cluster do not verify", () => {
    const cluster = signerOf(0, "cluster");
    const [node, other] = [signerOf(1), signerOf(2)];
    const ours = new Statements(digests, new ClusterKeys(digests, cluster.publicKey), () => 1);
    const foreign = signerOf(1, "cluster");
    const theirs = new Statements(digests, new ClusterKeys(digests, foreign.publicKey), () => 1);
    const certificate = issueCertificate(cluster, {
      nodeKey: node.publicKey,
      role: "edge",
      issuedMs: 1,
      expiresMs: 2,
    });
    const record = {
      name: "a".repeat(32),
      address: { host: "h".repeat(96), port: 65_535 },
      bootEpoch: Number.MAX_SAFE_INTEGER,
      incarnation: Number.MAX_SAFE_INTEGER,
      left: false,
    };
    const signed = ours.signRecord(node, certificate, record);
    expect(signed.length, "the longest record").toBeLessThanOrEqual(STATEMENT_MAX);
    const good = ours.read(signed);
    expect(good.type === "record" && good.verify().node).toBe(idOf(node));
    const strange = theirs.read(signed);
    expect(() => strange.type === "record" && strange.verify()).toThrow(/another cluster/);
    const stolen = ours.read(ours.signRecord(other, certificate, record));
    expect(() => stolen.type === "record" && stolen.verify()).toThrow(/not signed by the member/);
    const accusation = {
      subject: idOf(node),
      accuser: idOf(other),
      bootEpoch: 1,
      incarnation: 0,
      verdict: "dead" as const,
    };
    const heard = ours.read(ours.signAccusation(other, accusation));
    expect(heard.type === "accusation" && heard.verify(other.publicKey)).toBe(true);
    expect(heard.type === "accusation" && heard.verify(node.publicKey)).toBe(false);
  });

  it("MT1-MT3: old records and accusations of another incarnation change nothing", () => {
    const table = new MemberTable();
    const node = idOf(signerOf(1));
    const certificate = {
      node,
      nodeKey: signerOf(1).publicKey,
      role: "edge" as const,
      issuedMs: 0,
      expiresMs: 1,
    };
    const record = { name: "n", address: { host: "h", port: 1 }, bootEpoch: 5, incarnation: 3, left: false };
    table.put(certificate, record, new Uint8Array(1), 0);
    for (const stale of [
      { bootEpoch: 4, incarnation: 9 },
      { bootEpoch: 5, incarnation: 2 },
      { bootEpoch: 5, incarnation: 3 },
    ])
      expect(table.wants(node, { ...record, ...stale })).toBe(false);
    expect(table.wants(node, { ...record, left: true })).toBe(true);
    const accusation = {
      subject: node,
      accuser: node,
      bootEpoch: 5,
      incarnation: 3,
      verdict: "suspect" as const,
    };
    expect(table.accused(accusation)).toBeDefined();
    expect(table.accused({ ...accusation, incarnation: 4 })).toBe(undefined);
    expect(table.accused({ ...accusation, incarnation: 2 })).toBe(undefined);
  });

  it("MT5: the table is bounded", () => {
    const table = new MemberTable();
    const record = { name: "n", address: { host: "h", port: 1 }, bootEpoch: 1, incarnation: 0, left: false };
    for (let n = 0; n < MEMBERS_MAX; n++) {
      const node = n.toString(16).padStart(64, "0") as TestNode["id"];
      const certificate = {
        node,
        nodeKey: new Uint8Array(32),
        role: "edge" as const,
        issuedMs: 0,
        expiresMs: 1,
      };
      table.put(certificate, record, new Uint8Array(1), 0);
    }
    expect(table.wants("f".repeat(64) as TestNode["id"], record)).toBe(false);
  });
});

describe("the parts of the failure detector", () => {
  it("SU1, SU2: accusers shorten a suspicion from the longest to the least time; nobody to confirm starts at the least", () => {
    const suspicion = new Suspicion(LAN, 10, "a", 1000);
    expect(suspicion.deadlineMs()).toBe(1000 + 24_000);
    expect(suspicion.confirm("a")).toBe(false);
    expect(suspicion.confirm("b")).toBe(true);
    expect(suspicion.deadlineMs()).toBeLessThan(1000 + 13_000);
    expect(suspicion.confirm("c")).toBe(true);
    expect(suspicion.confirm("d")).toBe(false);
    expect(suspicion.deadlineMs()).toBe(1000 + 4000);
    expect(new Suspicion(LAN, 3, "a", 0).deadlineMs()).toBe(4000);
    expect(new Suspicion(MEMBERSHIP_PROFILES.relaxed, 3, "a", 0).deadlineMs()).toBe(15_000);
  });

  it("B1-B3: a statement is sent a limited number of times, newest per subject, within the budget", () => {
    const queue = new BroadcastQueue(4);
    queue.add("a", new Uint8Array(100));
    queue.add("a", new Uint8Array(50));
    queue.add("b", new Uint8Array(80));
    expect(queue.size).toBe(2);
    expect(queue.take(60, 5).map(({ length }) => length)).toEqual([50]);
    let sent = 1;
    while (queue.size > 0) sent += queue.take(500, 5).filter(({ length }) => length === 50).length;
    expect(sent).toBe(4);
  });

  it("local health stays in its range", () => {
    const awareness = new Awareness(8);
    awareness.adjust(-5);
    expect(awareness.score).toBe(0);
    awareness.adjust(50);
    expect(awareness.score).toBe(7);
  });

  it("logarithms are near the real ones and exact where it matters", () => {
    for (let n = 1; n < 5000; n++) {
      expect(Math.abs(log10(n) - Math.log10(n))).toBeLessThan(0.027);
      expect(log10Ceiling(n)).toBe(String(n - 1).length - (n === 1 ? 1 : 0));
    }
  });

  it("parameters out of range are refused by name", () => {
    expect(() => membershipParameters({ ...LAN, gossipNodes: 0 })).toThrow(/gossipNodes/);
    expect(() => membershipParameters({ ...LAN, probeTimeoutMs: 1000 })).toThrow(/probeTimeoutMs/);
    expect(() => membershipParameters("man" as "lan")).toThrow(/none of/);
  });
});
