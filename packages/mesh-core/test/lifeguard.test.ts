/** Lifeguard: local health, nacks, buddies, confirmations, stalls; and the bugs that users of other implementations met. */
import { describe, expect, it } from "vitest";
import { MEMBERSHIP_PROFILES } from "../src/index.ts";
import { Deadlines, LATE_DRAINS } from "../src/membership/deadlines.ts";
import { FORMER_MAX, FormerMembers } from "../src/membership/former-members.ts";
import { CALM, VirtualTime } from "../src/testing/index.ts";
import { Cluster, type TestNode } from "./cluster.ts";
import { idOf, signerOf } from "./digests.ts";
import { certificateFor, LoneMember } from "./lone-member.ts";

const LAN = MEMBERSHIP_PROFILES.lan;

describe("local health", () => {
  it("a node whose helpers stay silent gets worse, probes less often and gives its probes longer", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 6; n++) lone.meet(n);
    await lone.time.advance(10_000);
    expect(lone.machine.healthScore).toBe(0);
    const pingsIn = async (ms: number): Promise<number> => {
      const before = lone.ofKind("ping").length;
      await lone.time.advance(ms);
      return lone.ofKind("ping").length - before;
    };
    const well = await pingsIn(20_000);
    lone.answering.clear();
    await lone.time.advance(5000);
    expect(lone.machine.healthScore).toBeGreaterThanOrEqual(LAN.awarenessMax - 2);
    const unwell = await pingsIn(40_000);
    expect(unwell, "in twice the time").toBeLessThan(well);
  });

  it("P2: a helper that says nack costs nothing, one that stays silent costs health", async () => {
    const failing = async (nacks: boolean): Promise<number> => {
      const lone = new LoneMember();
      for (let n = 1; n <= 5; n++) lone.meet(n);
      const mute = idOf(signerOf(5));
      lone.answering.delete(mute);
      let answered = 0;
      let worst = 0;
      for (let ms = 0; ms < 12_000; ms += 50) {
        await lone.time.advance(50);
        worst = Math.max(worst, lone.machine.healthScore);
        const asked = lone.ofKind("pingReq");
        for (; answered < asked.length; answered++) {
          const { to, envelope } = asked[answered] as (typeof asked)[number];
          const helper = [1, 2, 3, 4].find((n) => idOf(signerOf(n)) === to);
          if (nacks && helper !== undefined) lone.say(helper, "nack", envelope.requestId, [], []);
        }
      }
      expect(answered).toBeGreaterThan(0);
      return worst;
    };
    expect(await failing(true)).toBe(0);
    expect(await failing(false)).toBeGreaterThan(1);
  });

  it("a helper says nack after 80 % of the probe timeout, and ack when the target answers after all", async () => {
    const lone = new LoneMember();
    const [asker, target] = [lone.meet(1), lone.meet(2)];
    lone.answering.delete(target);
    await lone.time.advance(1);
    const from = lone.time.monotonicMs();
    lone.say(1, "pingReq", 77, [Uint8Array.from(Buffer.from(target, "hex"))], []);
    await lone.time.advance(LAN.probeTimeoutMs);
    const nacks = lone.ofKind("nack").filter(({ to }) => to === asker);
    expect(nacks.map(({ envelope, atMs }) => [envelope.requestId, atMs - from])).toEqual([
      [77, 0.8 * LAN.probeTimeoutMs],
    ]);
  });

  it("the stream ping goes out together with the indirect ones, when the datagram was not answered in time", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 5; n++) lone.meet(n);
    lone.answering.delete(idOf(signerOf(5)));
    await lone.time.advance(8000);
    const [indirect] = lone.ofKind("pingReq");
    const stream = lone
      .ofKind("ping")
      .find(({ trafficClass, to }) => trafficClass === "request" && to === idOf(signerOf(5)));
    expect(indirect).toBeDefined();
    expect(stream?.atMs).toBe(indirect?.atMs);
    const direct = lone
      .ofKind("ping")
      .find(({ to, trafficClass }) => to === idOf(signerOf(5)) && trafficClass === "datagram");
    expect((stream?.atMs ?? 0) - (direct?.atMs ?? 0)).toBe(LAN.probeTimeoutMs);
  });

  it("the buddy system: a suspect that is pinged is told of its suspicion in that ping, first", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 4; n++) lone.meet(n);
    const suspect = idOf(signerOf(4));
    lone.say(1, "gossip", 0, [], [lone.accusation(1, suspect, "suspect")]);
    expect(lone.stateOf(suspect)).toBe("suspect");
    await lone.time.advance(4500);
    const [ping] = lone.ofKind("ping").filter(({ to }) => to === suspect);
    expect(ping, "a suspect is still probed").toBeDefined();
    const [first] = ping === undefined ? [] : lone.read(ping);
    expect(first).toMatchObject({ type: "accusation", accusation: { subject: suspect, verdict: "suspect" } });
  });

  it("HE4: a node that is told of an accusation it refuted before answers with its record", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 4; n++) lone.meet(n);
    lone.say(1, "gossip", 0, [], [lone.accusation(1, lone.self, "suspect")]);
    expect(lone.machine.member(lone.self)?.incarnation).toBe(1);
    await lone.time.advance(30_000);
    lone.say(3, "ping", 5, [], [lone.accusation(1, lone.self, "suspect")]);
    const ack = lone.ofKind("ack").at(-1);
    expect(ack === undefined ? [] : lone.read(ack)).toMatchObject([
      { type: "record", node: lone.self, record: { incarnation: 1 } },
    ]);
  });

  it("SU1: distinct accusers shorten the suspicion, the same one twice does not and costs no verification", async () => {
    const deathMs = async (accusers: readonly number[]): Promise<number> => {
      const lone = new LoneMember({ ...LAN, probeIntervalMs: 100_000, probeTimeoutMs: 1000 });
      for (let n = 1; n <= 9; n++) lone.meet(n);
      const suspect = idOf(signerOf(9));
      for (const accuser of accusers)
        lone.say(accuser, "gossip", 0, [], [lone.accusation(accuser, suspect, "suspect")]);
      const from = lone.time.monotonicMs();
      await lone.time.advanceUntil(() => lone.stateOf(suspect) === "dead", 1e9);
      return lone.time.monotonicMs() - from;
    };
    const alone = await deathMs([1]);
    expect(await deathMs([1, 1, 1])).toBe(alone);
    const two = await deathMs([1, 2]);
    const three = await deathMs([1, 2, 3]);
    expect(two).toBeLessThan(alone);
    expect(three).toBeLessThan(two);
    expect(await deathMs([1, 2, 3, 4]), "no more confirmations than the parameters ask for").toBe(three);
    const lone = new LoneMember();
    for (let n = 1; n <= 9; n++) lone.meet(n);
    const accusation = lone.accusation(1, idOf(signerOf(9)), "suspect");
    lone.say(1, "gossip", 0, [], [accusation]);
    const before = lone.statements.verifications;
    for (let again = 0; again < 50; again++) lone.say(2, "gossip", 0, [], [accusation]);
    expect(lone.statements.verifications).toBe(before);
  });
});

