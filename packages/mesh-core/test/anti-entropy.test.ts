/** Tables compared by digest, exchanged in parts, verified in slices. */
import type { NodeId } from "@glia-os/abi/ids";
import type { Digests, TimerHandle, Timers } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Certificate, issueCertificate } from "../src/admission/certificate.ts";
import { ClusterKeys } from "../src/admission/cluster-keys.ts";
import { Removals } from "../src/admission/removals.ts";
import { type Envelope, encodeCbor } from "../src/index.ts";
import { ANSWERS_PER_PEER, PART_STATEMENTS } from "../src/membership/anti-entropy.ts";
import {
  Intake,
  SLICE_STATEMENTS,
  SLICE_VERIFICATIONS,
  WAITING_MAX,
  WAITING_PER_PEER_MAX,
} from "../src/membership/intake.ts";
import { MemberTable } from "../src/membership/member-table.ts";
import { Membership } from "../src/membership/membership.ts";
import { MEMBERSHIP_PROFILES } from "../src/membership/parameters.ts";
import { Statements } from "../src/membership/statement.ts";
import { ViewDigest } from "../src/membership/view-digest.ts";
import { SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { Cluster } from "./cluster.ts";
import { digests, idOf, signerOf } from "./digests.ts";

const clusterKey = signerOf(0, "cluster");
const nodeOf = (n: number): NodeId => digestHex(n) as NodeId;

function digestHex(n: number): string {
  const bytes = digests.sha256(Uint8Array.of(n & 255, (n >> 8) & 255, (n >> 16) & 255));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const certificateOf = (n: number): Certificate => ({
  node: nodeOf(n),
  nodeKey: new Uint8Array(32),
  role: "edge",
  issuedMs: 0,
  expiresMs: 1e15,
});

function put(table: MemberTable, n: number, incarnation: number): void {
  const record = { name: "n", address: { host: "h", port: 1 }, bootEpoch: 1, incarnation, left: false };
  table.put(certificateOf(n), record, new Uint8Array(1), 0);
}

/** Timers that note the most a count grew by within one firing: one turn of the event loop. */
class Turns implements Timers {
  readonly #timers: Timers;
  readonly #count: () => number;
  most = 0;

  constructor(timers: Timers, count: () => number) {
    this.#timers = timers;
    this.#count = count;
  }

  schedule(delayMs: number, fire: () => void): TimerHandle {
    return this.#timers.schedule(delayMs, () => this.turn(fire));
  }

  turn(run: () => void): void {
    const before = this.#count();
    run();
    this.most = Math.max(this.most, this.#count() - before);
  }
}

describe("the digest of a view", () => {
  it("VD1: it is the same for the same rows whatever the order they came in, and differs in exactly the changed buckets", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(2000), { minLength: 1, maxLength: 60 }), fc.nat(59), (ids, which) => {
        const [one, other] = [new MemberTable(), new MemberTable()];
        for (const n of ids) put(one, n, n % 7);
        for (const n of [...ids].reverse()) put(other, n, n % 7);
        const digestOf = (table: MemberTable) => new ViewDigest(table, new Removals(), digests);
        expect(digestOf(one).bytes()).toEqual(digestOf(other).bytes());
        const changed = ids[which % ids.length] as number;
        put(other, changed, 99);
        const bits = digestOf(one).difference(digestOf(other).bytes());
        const bucket = Number.parseInt(nodeOf(changed).slice(0, 2), 16);
        const set = Array.from({ length: 256 }, (_, i) => i).filter(
          (i) => ((bits[i >> 3] ?? 0) & (1 << (i & 7))) !== 0,
        );
        expect(set).toEqual([bucket]);
      }),
      { numRuns: 100 },
    );
  });

  it("VD2: a bucket that did not change is not hashed again", () => {
    let hashed = 0;
    const counting: Digests = {
      ...digests,
      sha256: (bytes) => {
        hashed++;
        return digests.sha256(bytes);
      },
    };
    const table = new MemberTable();
    for (let n = 0; n < 1000; n++) put(table, n, 0);
    const digest = new ViewDigest(table, new Removals(), counting);
    digest.bytes();
    const first = hashed;
    expect(first).toBeLessThanOrEqual(256);
    digest.bytes();
    expect(hashed).toBe(first);
    put(table, 5, 3);
    digest.bytes();
    expect(hashed).toBe(first + 1);
  });

  it("a removal changes the bucket of its node", () => {
    const table = new MemberTable();
    const removals = new Removals();
    const digest = new ViewDigest(table, removals, digests);
    const before = digest.bytes();
    removals.put({ node: nodeOf(1), removedMs: 5, untilMs: 9 }, new Uint8Array(1));
    table.touch(nodeOf(1));
    expect(digest.bytes()).not.toEqual(before);
  });
});

