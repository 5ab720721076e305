/** Admission after the join: renewal, certificates that end, removal, and successors of the cluster key. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { toHex } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { CLOCK_SKEW_MS, openCertificate } from "../src/admission/certificate.ts";
import {
  ClusterKeys,
  credentialsOf,
  SUCCESSIONS_MAX,
  signSuccession,
} from "../src/admission/cluster-keys.ts";
import { formatJoinLine } from "../src/admission/join-line.ts";
import { REMOVALS_MAX, Removals } from "../src/admission/removals.ts";
import { parseJoinLine } from "../src/index.ts";
import { CALM } from "../src/testing/index.ts";
import { Cluster, type TestNode } from "./cluster.ts";
import { digests, idOf, signerOf } from "./digests.ts";

const HOUR = 3_600_000;
const clusterKey = signerOf(0, "cluster");
const nextKey = signerOf(1, "cluster");

async function codeOf(cluster: Cluster, promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await cluster.time.settle(promise);
    return undefined;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  }
}

const seesAlive = (viewer: TestNode, subject: TestNode): boolean =>
  viewer.mesh.members().some(({ node, state }) => node === subject.id && state === "alive");
const expiryOf = ({ mesh }: TestNode, key = clusterKey): number =>
  openCertificate(digests, key.publicKey, mesh.credentials().certificate).expiresMs;
const downs = ({ events }: TestNode): number => events.filter(({ kind }) => kind === "sessionDown").length;

describe("renewal", () => {
  it("RN1: every certificate is renewed before it ends, over many lifetimes, and no session is dropped for it", async () => {
    const cluster = new Cluster(101);
    const ttlMs = 720_000;
    await cluster.boot(4, { certificateTtlMs: ttlMs });
    const first = cluster.nodes.map((node) => expiryOf(node));
    await cluster.time.advance(5 * ttlMs);
    for (const [n, node] of cluster.nodes.entries()) {
      expect(expiryOf(node), `node ${n}`).toBeGreaterThan((first[n] ?? 0) + 4 * ttlMs);
      expect(node.events.some(({ kind }) => kind === "credentialsChanged")).toBe(true);
      expect(downs(node), "live sessions stay").toBe(0);
      for (const other of cluster.nodes) expect(seesAlive(node, other)).toBe(true);
    }
  });

  it("RN2: while the holder of the key is away renewal is tried again, and succeeds when it is back", async () => {
    const cluster = new Cluster(102);
    await cluster.boot(3, { certificateTtlMs: HOUR });
    const member = cluster.node(1);
    const before = expiryOf(member);
    cluster.network.partition([cluster.anchor.id]);
    await cluster.time.advance(50 * 60_000);
    expect(expiryOf(member)).toBe(before);
    cluster.network.heal();
    await cluster.time.advance(15 * 60_000);
    expect(expiryOf(member)).toBeGreaterThan(before);
  });

  it("RN3: a node without the cluster key renews nobody, and nobody is renewed for another node", async () => {
    const cluster = new Cluster(103);
    await cluster.boot(3);
    const asked = cluster.node(1).mesh.call(cluster.node(2).id, "member.renew", new Uint8Array(0));
    expect(await codeOf(cluster, asked)).toBe("mesh.no-cluster-key");
    const answer = await cluster.time.settle(
      cluster.node(1).mesh.call(cluster.anchor.id, "member.renew", Uint8Array.of(1, 2, 3)),
    );
    expect(answer.length, "what is asked has no say").toBeGreaterThan(0);
  });

  it("S8: a session ends with its peer's certificate when that was not renewed, and both sides say why", async () => {
    const cluster = new Cluster(104);
    await cluster.boot(3, { certificateTtlMs: 60_000 });
    // Nobody answers for the cluster key any more, and the members keep talking to each other.
    cluster.anchor.process.crash();
    const [one, other] = [cluster.node(1), cluster.node(2)];
    await cluster.time.advance(30_000);
    expect(seesAlive(one, other)).toBe(true);
    await cluster.time.advance(60_000 + CLOCK_SKEW_MS + 60_000);
    const codes = one.events.flatMap((event) => (event.kind === "refused" ? [event.code] : []));
    expect(codes).toContain("mesh.certificate-expired");
    expect(seesAlive(one, other)).toBe(false);
  });
});

describe("removal", () => {
  it("RM1, ST5: a removed node is out of every view, refused everywhere, and comes back only with a line made afterwards", async () => {
    const cluster = new Cluster(111);
    await cluster.boot(5);
    const gone = cluster.node(4);
    const others = cluster.nodes.slice(0, 4);
    const credentials = gone.mesh.credentials();
    const contacts = others.map(({ mesh }) => mesh.address ?? { host: "", port: 0 });
    cluster.anchor.mesh.remove(gone.id);
    await cluster.time.advance(5000);
    for (const node of others) {
      expect(node.mesh.members().some(({ node: id }) => id === gone.id)).toBe(false);
      expect(
        node.events.filter((event) => event.kind === "memberRemoved" && event.member.node === gone.id),
      ).toHaveLength(1);
    }
    expect(
      await codeOf(cluster, gone.mesh.call(others[1]?.id as never, "x", new Uint8Array(0))),
    ).toBeDefined();
    await cluster.time.settle(gone.mesh.stop());
    for (const contact of contacts) {
      const start = { kind: "member", credentials, contacts: [contact] } as const;
      const again = cluster.build(4, "edge", start, { bootEpoch: 2 });
      expect(await codeOf(cluster, again.mesh.start())).toBe("mesh.node-removed");
    }
    const old = cluster.build(4, "edge", { kind: "join", line: cluster.joinLine }, { bootEpoch: 3 });
    expect(await codeOf(cluster, old.mesh.start()), "the old token").toBe("mesh.node-removed");
    await cluster.time.advance(1);
    const line = cluster.anchor.mesh.createJoinLine({ ttlMs: 60_000, uses: 1 });
    const back = cluster.build(4, "edge", { kind: "join", line }, { bootEpoch: 4 });
    await cluster.time.settle(back.mesh.start());
    await cluster.time.advance(40_000);
    for (const node of others) expect(seesAlive(node, back)).toBe(true);
  });

  it("RM1: a node that was cut off learns of a removal when it is connected again", async () => {
    const cluster = new Cluster(112);
    await cluster.boot(5);
    const [anchor, cut, gone] = [cluster.anchor, cluster.node(3), cluster.node(4)];
    cluster.network.partition([cut.id, gone.id]);
    await cluster.time.advance(5000);
    anchor.mesh.remove(gone.id);
    await cluster.time.advance(60_000);
    expect(seesAlive(cut, gone), "not known there yet").toBe(true);
    cluster.network.heal();
    const known = () => !cut.mesh.members().some(({ node }) => node === gone.id);
    expect(await cluster.time.advanceUntil(known, 90_000)).toBe(true);
    for (const node of cluster.nodes.slice(0, 4)) expect(seesAlive(node, gone)).toBe(false);
  });

  it("removals are kept with the credentials and hold after a restart of the founder", async () => {
    const cluster = new Cluster(113);
    await cluster.boot(2);
    const [founder, gone] = [cluster.anchor, cluster.node(1)];
    const theirs = gone.mesh.credentials();
    founder.mesh.remove(gone.id);
    await cluster.time.advance(1000);
    const credentials = founder.mesh.credentials();
    expect(credentials.removals).toHaveLength(1);
    await cluster.time.settle(gone.mesh.stop());
    await cluster.time.settle(founder.mesh.stop());
    const start = { kind: "member", credentials, contacts: [], clusterSigner: clusterKey } as const;
    const again = cluster.build(0, "core", start, { bootEpoch: 2 });
    await cluster.time.settle(again.mesh.start());
    const contacts = [again.mesh.address ?? { host: "", port: 0 }];
    const retry = cluster.build(
      1,
      "edge",
      { kind: "member", credentials: theirs, contacts },
      { bootEpoch: 2 },
    );
    expect(await codeOf(cluster, retry.mesh.start())).toBe("mesh.node-removed");
  });

  it("RM4: a removal outlives the key that signed it: members come back, newcomers learn of it, and whoever was admitted again stays", async () => {
    const cluster = new Cluster(114);
    await cluster.boot(6);
    const [gone, returned] = [cluster.node(4), cluster.node(5)];
    const kept = gone.mesh.credentials();
    cluster.anchor.mesh.remove(gone.id);
    cluster.anchor.mesh.remove(returned.id);
    await cluster.time.advance(5000);
    for (const { mesh } of [gone, returned]) await cluster.time.settle(mesh.stop());
    const line = cluster.anchor.mesh.createJoinLine({ ttlMs: HOUR, uses: 1 });
    const again = cluster.build(5, "edge", { kind: "join", line }, { bootEpoch: 2 });
    await cluster.time.settle(again.mesh.start());
    cluster.anchor.mesh.rotateClusterKey(nextKey, { overlapMs: 0 });
    await cluster.time.advance(10_000);
    expect([seesAlive(cluster.node(1), again), downs(again)], "was admitted again").toEqual([true, 0]);
    await cluster.time.advance(CLOCK_SKEW_MS);
    const contacts = [cluster.anchor.mesh.address ?? { host: "", port: 0 }];
    const credentials = cluster.node(1).mesh.credentials();
    await cluster.time.settle(cluster.node(1).mesh.stop());
    const start = { kind: "member", credentials, contacts } as const;
    const back = cluster.build(1, "edge", start, { bootEpoch: 2 });
    await cluster.time.settle(back.mesh.start());
    const late = cluster.build(4, "edge", { kind: "member", credentials: kept, contacts }, { bootEpoch: 2 });
    expect(await codeOf(cluster, late.mesh.start())).toMatch(/^mesh\.(certificate-invalid|node-removed)$/);
    const newcomer = await cluster.join(9, "edge");
    await cluster.time.advance(60_000);
    expect(newcomer.mesh.credentials().removals).toHaveLength(2);
    for (const node of [cluster.anchor, back, newcomer]) {
      expect([seesAlive(node, again), seesAlive(node, gone)]).toEqual([true, false]);
      const refused = node.events.flatMap((event) => (event.kind === "refused" ? [event.node] : []));
      expect([...new Set(refused)].filter((id) => id !== gone.id && id !== returned.id)).toEqual([]);
    }
  });

  it("only the holder of the cluster key removes and rotates, not itself, and not for a negative time", async () => {
    const cluster = new Cluster(114);
    await cluster.boot(3);
    const code = (run: () => void): string | undefined => {
      try {
        run();
        return undefined;
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    expect(code(() => cluster.node(1).mesh.remove(cluster.node(2).id))).toBe("mesh.no-cluster-key");
    expect(code(() => cluster.anchor.mesh.remove(cluster.anchor.id))).toBe("mesh.invalid-option");
    expect(code(() => cluster.node(1).mesh.rotateClusterKey(nextKey, { overlapMs: 0 }))).toBe(
      "mesh.no-cluster-key",
    );
    expect(code(() => cluster.anchor.mesh.rotateClusterKey(nextKey, { overlapMs: -1 }))).toBe(
      "mesh.invalid-option",
    );
  });

  it("RM2, RM3: the later removal holds, ended ones make room, and one more than the bound is refused", () => {
    const removals = new Removals();
    const node = (n: number) => n.toString(16).padStart(64, "0") as TestNode["id"];
    const put = (n: number, removedMs: number, untilMs: number, wallMs = 0): boolean => {
      const removal = { node: node(n), removedMs, untilMs };
      const wanted = removals.wants(removal, wallMs);
      if (wanted) removals.put(removal, new Uint8Array(1));
      return wanted;
    };
    expect(put(0, 10, 100)).toBe(true);
    expect(put(0, 10, 100)).toBe(false);
    expect(put(0, 20, 100)).toBe(true);
    expect(removals.covers({ node: node(0), issuedMs: 20 })).toBe(true);
    expect(removals.covers({ node: node(0), issuedMs: 21 })).toBe(false);
    expect(put(1, 10, 50, 60), "over already").toBe(false);
    for (let n = 1; n < REMOVALS_MAX; n++) expect(put(n, 10, 100)).toBe(true);
    expect(put(REMOVALS_MAX, 10, 100)).toBe(false);
    expect(put(REMOVALS_MAX, 10, 300, 200), "the others have ended").toBe(true);
  });
});

describe("rotation of the cluster key", () => {
  it("CK1, CK2: members renew under the new key at once, the old one counts for the overlap and not longer, the id stays", async () => {
    const cluster = new Cluster(121);
    await cluster.boot(4);
    const id = cluster.anchor.mesh.cluster;
    const old = cluster.node(3).mesh.credentials();
    await cluster.time.settle(cluster.node(3).mesh.stop());
    cluster.anchor.mesh.rotateClusterKey(nextKey, { overlapMs: HOUR });
    await cluster.time.advance(10_000);
    for (const node of cluster.nodes.slice(0, 3)) {
      expect(node.mesh.cluster).toBe(id);
      expect(node.mesh.credentials().successions).toHaveLength(1);
      expect(expiryOf(node, nextKey), "issued by the new key").toBeGreaterThan(0);
      for (const other of cluster.nodes.slice(0, 3)) expect(seesAlive(node, other)).toBe(true);
    }
    const contacts = [cluster.node(1).mesh.address ?? { host: "", port: 0 }];
    const start = { kind: "member", credentials: old, contacts } as const;
    const back = cluster.build(3, "edge", start, { bootEpoch: 2 });
    await cluster.time.settle(back.mesh.start());
    expect(back.mesh.cluster).toBe(id);
    await cluster.time.settle(back.mesh.stop());
    await cluster.time.advance(HOUR + CLOCK_SKEW_MS);
    const late = cluster.build(3, "edge", start, { bootEpoch: 3 });
    expect(await codeOf(cluster, late.mesh.start())).toBe("mesh.certificate-invalid");
  });

  it("twelve nodes go through two rotations without one session or member lost", async () => {
    for (const seed of [123, 124, 125]) {
      const cluster = new Cluster(seed, { ...CALM, loss: 0.05, jitterMs: 5 });
      await cluster.boot(12);
      await cluster.time.advance(60_000);
      for (const key of [nextKey, signerOf(2, "cluster")]) {
        cluster.anchor.mesh.rotateClusterKey(key, { overlapMs: HOUR });
        await cluster.time.advance(20_000);
        for (const node of cluster.nodes) expect(expiryOf(node, key), `seed ${seed}`).toBeGreaterThan(0);
      }
      for (const node of cluster.nodes) {
        expect(downs(node), `seed ${seed}`).toBe(0);
        expect(node.events.filter(({ kind }) => kind === "memberSuspect" || kind === "refused")).toEqual([]);
      }
    }
  }, 30_000);

  it("a node joins under the new key with a line of the same cluster, and the founder comes back with it", async () => {
    const cluster = new Cluster(122);
    await cluster.boot(2);
    const id = cluster.anchor.mesh.cluster;
    cluster.anchor.mesh.rotateClusterKey(nextKey, { overlapMs: 0 });
    await cluster.time.advance(5000);
    const joiner = await cluster.join(5, "edge");
    expect(joiner.mesh.cluster).toBe(id);
    await cluster.time.advance(5000);
    for (const node of cluster.nodes) expect(seesAlive(node, joiner)).toBe(true);
    const credentials = cluster.anchor.mesh.credentials();
    await cluster.time.settle(cluster.anchor.mesh.stop());
    const contacts = [joiner.mesh.address ?? { host: "", port: 0 }];
    const start = { kind: "member", credentials, contacts, clusterSigner: nextKey } as const;
    const again = cluster.build(0, "core", start, { bootEpoch: 2 });
    await cluster.time.settle(again.mesh.start());
    expect(again.mesh.cluster).toBe(id);
    expect(() => again.mesh.createJoinLine({ ttlMs: 60_000, uses: 1 })).not.toThrow();
  });

  it("a rotation whose outcome was not kept is made once more, to the byte, and never in a second way", async () => {
    const cluster = new Cluster(127);
    await cluster.boot(2);
    const untilMs = cluster.time.wallMs() + HOUR;
    const kept = cluster.anchor.mesh.credentials();
    cluster.anchor.mesh.rotateClusterKey(nextKey, { untilMs });
    await cluster.time.advance(5000);
    const [first] = cluster.anchor.mesh.credentials().successions ?? [];
    await cluster.time.settle(cluster.anchor.mesh.stop());
    const contacts = [cluster.node(1).mesh.address ?? { host: "", port: 0 }];
    const start = { kind: "member", credentials: kept, contacts, clusterSigner: clusterKey } as const;
    const again = cluster.build(0, "core", start, { bootEpoch: 2 });
    await cluster.time.settle(again.mesh.start());
    again.mesh.rotateClusterKey(nextKey, { untilMs });
    await cluster.time.advance(5000);
    for (const { mesh } of [again, cluster.node(1)]) {
      expect(mesh.credentials().successions?.map(toHex)).toEqual([toHex(first ?? new Uint8Array())]);
      expect(credentialsOf(digests, mesh.credentials()).newestKey).toEqual(nextKey.publicKey);
      expect(mesh.validity().current).toBe(true);
    }
    expect(credentialsOf(digests, kept)).toEqual({
      cluster: cluster.node(1).mesh.cluster,
      newestKey: clusterKey.publicKey,
    });
  });

  it("ST6: the founder comes back after its certificate ended, and not with a key that was replaced", async () => {
    const cluster = new Cluster(126);
    await cluster.boot(2, { certificateTtlMs: HOUR });
    cluster.anchor.mesh.rotateClusterKey(nextKey, { overlapMs: 0 });
    const credentials = cluster.anchor.mesh.credentials();
    await cluster.time.settle(cluster.anchor.mesh.stop());
    await cluster.time.advance(3 * HOUR);
    const start = { kind: "member", credentials, contacts: [] } as const;
    const old = cluster.build(0, "core", { ...start, clusterSigner: clusterKey }, { bootEpoch: 2 });
    expect(await codeOf(cluster, old.mesh.start())).toBe("mesh.invalid-option");
    const again = cluster.build(0, "core", { ...start, clusterSigner: nextKey }, { bootEpoch: 3 });
    await cluster.time.settle(again.mesh.start());
    const line = again.mesh.createJoinLine({ ttlMs: 60_000, uses: 1 });
    const back = cluster.build(1, "edge", { kind: "join", line }, { bootEpoch: 2 });
    await cluster.time.settle(back.mesh.start());
    expect(again.mesh.members()).toHaveLength(2);
  });

  it("CK1, CK3: a succession that is forged, of another cluster, forked or one too many is refused", () => {
    const keys = new ClusterKeys(digests, clusterKey.publicKey);
    const code = (bytes: Uint8Array): string | undefined => {
      try {
        return keys.adopt(bytes) ? undefined : "known";
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    const good = signSuccession(clusterKey, keys.cluster, nextKey.publicKey, 10);
    const forged = Uint8Array.from(good);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    expect(code(forged)).toBe("mesh.certificate-invalid");
    expect(code(signSuccession(nextKey, keys.cluster, nextKey.publicKey, 10))).toBe(
      "mesh.certificate-invalid",
    );
    expect(code(signSuccession(clusterKey, "ab".repeat(32) as never, nextKey.publicKey, 10))).toBe(
      "mesh.wrong-cluster",
    );
    expect(code(good)).toBe(undefined);
    expect(code(good)).toBe("known");
    expect(code(signSuccession(clusterKey, keys.cluster, signerOf(9).publicKey, 10))).toBe(
      "mesh.protocol-violation",
    );
    expect(keys.accepts(clusterKey.publicKey, 10 + CLOCK_SKEW_MS)).toBe(true);
    expect(keys.accepts(clusterKey.publicKey, 11 + CLOCK_SKEW_MS)).toBe(false);
    let before = nextKey;
    for (let n = 1; n < SUCCESSIONS_MAX; n++) {
      const next = signerOf(n + 1, "cluster");
      expect(code(signSuccession(before, keys.cluster, next.publicKey, 10))).toBe(undefined);
      before = next;
    }
    expect(code(signSuccession(before, keys.cluster, signerOf(99).publicKey, 10))).toBe(
      "mesh.protocol-violation",
    );
  });
});

describe("joining by several lines", () => {
  it("EN1, ST4: the next introducer is tried when one does not answer; lines of two clusters are refused", async () => {
    const cluster = new Cluster(131, { ...CALM });
    await cluster.boot(1);
    const silent = cluster.anchor.mesh.createJoinLine({ ttlMs: 60_000, uses: 1 });
    const code = async (line: readonly string[]): Promise<string | undefined> =>
      codeOf(cluster, cluster.build(7, "edge", { kind: "join", line }).mesh.start());
    expect(await code([])).toBe("mesh.invalid-option");
    expect(await code(Array.from({ length: 17 }, () => silent))).toBe("mesh.invalid-option");
    const foreign = formatJoinLine(
      { ...parseJoinLine(cluster.joinLine, digests), cluster: "ab".repeat(32) as never },
      digests,
    );
    expect(await code([cluster.joinLine, foreign])).toBe("mesh.wrong-cluster");
    const elsewhere = { ...parseJoinLine(silent, digests), address: { host: "memory", port: 9 } };
    const introducer = idOf(signerOf(40));
    const line = formatJoinLine({ ...elsewhere, introducer }, digests);
    expect(await code([line, cluster.joinLine])).toBe(undefined);
  });

  it("EN2: an introducer that answers only in the second round still admits", async () => {
    const cluster = new Cluster(133);
    await cluster.boot(1);
    cluster.network.partition([cluster.anchor.id]);
    const joiner = cluster.build(1, "edge", { kind: "join", line: cluster.joinLine });
    const starting = joiner.mesh.start();
    await cluster.time.advance(100);
    cluster.network.heal();
    await cluster.time.settle(starting);
    expect(cluster.anchor.mesh.members()).toHaveLength(2);
  });

  it("EN2: nobody there ends with introducer-unreachable after three rounds, and no timer is left", async () => {
    const cluster = new Cluster(134);
    await cluster.boot(1);
    cluster.network.partition([cluster.anchor.id]);
    const before = cluster.time.monotonicMs();
    const joiner = cluster.build(1, "edge", { kind: "join", line: cluster.joinLine });
    expect(await codeOf(cluster, joiner.mesh.start())).toBe("mesh.introducer-unreachable");
    const tookMs = cluster.time.monotonicMs() - before;
    expect(tookMs).toBeGreaterThan(400);
    expect(tookMs).toBeLessThan(5000);
  });
});
