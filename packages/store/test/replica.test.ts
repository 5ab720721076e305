import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Journal } from "@glia-os/abi/ports";
import { describe, expect, it } from "vitest";
import { createMemoryJournal } from "../src/journal/memory.ts";
import type { JournalRequest } from "../src/journal/request.ts";
import { batchOf, journalContract, readAll } from "../src/journal/testing.ts";
import { createMemoryKeyValue } from "../src/key-value/memory.ts";
import { performAll } from "../src/replica/perform.ts";
import { openReplicaJournal, ReplicaMember } from "../src/replica/replica-journal.ts";
import { nodeNamed } from "../src/testing.ts";
import { dumpOf, ReplicaCluster } from "./fixtures/replica-cluster.ts";
import { sequence } from "./fixtures/seeds.ts";

const SEEDS = process.env["GLIA_SOAK"] === "1" ? 60 : 1;
const [A, B, C] = ["a", "b", "c"].map(nodeNamed) as [NodeId, NodeId, NodeId];

describe.each([
  ["three members, one copy", "abc", 1],
  ["two members, one copy", "ab", 1],
  ["five members, two copies", "abcde", 2],
] as const)("the journal contract on %s", (_name, names, copies) => {
  it.each(journalContract.map(({ title, run }) => [title, run] as const))("%s", async (_title, run) => {
    await run({ open: async (limits = {}) => (await ReplicaCluster.of(names, copies, limits)).lead(A) });
  });
});

describe("the journal contract on three members that are reached by calls", () => {
  it.each(journalContract.map(({ title, run }) => [title, run] as const))("%s", async (_title, run) => {
    await run({ open: async (limits = {}) => (await ReplicaCluster.of("abc", 1, limits)).leadByCalls(A) });
  });
});

describe("a leader", () => {
  it("T1, M1: that another node took over from writes nothing and answers nothing more", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    const old = await cluster.lead(A);
    await old.append(batchOf("d", 1, 1));
    const next = await cluster.lead(B);
    await next.append(batchOf("d", 1, 2, 3));
    expect(await codeOf(old.append(batchOf("d", 1, 2)))).toBe("store.replica-lost");
    expect(await codeOf(old.head("d"))).toBe("store.replica-lost");
    expect(await readAll(next, "d")).toEqual([batchOf("d", 1, 1), batchOf("d", 1, 2, 3)]);
  });

  it("L3: that hears nobody answers no read: it might be old", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    const old = await cluster.lead(A);
    await old.append(batchOf("d", 1, 1));
    for (const link of ["a>b", "a>c"]) cluster.cut.add(link);
    const next = await cluster.lead(B);
    await next.append(batchOf("d", 1, 2));
    expect(await codeOf(old.head("d"))).toBe("store.replica-lost");
  });

  it("L2, T2: whose record reached too few says that its outcome is unknown, and the next one decides", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    const old = await cluster.lead(A);
    await old.append(batchOf("d", 1, 1));
    for (const link of ["a>b", "a>c"]) cluster.cut.add(link);
    expect(await codeOf(old.append(batchOf("d", 1, 2, 2)))).toBe("store.outcome-unknown");
    cluster.cut.clear();
    const next = await cluster.lead(B);
    // A promised too: what it wrote alone is found on it, as the newest, and kept.
    expect((await next.head("d"))?.nextSeq).toBe(4);
    cluster.down(A);
    const last = await cluster.lead(C);
    expect((await last.head("d"))?.nextSeq).toBe(4);
  });

  it("C1: what a deposed leader wrote alone is removed from it when others acknowledged something else", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    const old = await cluster.lead(A);
    await old.append(batchOf("d", 1, 1));
    for (const link of ["a>b", "a>c", "b>a"]) cluster.cut.add(link);
    expect(await codeOf(old.append({ ...batchOf("d", 1, 2), body: Uint8Array.of(99) }))).toBe(
      "store.outcome-unknown",
    );
    const next = await cluster.lead(B);
    await next.append(batchOf("d", 1, 2));
    cluster.cut.clear();
    expect(await next.mend()).toBe(2);
    await next.append(batchOf("d", 1, 3));
    const again = await cluster.lead(A);
    expect(await readAll(again, "d")).toEqual([1, 2, 3].map((seq) => batchOf("d", 1, seq)));
  });

  it("L4: a member that was away is caught up by whole segments, and then counts", async () => {
    const cluster = await ReplicaCluster.of("abc", 1, { segmentBytes: 4_096 });
    const leader = await cluster.lead(A);
    await leader.append(batchOf("d", 1, 1, 3_000));
    cluster.down(C);
    for (let seq = 3_001; seq < 60_000; seq += 3_000) await leader.append(batchOf("d", 1, seq, 3_000));
    cluster.start(C);
    const before = cluster.segmentsTaken;
    expect(await leader.mend()).toBe(2);
    expect(cluster.segmentsTaken - before).toBeGreaterThan(5);
    cluster.down(B);
    await leader.append(batchOf("d", 2, 60_001));
    cluster.down(A);
    cluster.start(B);
    const next = await cluster.lead(C);
    expect((await next.head("d"))?.nextSeq).toBe(60_002);
  });

  it("with too few members refuses changes and changes nothing, and goes on when one is back", async () => {
    const cluster = await ReplicaCluster.of("abc", 2);
    const leader = await cluster.lead(A);
    cluster.down(C);
    expect(await codeOf(leader.append(batchOf("d", 1, 1)))).toBe("store.outcome-unknown");
    expect(await codeOf(cluster.lead(A))).toBe("store.replica-short");
    cluster.start(C);
    const again = await cluster.lead(A);
    await again.append(batchOf("d", 1, ((await again.head("d"))?.nextSeq ?? 1) as number));
    const short = await ReplicaCluster.of("abc", 1);
    const led = await short.lead(A);
    short.down(B);
    await led.append(batchOf("d", 1, 1));
    short.down(C);
    expect(await codeOf(led.append(batchOf("d", 1, 2)))).toBe("store.outcome-unknown");
  });
});