describe("the intake", () => {
  const batch = (peer: number, count: number) => ({
    peer: nodeOf(peer),
    statements: Array.from({ length: count }, () => new Uint8Array(1)),
  });

  function intake(verificationsEach = 2) {
    const time = new VirtualTime();
    const state = { verified: 0, heard: 0, shed: 0, refused: 0 };
    const verifying = new Turns(time, () => state.verified);
    const hearing = new Turns(verifying, () => state.heard);
    const made = new Intake({
      timers: hearing,
      hear: () => {
        state.heard++;
        state.verified += verificationsEach;
        return { type: "succession", bytes: new Uint8Array(0), succession: new Uint8Array(0) };
      },
      verifications: () => state.verified,
      refused: () => void state.refused++,
      shed: (count) => {
        state.shed += count;
      },
    });
    return { time, state, made, verifying, hearing };
  }

  it("IN1: never more than a slice between two turns of the event loop", async () => {
    for (const each of [0, 1, 2]) {
      const { time, state, made, verifying, hearing } = intake(each);
      verifying.turn(() => hearing.turn(() => made.offer(batch(1, 5000))));
      expect(state.heard).toBeLessThanOrEqual(SLICE_STATEMENTS);
      await time.advance(0);
      expect(state.heard).toBe(5000);
      expect(made.waiting).toBe(0);
      expect(verifying.most).toBeLessThanOrEqual(SLICE_VERIFICATIONS);
      expect(hearing.most).toBeLessThanOrEqual(SLICE_STATEMENTS);
    }
  });

  it("IN1: a small batch is heard at once, and many small ones share the slice", async () => {
    const { time, state, made } = intake();
    made.offer(batch(1, 3));
    expect(state.heard).toBe(3);
    for (let n = 0; n < 100; n++) made.offer(batch(2, 3));
    expect(state.verified).toBeLessThanOrEqual(SLICE_VERIFICATIONS);
    while (made.waiting > 0) await time.advance(0);
    expect(state.heard).toBe(303);
  });

  it("IN2: what waits is bounded per peer and in all; more is dropped whole and counted", () => {
    const { state, made } = intake();
    expect(made.offer(batch(1, WAITING_PER_PEER_MAX))).toBe(true);
    expect(made.offer(batch(1, WAITING_PER_PEER_MAX))).toBe(false);
    expect(state.shed).toBe(WAITING_PER_PEER_MAX);
    for (let peer = 2; made.waiting + PART_STATEMENTS <= WAITING_MAX; peer++)
      expect(made.offer(batch(peer, PART_STATEMENTS))).toBe(true);
    expect(made.offer(batch(99, PART_STATEMENTS))).toBe(false);
    expect(made.waiting).toBeLessThanOrEqual(WAITING_MAX);
  });

  it("IN3: a refused statement ends its batch and reports the peer, and the next batch is heard", () => {
    const time = new VirtualTime();
    const refused: NodeId[] = [];
    let heard = 0;
    const made = new Intake({
      timers: time,
      hear: (statement) => {
        heard++;
        if (statement[0] === 1) throw new TypeError("refused");
        return { type: "succession", bytes: statement, succession: statement };
      },
      verifications: () => 0,
      refused: (peer) => void refused.push(peer),
      shed: () => undefined,
    });
    const statements = [0, 1, 0, 0].map((byte) => Uint8Array.of(byte));
    made.offer({ peer: nodeOf(1), statements });
    made.offer({ peer: nodeOf(2), statements: [Uint8Array.of(0)] });
    expect(refused).toEqual([nodeOf(1)]);
    expect(heard).toBe(3);
    expect(made.waiting).toBe(0);
  });
});

