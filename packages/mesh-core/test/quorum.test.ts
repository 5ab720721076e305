/** Partitions as a node sees them: what counts, what is told, what a minority does; and work that is shed. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MemberState, MinorityPolicy, NodeRole } from "../src/index.ts";
import { Allowance, PEER_RATE, PEERS_MAX, TOTAL_RATE } from "../src/membership/allowance.ts";
import { QuorumWatch, quorumOf, Tally, VOTERS_MIN } from "../src/membership/quorum.ts";
import { Cluster, numberOf, payload, type TestNode } from "./cluster.ts";
import { idOf, signerOf } from "./digests.ts";
import { LoneMember } from "./lone-member.ts";

const member = fc.record({
  role: fc.constantFrom<NodeRole>("edge", "relay", "core"),
  state: fc.constantFrom<MemberState>("alive", "suspect", "dead", "left"),
});
const tallied = (rows: readonly { readonly role: NodeRole; readonly state: MemberState }[]): Tally => {
  const tally = new Tally();
  for (const { role, state } of rows) tally.count(role, state);
  return tally;
};
const told = ({ events }: TestNode): string[] =>
  events.map(({ kind }) => kind).filter((kind) => ["partition", "quorumLost", "healed"].includes(kind));

describe("a quorum", () => {
  it("Q1, Q2: two views that do not overlap never both have it", () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 40 }), fc.nat(), (members, cut) => {
        const staying = members.filter(({ state }) => state !== "left");
        // Each side sees its own members alive and the others dead.
        const side = (ours: (n: number) => boolean) =>
          quorumOf(tallied(staying.map(({ role }, n) => ({ role, state: ours(n) ? "alive" : "dead" }))));
        const here = (n: number): boolean => ((cut >> (n % 24)) & 1) === 1;
        const [one, other] = [side(here), side((n) => !here(n))];
        expect(one.known).toBe(other.known);
        if (one.known > 0) expect(one.state === "lost" || other.state === "lost").toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("Q1: edges count only while fewer than three relays and cores are known; who left does not count", () => {
    const of = (...rows: [number, NodeRole, MemberState][]) =>
      quorumOf(
        tallied(
          rows.flatMap(([count, role, state]) => Array.from({ length: count }, () => ({ role, state }))),
        ),
      );
    expect(of([VOTERS_MIN, "core", "alive"], [50, "edge", "dead"]).state).toBe("whole");
    expect(of([VOTERS_MIN - 1, "core", "alive"], [50, "edge", "dead"]).state).toBe("lost");
    expect(of([1, "core", "alive"], [4, "edge", "left"])).toEqual({ state: "whole", reachable: 1, known: 1 });
    expect(of([2, "core", "alive"], [2, "core", "dead"]).state).toBe("lost");
    expect(of([6, "core", "alive"], [2, "core", "dead"]).state).toBe("partition");
    expect(of([7, "core", "suspect"], [1, "core", "dead"]).state).toBe("whole");
    expect(of([20, "core", "alive"], [2, "core", "dead"]).state).toBe("whole");
  });

  it("Q3: a change is told only after it held, and once", () => {
    const watch = new QuorumWatch(1000);
    const view = (state: "whole" | "partition" | "lost") => ({ state, reachable: 1, known: 2 });
    expect(watch.look(view("lost"), 0)).toBe(undefined);
    expect(watch.look(view("whole"), 500)).toBe(undefined);
    expect(watch.look(view("lost"), 900)).toBe(undefined);
    expect(watch.look(view("lost"), 1800)).toBe(undefined);
    expect(watch.look(view("lost"), 1900)).toBe("lost");
    expect(watch.look(view("lost"), 5000)).toBe(undefined);
    expect(watch.look(view("whole"), 6000)).toBe(undefined);
    expect(watch.look(view("whole"), 7000)).toBe("whole");
  });
});

describe("a partition in simulation", () => {
  it("the smaller side loses its quorum, the larger one sees a partition, and both hear that it healed", async () => {
    for (const seed of [301, 302, 303]) {
      const cluster = new Cluster(seed);
      await cluster.boot(7);
      const [small, large] = [cluster.nodes.slice(0, 3), cluster.nodes.slice(3)];
      cluster.network.partition(small.map(({ id }) => id));
      await cluster.time.advance(60_000);
      for (const node of small) expect(told(node).at(-1), `seed ${seed}`).toBe("quorumLost");
      for (const node of large) expect(told(node), `seed ${seed}`).toEqual(["partition"]);
      cluster.network.heal();
      await cluster.time.advance(90_000);
      for (const node of cluster.nodes) expect(told(node).at(-1), `seed ${seed}`).toBe("healed");
    }
  });

  it("one node that dies in a cluster of seven is no partition", async () => {
    const cluster = new Cluster(311);
    await cluster.boot(7);
    cluster.node(6).process.crash();
    await cluster.time.advance(60_000);
    for (const node of cluster.nodes.slice(0, 6)) expect(told(node)).toEqual([]);
  });

  async function minority(policy: MinorityPolicy) {
    const cluster = new Cluster(321);
    await cluster.boot(5, { minorityPolicy: policy });
    const [anchor, other] = [cluster.anchor, cluster.node(1)];
    const agent = await cluster.spawn(anchor, 1);
    const link = other.mesh.link(agent);
    expect(numberOf(await cluster.time.settle(link.ask(payload(1), 5000)))).toBe(1);
    // The anchor and one member, with the agent and its engine, are the smaller side.
    cluster.network.partition([anchor.id, other.id]);
    await cluster.time.advance(60_000);
    expect(told(anchor).at(-1)).toBe("quorumLost");
    return { cluster, anchor, other, agent, link };
  }

  it("continue: a minority delivers and moves as before", async () => {
    const { cluster, anchor, other, agent, link } = await minority("continue");
    expect(numberOf(await cluster.time.settle(link.ask(payload(2), 5000)))).toBe(2);
    expect((await cluster.time.settle(anchor.mesh.migrate(agent, other.id))).epoch).toBe(2);
  });

  it("refuse-moves: a minority delivers, starts no move and accepts none", async () => {
    const { cluster, anchor, other, agent, link } = await minority("refuse-moves");
    expect(numberOf(await cluster.time.settle(link.ask(payload(2), 5000)))).toBe(2);
    const moved = cluster.time.settle(anchor.mesh.migrate(agent, other.id));
    expect(errorCodeOf(await moved.catch((error: unknown) => error))).toBe("mesh.migration-refused");
    cluster.network.heal();
    await cluster.time.advance(90_000);
    expect((await cluster.time.settle(anchor.mesh.migrate(agent, other.id))).epoch).toBe(2);
  });

  it("pause-agents: messages wait with their senders and are applied, once and in order, after the partition healed", async () => {
    const { cluster, anchor, agent, link } = await minority("pause-agents");
    for (let n = 2; n <= 20; n++) link.send(payload(n)).catch(() => undefined);
    await cluster.time.advance(30_000);
    expect(anchor.cells.applied(agent)).toEqual([1]);
    cluster.network.heal();
    await cluster.time.settle(link.flush(120_000), 130_000);
    expect(anchor.cells.applied(agent)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it("a policy that is none is refused before anything starts", () => {
    const start = { kind: "found", clusterSigner: signerOf(0, "cluster") } as const;
    expect(() => new Cluster(1).build(0, "core", start, { minorityPolicy: "panic" as never })).toThrow(
      /minorityPolicy/,
    );
  });
});

describe("shed work", () => {
  it("AL1, AL2: one peer gets its rate and no more, others are served meanwhile, all together get theirs", () => {
    const allowance = new Allowance();
    const node = (n: number) => n.toString(16).padStart(64, "0") as NodeId;
    const taken = (peer: number, tries: number, nowMs: number): number => {
      let count = 0;
      for (let n = 0; n < tries; n++) if (allowance.take(node(peer), nowMs)) count++;
      return count;
    };
    expect(taken(1, 5 * PEER_RATE, 0)).toBe(PEER_RATE);
    expect(taken(2, 10, 0)).toBe(10);
    expect(taken(1, 5 * PEER_RATE, 100)).toBe(PEER_RATE / 10);
    let all = 0;
    for (let peer = 10; peer < 60; peer++) all += taken(peer, PEER_RATE, 10_000);
    expect(all).toBe(TOTAL_RATE);
    for (let n = 0; n <= PEERS_MAX; n++) allowance.take(node(1000 + n), 100_000 + n);
    expect(allowance.take(node(99_999), 200_000), "full buckets are forgotten").toBe(true);
  });

  it("M6: a peer that floods is answered at its rate; what is dropped is counted, and others are heard", async () => {
    const lone = new LoneMember();
    lone.meet(1);
    lone.meet(2);
    const acks = (to: NodeId): number => lone.ofKind("ack").filter((said) => said.to === to).length;
    for (let n = 0; n < 4 * PEER_RATE; n++) lone.say(1, "ping", n, [], []);
    expect(acks(idOf(signerOf(1)))).toBeLessThanOrEqual(PEER_RATE);
    expect(lone.counted.get("glia_mesh_shed_total")).toBeGreaterThanOrEqual(3 * PEER_RATE);
    lone.say(2, "ping", 1, [], []);
    expect(acks(idOf(signerOf(2)))).toBe(1);
  });
});

it("the gossip metrics of docs/spec/metrics.md are handed to the meter", async () => {
  const lone = new LoneMember();
  for (let n = 1; n <= 4; n++) lone.meet(n);
  lone.answering.delete(idOf(signerOf(4)));
  lone.say(1, "ping", 1, [], []);
  lone.machine.exchange(idOf(signerOf(1)));
  await lone.time.advance(60_000);
  const counted = (name: string): number => lone.counted.get(`mielin_gossip_${name}`) ?? -1;
  for (const name of [
    "heartbeats_sent_total",
    "heartbeats_received_total",
    "membership_updates_total",
    "state_syncs_total",
    "failed_rounds_total",
    "round_duration_avg_us",
  ])
    expect(counted(name), name).toBeGreaterThan(0);
  expect(counted("member_count")).toBe(4);
  expect(counted("dead_count")).toBe(1);
  expect(counted("suspect_count")).toBe(0);
  expect(lone.counted.get("glia_mesh_health_score")).toBeGreaterThanOrEqual(0);
});