describe("stalls", () => {
  it("DL1, DL2: a deadline is judged after the sockets were read, three times and as late after a stall", async () => {
    for (const stallMs of [0, 400]) {
      const time = new VirtualTime();
      let [stalledMs, lates, turns] = [0, 0, 0];
      const deadlines = new Deadlines({
        clock: { monotonicMs: () => time.monotonicMs() + stalledMs, wallMs: () => 0 },
        timers: {
          schedule: (delayMs, fire) =>
            time.schedule(delayMs, () => {
              turns++;
              fire();
            }),
        },
        toleranceMs: 250,
        late: () => void lates++,
      });
      const judged: boolean[] = [];
      deadlines.set(500, (late) => void judged.push(late));
      stalledMs = stallMs;
      await time.advance(500);
      expect(judged).toEqual([stallMs > 250]);
      expect(lates).toBe(stallMs > 250 ? 1 : 0);
      expect(turns).toBe(1 + (stallMs > 250 ? LATE_DRAINS : 1));
      deadlines.set(10, () => judged.push(true)).cancel();
      await time.advance(100);
      expect(judged).toHaveLength(1);
    }
  });

  it("P3: a node that stalls while it waits for an answer accuses nobody and gets less sure of itself", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 5; n++) lone.meet(n);
    await lone.time.advance(3000);
    // The answer to the next ping lies unread for 16 s while the timers expire.
    lone.answering.clear();
    const before = lone.ofKind("ping").length;
    await lone.time.advanceUntil(() => lone.ofKind("ping").length > before, 5000);
    lone.stall(16_000);
    await lone.time.advance(1500);
    expect(lone.events.filter(({ kind }) => kind === "memberSuspect" || kind === "memberDead")).toEqual([]);
    expect(lone.machine.healthScore).toBeGreaterThan(0);
  });

  it("HE2: a suspicion that ends during a stall declares nobody dead before refutations could be read", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 5; n++) lone.meet(n);
    await lone.time.advance(2000);
    const suspect = idOf(signerOf(5));
    lone.say(1, "gossip", 0, [], [lone.accusation(1, suspect, "suspect")]);
    lone.stall(60_000);
    const suspected = lone.time.monotonicMs();
    await lone.time.advanceUntil(() => lone.events.some(({ kind }) => kind === "memberDead"), 24_500);
    expect(lone.stateOf(suspect)).toBe("suspect");
    expect(lone.time.monotonicMs() - suspected).toBeGreaterThanOrEqual(24_000);
    lone.say(5, "gossip", 0, [], [lone.record(5, { incarnation: 1 })]);
    await lone.time.advance(60_000);
    expect(lone.stateOf(suspect)).toBe("alive");
  });
});