describe("an exchange of 5,000 members", () => {
  const MEMBERS = 5000;

  /** A machine whose messages go to `sent`, with its verifications counted. */
  function machine(n: number, count: { verified: number }) {
    const time = new VirtualTime();
    const turns = new Turns(time, () => count.verified);
    // Signatures are the hash of key and message here: the test counts verifications, it does not time them.
    const cheap: Digests = {
      ...digests,
      verify: (key, message, signature) => {
        count.verified++;
        return Buffer.from(cheapSign(key, message)).equals(signature);
      },
    };
    const keys = new ClusterKeys(cheap, clusterKey.publicKey);
    const signer = cheapSigner(signerOf(n).publicKey);
    const statements = new Statements(cheap, keys, () => 1);
    const sent: { to: NodeId; envelope: Envelope }[] = [];
    const membership = new Membership({
      self: idOf(signerOf(n)),
      role: "core",
      name: `n${n}`,
      address: { host: "h", port: 1 },
      bootEpoch: 1,
      certificate: () => certificate(signer.publicKey),
      statements,
      removals: new Removals(),
      parameters: MEMBERSHIP_PROFILES.lan,
      clock: { monotonicMs: () => time.monotonicMs(), wallMs: () => 1 },
      timers: turns,
      random: new SeededRandom(n),
      signer,
      digests: cheap,
      meter: undefined,
      send: (to, _class, envelope) => void sent.push({ to, envelope }),
      emit: () => undefined,
      removed: () => undefined,
      adopt: () => false,
      refuse: (_node, error) => {
        throw error;
      },
      heardTable: () => undefined,
    });
    membership.start();
    return { time, turns, membership, sent, statements, self: idOf(signerOf(n)) };
  }

  function cheapSign(key: Uint8Array, message: Uint8Array): Uint8Array {
    const half = digests.hmacSha256(key, message);
    return Uint8Array.from([...half, ...half]);
  }
  const cheapSigner = (publicKey: Uint8Array) => ({
    publicKey,
    sign: (message: Uint8Array) => cheapSign(publicKey, message),
  });
  const cheapCluster = cheapSigner(clusterKey.publicKey);
  const certificate = (nodeKey: Uint8Array): Uint8Array =>
    issueCertificate(cheapCluster, { nodeKey, role: "edge", issuedMs: 0, expiresMs: 1e15 });

  type Machine = ReturnType<typeof machine>;

  function fill({ membership, statements, time }: Machine, members: number): Promise<void> {
    const batches: Uint8Array[] = [];
    for (let n = 0; n < members; n++) {
      const key = digests.sha256(Uint8Array.of(n & 255, n >> 8, 77));
      const record = {
        name: `m${n}`,
        address: { host: "10.0.0.1", port: 4000 },
        bootEpoch: 1,
        incarnation: 0,
        left: false,
      };
      batches.push(statements.signRecord(cheapSigner(key), certificate(key), record));
    }
    const peer = { node: nodeOf(7), role: "edge" as const };
    for (let at = 0; at < batches.length; at += PART_STATEMENTS) {
      const body = [false, false, new Uint8Array(32), batches.slice(at, at + PART_STATEMENTS)];
      membership.receive(peer, "request", { kind: "viewPart", requestId: 0, body });
    }
    return time.advance(0);
  }

  /** Hand every message of one to the other until nothing is said; the largest number of verifications in one turn. */
  async function exchange(one: Machine, other: Machine, count: { verified: number }): Promise<number> {
    for (const { turns } of [one, other]) turns.most = 0;
    const deliver = async (from: Machine, to: Machine): Promise<number> => {
      let moved = 0;
      for (const { to: node, envelope } of from.sent.splice(0)) {
        if (node !== to.self || (envelope.kind !== "viewDigest" && envelope.kind !== "viewPart")) continue;
        moved++;
        const peer = { node: from.self, role: "core" as const };
        to.turns.turn(() => to.membership.receive(peer, "request", envelope));
      }
      return moved;
    };
    for (let idle = 0; idle < 3; ) {
      const moved = (await deliver(one, other)) + (await deliver(other, one));
      const before = count.verified;
      await one.time.advance(0);
      await other.time.advance(0);
      idle = moved === 0 && count.verified === before ? idle + 1 : 0;
    }
    return Math.max(one.turns.most, other.turns.most);
  }

  async function filled(n: number, members: number, count: { verified: number }): Promise<Machine> {
    const made = machine(n, count);
    await fill(made, members);
    while (made.membership.members().length < members + 1) await made.time.advance(0);
    made.sent.length = 0;
    return made;
  }

  it("IN1, AE2: both sides end with one view, and no turn of the event loop verifies more than a slice", async () => {
    const count = { verified: 0 };
    const [full, empty] = [await filled(1, MEMBERS, count), machine(2, count)];
    count.verified = 0;
    empty.membership.introduce(full.self);
    const parts = empty.sent.length;
    expect(parts).toBeGreaterThan(0);
    const most = await exchange(empty, full, count);
    expect(empty.membership.members()).toHaveLength(MEMBERS + 2);
    expect(full.membership.members(), "the other half came back").toHaveLength(MEMBERS + 2);
    expect(most).toBeLessThanOrEqual(SLICE_VERIFICATIONS);
    expect(count.verified, "a record and a certificate each").toBeLessThanOrEqual(2 * (MEMBERS + 2));
  }, 60_000);

  it("AE1: two equal tables cost one digest and one empty answer, and not one verification", async () => {
    const count = { verified: 0 };
    const [one, other] = [await filled(1, 500, count), await filled(2, 500, count)];
    one.membership.introduce(other.self);
    await exchange(one, other, count);
    count.verified = 0;
    one.membership.exchange(other.self);
    const [asked] = one.sent.filter(({ envelope }) => envelope.kind === "viewDigest");
    expect(encodeCbor(asked?.envelope.body ?? null).length).toBeLessThan(2100);
    await exchange(one, other, count);
    expect(count.verified).toBe(0);
  });

  it("AE3: digests of one peer are answered a bounded number of times, and again later", async () => {
    const count = { verified: 0 };
    const [one, other] = [machine(1, count), machine(2, count)];
    other.sent.length = 0;
    const ask = (): void => {
      one.membership.exchange(other.self);
      const { envelope } = one.sent.at(-1) as { envelope: Envelope };
      other.membership.receive({ node: one.self, role: "core" }, "request", envelope);
    };
    const answers = (): number => other.sent.filter(({ envelope }) => envelope.kind === "viewPart").length;
    for (let n = 0; n < 3 * ANSWERS_PER_PEER; n++) ask();
    expect(answers()).toBe(ANSWERS_PER_PEER);
    await other.time.advance(6000);
    ask();
    expect(answers()).toBe(ANSWERS_PER_PEER + 1);
  });
});

it("a joiner hears every member before its start resolves, in a cluster of twenty", async () => {
  const cluster = new Cluster(141);
  await cluster.boot(20);
  const joiner = await cluster.join(30, "edge");
  expect(joiner.mesh.members()).toHaveLength(21);
});