describe("a takeover", () => {
  it("T3: counts no member that lost its disk", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    const leader = await cluster.lead(A);
    cluster.down(C);
    await leader.append(batchOf("d", 1, 1));
    cluster.down(A);
    cluster.start(C);
    cluster.wipe(B);
    expect(await codeOf(cluster.lead(C))).toBe("store.replica-short");
    cluster.start(A);
    const next = await cluster.lead(C);
    expect((await next.head("d"))?.nextSeq).toBe(2);
  });

  it("C2, T3: counts no member over which a copy was broken off, beside one that is older than the copy", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    const leader = await cluster.lead(B);
    cluster.down(C);
    await leader.append(batchOf("d", 1, 1));
    // B wrote one more alone, and stopped before it noted its number.
    cluster.stop = { step: "put", when: "before" };
    expect(await codeOf(leader.append(batchOf("d", 1, 2)))).not.toBe("answered");
    cluster.start(B);
    // A leads. It makes B its copy, and B stops in the middle of that.
    cluster.stop = { step: "remove", when: "after" };
    expect(await codeOf(cluster.lead(A))).toBe("store.replica-short");
    expect(cluster.stopped).toBe(B);
    cluster.down(A);
    cluster.start(B);
    cluster.start(C);
    expect(await codeOf(cluster.lead(C))).toBe("store.replica-short");
    cluster.start(A);
    const next = await cluster.lead(C);
    expect((await next.head("d"))?.nextSeq).toBe(2);
  });

  it("R3: a group is founded with all members or not at all, and only on empty journals", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    cluster.down(C);
    expect(await codeOf(cluster.lead(A))).toBe("store.replica-short");
    cluster.start(C);
    const leader = await cluster.lead(B);
    await leader.append(batchOf("d", 1, 1));
    const used = await ReplicaCluster.of("abc", 1);
    await (used.nodes.get(B) as { journal: Journal }).journal.append(batchOf("other", 1, 1));
    expect(await codeOf(used.lead(A))).toBe("store.replica-foreign");
  });

  it("R1: of two nodes that take over at once, at most one leads", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    await cluster.lead(A);
    const both = await Promise.allSettled([cluster.lead(B), cluster.lead(C)]);
    const led = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const taken = await Promise.allSettled(led.map((journal) => journal.append(batchOf("d", 1, 1))));
    expect(taken.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(1);
  });

  it("R2: with other members or copies than the group was founded with is refused", async () => {
    const cluster = await ReplicaCluster.of("abc", 1);
    await cluster.lead(A);
    const other = await ReplicaCluster.of("abc", 1);
    const { session, member } = cluster.nodes.get(A) as never as Parameters<typeof openReplicaJournal>[0];
    const options = { group: "g", session, member, coordination: cluster.coordination, copies: 2 };
    const opening = openReplicaJournal({ ...options, members: other.members, port: { call: () => never() } });
    expect(await codeOf(opening)).toBe("store.replica-foreign");
  });

  it("M1: a member refuses nodes that are none of its group, and a damaged promise is refused by name", async () => {
    const control = createMemoryKeyValue();
    await control.put("replica/g", new TextEncoder().encode('{"promised":-1}'), 0);
    const parts = { group: "g", members: [A, B], journal: createMemoryJournal() };
    const member = new ReplicaMember({ ...parts, control });
    const prepare = { kind: "prepare", group: "g", term: 1 } as const;
    expect(await member.handle(C, prepare)).toMatchObject({ refused: { code: "store.replica-foreign" } });
    expect(await member.handle(A, { ...prepare, group: "h" })).toMatchObject({
      refused: { code: "store.replica-foreign" },
    });
    expect(await member.handle(A, prepare)).toMatchObject({ refused: { code: "store.corrupt" } });
  });

  it.each([
    [{ group: "" }],
    [{ group: "x".repeat(65) }],
    [{ group: "a b" }],
    [{ members: [A] }],
    [{ members: [A, A] }],
    [{ members: [B, C] }],
    [{ members: Array.from({ length: 17 }, (_, i) => i.toString(16).padStart(64, "a")) as never }],
    [{ members: [A, "b" as never] }],
    [{ members: 7 as never }],
    [{ copies: 0 }],
    [{ copies: 3 }],
    [{ queueLimit: 0 }],
  ])("the option %j is refused", async (option) => {
    const cluster = await ReplicaCluster.of("abc", 1);
    const { session, member } = cluster.nodes.get(A) as never as Parameters<typeof openReplicaJournal>[0];
    const { coordination, members } = cluster;
    const options = { group: "g", members, copies: 1, session, member, coordination };
    const opening = openReplicaJournal({ ...options, port: { call: () => never() }, ...option });
    expect(await codeOf(opening)).toBe("abi.malformed");
  });
});