describe("bugs that users of other implementations met", () => {
  const stateOf = (viewer: TestNode, subject: TestNode): string | undefined =>
    viewer.mesh.members().find(({ node }) => node === subject.id)?.state;
  const whole = (cluster: Cluster): boolean =>
    cluster.nodes.every((viewer) => cluster.nodes.every((node) => stateOf(viewer, node) === "alive"));

  it("memberlist#222: halves that declared each other dead long ago merge after partitions of any length", async () => {
    for (const [seed, minutes] of [
      [201, 1],
      [202, 10],
      [203, 40],
    ] as const) {
      const cluster = new Cluster(seed);
      await cluster.boot(8);
      cluster.network.partition(cluster.nodes.slice(0, 4).map(({ id }) => id));
      await cluster.time.advance(minutes * 60_000);
      expect(stateOf(cluster.node(0), cluster.node(7))).toBe("dead");
      cluster.network.heal();
      expect(await cluster.time.advanceUntil(() => whole(cluster), 60_000), `${minutes} min`).toBe(true);
    }
  }, 120_000);

  it("M4: even a cut that lasts longer than the memory of the dead heals", async () => {
    const cluster = new Cluster(205);
    await cluster.boot(6, { membership: { ...LAN, forgetAfterMs: 120_000 } });
    cluster.network.partition(cluster.nodes.slice(0, 3).map(({ id }) => id));
    await cluster.time.advance(10 * 60_000);
    expect(stateOf(cluster.node(0), cluster.node(5)), "forgotten").toBe(undefined);
    cluster.network.heal();
    expect(await cluster.time.advanceUntil(() => whole(cluster), 120_000)).toBe(true);
  });

  it("FM1: former members are bounded, the one forgotten first gives way", () => {
    const former = new FormerMembers();
    const node = (n: number): TestNode["id"] => n.toString(16).padStart(64, "0") as TestNode["id"];
    for (let n = 0; n <= FORMER_MAX; n++) former.keep(node(n), { host: "h", port: n + 1 });
    expect(former.nodes()).toHaveLength(FORMER_MAX);
    expect(former.address(node(0))).toBe(undefined);
    former.drop((known) => known === node(1));
    expect(former.address(node(1))).toBe(undefined);
    expect(former.address(node(2))).toEqual({ host: "h", port: 3 });
  });

  it("consul#1212: one node that hears nothing for two minutes makes no healthy node fail another", async () => {
    for (const seed of [211, 212]) {
      const cluster = new Cluster(seed);
      await cluster.boot(12);
      const deaf = cluster.node(11);
      cluster.network.onDelivery = ({ to, trafficClass }) => !(to === deaf.id && trafficClass === "datagram");
      await cluster.time.advance(120_000);
      for (const { id, events } of cluster.nodes)
        for (const event of events)
          if (event.kind === "memberDead" && id !== deaf.id) expect(event.member.node).toBe(deaf.id);
    }
  }, 60_000);

  it("foca#25: a dead member that talks without end is told so a bounded number of times", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 3; n++) lone.meet(n);
    const dead = idOf(signerOf(3));
    lone.say(1, "gossip", 0, [], [lone.accusation(1, dead, "dead")]);
    expect(lone.stateOf(dead)).toBe("dead");
    await lone.time.advance(40_000);
    const before = lone.said.filter(({ to, envelope }) => to === dead && envelope.kind === "gossip").length;
    for (let n = 0; n < 500; n++) lone.say(3, "nack", 1, [], []);
    const told = lone.said.filter(({ to, envelope }) => to === dead && envelope.kind === "gossip").length;
    expect(told - before).toBe(1);
  });

  it("foca#19: a dead member is remembered for 24 hours, so old rumours start no storm", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 3; n++) lone.meet(n);
    const dead = idOf(signerOf(3));
    lone.say(1, "gossip", 0, [], [lone.accusation(1, dead, "dead")]);
    lone.answering.delete(dead);
    for (let hour = 0; hour < 23; hour++) {
      await lone.time.advance(3_600_000);
      lone.say(2, "gossip", 0, [], [lone.record(3)]);
      expect(lone.stateOf(dead), `hour ${hour}`).toBe("dead");
    }
    expect(lone.events.filter(({ kind }) => kind === "memberUp")).toHaveLength(3);
  }, 60_000);

  it("foca#34: a node that is asked to probe itself answers for itself", async () => {
    const lone = new LoneMember();
    const asker = lone.meet(1);
    const before = lone.said.length;
    lone.say(1, "pingReq", 9, [Uint8Array.from(Buffer.from(lone.self, "hex"))], []);
    const answers = lone.said.slice(before).filter(({ envelope }) => envelope.kind !== "gossip");
    expect(answers.map(({ to, envelope }) => [to, envelope.kind, envelope.requestId])).toEqual([
      [asker, "ack", 9],
    ]);
  });

  it("memberlist aliveNode: a node restarted with other metadata replaces its old record by its boot epoch", () => {
    const lone = new LoneMember();
    const node = lone.meet(1, { incarnation: 7 });
    lone.meet(1, { bootEpoch: 2, incarnation: 0, address: { host: "elsewhere", port: 9 } });
    expect(lone.machine.member(node)).toMatchObject({ bootEpoch: 2, address: { host: "elsewhere" } });
    lone.meet(1, { incarnation: 50 });
    expect(lone.machine.member(node), "an earlier life is never believed again").toMatchObject({
      bootEpoch: 2,
    });
  });

  it("memberlist deadNode: nobody but the subject makes it leave, whatever a message says about its origin", () => {
    const lone = new LoneMember();
    const node = lone.meet(1);
    const forged = lone.statements.signRecord(signerOf(2), certificateFor(signerOf(1)), {
      name: "m1",
      address: { host: "h", port: 2 },
      bootEpoch: 1,
      incarnation: 5,
      left: true,
    });
    lone.say(1, "gossip", 0, [], [forged]);
    expect(lone.stateOf(node)).toBe("alive");
    expect(lone.refused).toMatchObject([{ code: "mesh.certificate-invalid" }]);
    lone.say(1, "gossip", 0, [], [lone.accusation(1, node, "dead", { bootEpoch: 1, incarnation: 3 })]);
    expect(lone.stateOf(node), "an accusation of a version nobody knows").toBe("alive");
  });

  it("HE1: a node that starts again without a higher boot epoch takes a version above its past and is alive for all", async () => {
    const cluster = new Cluster(221);
    await cluster.boot(4);
    const node = cluster.node(3);
    const credentials = node.mesh.credentials();
    const contacts = [cluster.anchor.mesh.address ?? { host: "", port: 0 }];
    for (const leave of [true, false]) {
      const last = cluster.nodes.at(-1) as TestNode;
      if (leave) await cluster.time.settle(last.mesh.stop());
      else last.process.crash();
      await cluster.time.advance(40_000);
      const again = cluster.build(3, "edge", { kind: "member", credentials, contacts });
      cluster.nodes.push(again);
      await cluster.time.settle(again.mesh.start());
      await cluster.time.advance(5000);
      for (const viewer of cluster.nodes.slice(0, 3)) expect(stateOf(viewer, again)).toBe("alive");
    }
  });

  it("M4: gossip reaches one that died lately, and nobody who died long ago", async () => {
    const lone = new LoneMember();
    for (let n = 1; n <= 3; n++) lone.meet(n);
    const dead = idOf(signerOf(3));
    lone.say(1, "gossip", 0, [], [lone.accusation(1, dead, "dead")]);
    const gossips = (): number => lone.ofKind("gossip").filter(({ to }) => to === dead).length;
    await lone.time.advance(5000);
    expect(gossips()).toBeGreaterThan(0);
    await lone.time.advance(LAN.gossipToTheDeadMs);
    const before = gossips();
    for (let second = 0; second < 20; second++) {
      lone.meet(10 + second);
      await lone.time.advance(1000);
    }
    expect(gossips()).toBe(before);
  });
});

describe("profiles", () => {
  it("relaxed suspects a silent member within 15 s and declares it dead within 30 s of its silence, in the median of 9 seeds", async () => {
    const [suspected, dead]: [number[], number[]] = [[], []];
    for (let seed = 231; seed < 240; seed++) {
      const cluster = new Cluster(seed, CALM);
      await cluster.boot(8, { membership: "relaxed" });
      await cluster.time.advance(20_000);
      const victim = cluster.node(7);
      victim.process.crash(true);
      const from = cluster.time.monotonicMs();
      const first = cluster.node(0);
      const sees = (state: string) => () =>
        first.mesh.members().some(({ node, state: now }) => node === victim.id && now === state);
      await cluster.time.advanceUntil(sees("suspect"), 120_000);
      suspected.push(cluster.time.monotonicMs() - from);
      await cluster.time.advanceUntil(sees("dead"), 120_000);
      dead.push(cluster.time.monotonicMs() - from);
    }
    const median = (values: number[]): number => values.sort((a, b) => a - b)[4] ?? 0;
    expect(median(suspected)).toBeLessThanOrEqual(15_000);
    expect(median(dead)).toBeLessThanOrEqual(30_500);
  }, 60_000);
});