describe("a node that stops at any step, disk writes and messages alike", () => {
  for (let seed = 1; seed <= SEEDS; seed++)
    it.each(["before", "after"] as const)(
      `loses nothing acknowledged and leaves no request in part, %s each step, seed ${seed}`,
      async (when) => {
        const whole = await runWithStop(seed, undefined);
        for (let step = 1; step <= whole.steps; step++) await runWithStop(seed, { step, when });
        expect(whole.steps).toBeGreaterThan(100);
      },
    );
});

/** A life of a group: a script under one leader, a second, and after everybody is back a third. */
async function runWithStop(
  seed: number,
  stop: { step: number; when: "before" | "after" } | undefined,
): Promise<ReplicaCluster> {
  const chance = sequence(seed);
  const cluster = await ReplicaCluster.of("abc", 1, { segmentBytes: 4_096 });
  cluster.stop = stop;
  const label = `seed ${seed}, ${stop?.when} step ${stop?.step}`;
  let history: readonly JournalRequest[] = [];
  let unknown: readonly JournalRequest[] = [];
  for (const leader of [A, B, C]) {
    if (leader === C && cluster.stopped !== undefined) cluster.start(cluster.stopped);
    const { journal, dump } = await leadWith(cluster, leader, label);
    history = await held(dump, history, unknown, label);
    unknown = [];
    for (let i = 0; i < 8 && unknown.length === 0; i++) {
      const request = await nextRequest(history, chance);
      const answer = await performAll(journal, [request]).then(
        ([one]) => one,
        () => undefined,
      );
      if (answer !== undefined && "reply" in answer) history = [...history, request];
      else unknown = [request];
    }
    if (unknown.length === 0) await journal.mend().catch(() => 0);
  }
  const last = await leadWith(cluster, C, label);
  await held(last.dump, history, unknown, label);
  return cluster;
}

/** Lead by the node and read everything, or by another one where it is down or was stopped while it tried. */
async function leadWith(cluster: ReplicaCluster, leader: NodeId, label: string) {
  const refusals: unknown[] = [];
  for (const id of [leader, ...cluster.members, ...cluster.members]) {
    if (!cluster.nodes.get(id)?.up) continue;
    try {
      const journal = await cluster.lead(id);
      return { journal, dump: await dumpOf(journal) };
    } catch (error) {
      refusals.push(error);
      // A group is founded by all its members.
      if (errorCodeOf(error) === "store.replica-short" && cluster.stopped !== undefined)
        cluster.start(cluster.stopped);
    }
  }
  return expect.fail(`${label}: nobody could lead: ${refusals.map(String).join("; ")}`);
}

/** What was acknowledged is there, and what was not is there whole or not at all. Returns what is there. */
async function held(
  found: string,
  history: readonly JournalRequest[],
  unknown: readonly JournalRequest[],
  label: string,
): Promise<readonly JournalRequest[]> {
  const possible = [history, [...history, ...unknown]];
  const dumps = await Promise.all(possible.map(async (each) => dumpOf(await twinOf(each))));
  expect(dumps, label).toContain(found);
  return possible[dumps.indexOf(found)] as readonly JournalRequest[];
}

async function twinOf(history: readonly JournalRequest[]): Promise<Journal> {
  const twin = createMemoryJournal({ limits: { segmentBytes: 4_096 } });
  await performAll(twin, history);
  return twin;
}

async function nextRequest(
  history: readonly JournalRequest[],
  chance: () => number,
): Promise<JournalRequest> {
  const twin = await twinOf(history);
  const domain = `d${Math.floor(chance() * 3)}`;
  const head = await twin.head(domain);
  const kind = chance();
  if (head === undefined || kind < 0.7) {
    const count = chance() < 0.3 ? 2_500 : 3;
    const epoch = (head?.epoch ?? 1) + (chance() < 0.2 ? 1 : 0);
    const batch = batchOf(domain, epoch, head?.nextSeq ?? 1, count);
    return { op: "append", ...batch, body: batch.body.map((byte) => byte ^ Math.floor(chance() * 256)) };
  }
  if (kind < 0.8) return { op: "seal", domain };
  const [first, second] = await twin.segments(domain);
  if (kind < 0.9 && first !== undefined && second !== undefined)
    return { op: "truncate", domain, beforeSeq: second.firstSeq };
  return { op: "remove", domain };
}

function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(() => "answered", errorCodeOf);
}

function never(): never {
  throw new RangeError("nobody is to be called");
}
