/** Links over channels that lose, double, delay and reorder everything, and agents that move between hosts. */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkTable, PAYLOAD_MAX } from "../src/index.ts";
import {
  BATCHES_IN_FLIGHT,
  HELD_BYTES,
  HELD_MESSAGES,
  LinkSender,
  WINDOW_MESSAGES,
} from "../src/links/link-sender.ts";
import { ASKS_MAX, DEDUPE_WINDOW, LINKS_MAX } from "../src/links/link-table.ts";
import { BATCH_MESSAGES_MAX, type LinkAck, type LinkData } from "../src/links/messages.ts";
import { OpenLink, WAITING_MAX } from "../src/links/open-link.ts";
import { SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { agentId, numberOf, payload } from "./cluster.ts";

const agent = agentId(1);
const LINK = "ab".repeat(16);
const hosts = ["aa", "bb", "cc"].map((id) => id.repeat(32) as NodeId);

interface Faults {
  readonly loss: number;
  readonly duplication: number;
  readonly jitterMs: number;
}

/** Three hosts, one agent that is on one of them, one sender, and channels without any order. */
class Chaos {
  readonly time = new VirtualTime();
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly applied: number[] = [];
  readonly broken: Error[] = [];
  table = new LinkTable();
  owner = 0;
  frozen = false;
  answers = true;
  congested = false;
  /** How many messages each batch had, in the order they were put on the wire. */
  readonly batches: number[] = [];
  /** Numbers of all messages that were put on the wire, in order. */
  readonly transmitted: number[] = [];
  readonly sender: LinkSender;

  constructor(seed: number, faults: Faults) {
    this.random = new SeededRandom(seed);
    this.faults = faults;
    this.sender = new LinkSender({
      agent,
      link: LINK,
      timers: this.time,
      transmit: (owner, attempt, data) => {
        this.batches.push(data.messages.length);
        for (let i = 0; i < data.messages.length; i++) this.transmitted.push(data.firstSeq + i);
        this.#carry(() => this.#arrive(owner, attempt, data));
      },
      congested: () => this.congested,
      resolve: (_fresh, answer) => {
        // The registry is right, eventually; sometimes the hint is of another time.
        const host = this.random.fraction() < 0.2 ? this.random.uint32() % 3 : this.owner;
        this.time.schedule(2, () => answer({ owner: hosts[host] as NodeId }));
      },
      onRoom: () => undefined,
      onProgress: () => undefined,
      onBroken: (error) => this.broken.push(error),
    });
  }

  #carry(arrive: () => void): void {
    const { loss, duplication, jitterMs } = this.faults;
    if (this.random.fraction() >= loss) this.time.schedule(1 + this.random.fraction() * jitterMs, arrive);
    if (this.random.fraction() < duplication)
      this.time.schedule(1 + this.random.fraction() * 20 * jitterMs, arrive);
  }

  #arrive(at: NodeId, attempt: number, { floor, firstSeq, messages }: LinkData): void {
    const here = hosts.indexOf(at);
    const answer = (next: number, status: LinkAck["status"], replies: LinkAck["replies"] = []): void => {
      if (!this.answers) return;
      this.#carry(() => this.sender.acknowledged(attempt, { agent, link: LINK, next, status, replies }));
    };
    if (here !== this.owner) {
      const owner = hosts[this.owner] as NodeId;
      answer(0, { kind: "moved", epoch: 2 as never, owner, address: undefined });
      return;
    }
    if (this.frozen) {
      answer(0, { kind: "retry", retryAfterMs: 5 });
      return;
    }
    const replies: { seq: number; payload: Uint8Array }[] = [];
    let next = 0;
    for (const [i, { ask, payload: bytes }] of messages.entries()) {
      const verdict = this.table.offer(LINK, firstSeq + i, floor, ask);
      next = verdict.next;
      if (verdict.kind === "accepted") {
        this.applied.push(numberOf(bytes));
        if (ask) this.table.reply(LINK, firstSeq + i, bytes);
      } else if (verdict.kind === "duplicate") {
        if (verdict.reply !== undefined) replies.push({ seq: firstSeq + i, payload: verdict.reply });
      } else {
        answer(
          next,
          verdict.kind === "busy" ? { kind: "retry", retryAfterMs: 5 } : { kind: verdict.kind },
          replies,
        );
        return;
      }
    }
    answer(next, { kind: "ok" }, replies);
  }

  /** Freeze, carry the table as bytes, go on elsewhere. */
  async move(): Promise<void> {
    this.frozen = true;
    await this.time.advance(this.random.uint32() % 60);
    this.table = LinkTable.restore(this.table.serialize());
    this.owner = (this.owner + 1 + (this.random.uint32() % 2)) % 3;
    this.frozen = false;
  }
}

async function run(seed: number, faults: Faults): Promise<{ chaos: Chaos; sent: number; replies: number[] }> {
  const chaos = new Chaos(seed, faults);
  const replies: number[] = [];
  let sent = 0;
  for (let round = 0; round < 12; round++) {
    for (let i = chaos.random.uint32() % 120; i > 0; i--) {
      const ask = chaos.random.uint32() % 10 === 0;
      const done = ask ? (reply: Uint8Array) => void replies.push(numberOf(reply)) : undefined;
      if (chaos.sender.offer(payload(sent), done) > 0) sent++;
    }
    await chaos.time.advance(chaos.random.uint32() % 400);
    if (chaos.random.uint32() % 3 === 0) await chaos.move();
    if (chaos.random.uint32() % 4 === 0) chaos.sender.peerLost(hosts[chaos.random.uint32() % 3] as NodeId);
  }
  await chaos.time.advanceUntil(() => chaos.sender.drained && chaos.sender.stats().awaiting === 0, 600_000);
  return { chaos, sent, replies };
}

const calm: Faults = { loss: 0, duplication: 0, jitterMs: 0 };

describe("a link", () => {
  it("LS5: what waits in this node's own queue is not sent again however long it waits, and nothing is put behind it", async () => {
    const chaos = new Chaos(1, calm);
    chaos.sender.offer(payload(0));
    await chaos.time.advance(100);
    chaos.answers = false;
    chaos.sender.offer(payload(1));
    await chaos.time.advance(50);
    chaos.congested = true;
    const before = chaos.transmitted.length;
    chaos.sender.offer(payload(2));
    await chaos.time.advance(60_000);
    expect(chaos.transmitted.length).toBe(before);
    chaos.congested = false;
    chaos.answers = true;
    chaos.sender.uncongested(hosts[chaos.owner] as NodeId);
    await chaos.time.advanceUntil(() => chaos.sender.drained, 60_000);
    expect(chaos.applied).toEqual([0, 1, 2]);
  });

  it("LS11: a pause that a node asked for ends when that node says unasked that the agent is there", async () => {
    const chaos = new Chaos(1, calm);
    chaos.sender.offer(payload(0));
    await chaos.time.advanceUntil(() => chaos.sender.drained, 1000);
    const [here, elsewhere] = [hosts[chaos.owner], hosts[(chaos.owner + 1) % 3]] as [NodeId, NodeId];
    const told = (attempt: number, owner: NodeId): void =>
      chaos.sender.acknowledged(attempt, {
        agent,
        link: LINK,
        next: 0,
        status: { kind: "moved", epoch: 2 as never, owner, address: undefined },
        replies: [],
      });
    chaos.sender.offer(payload(1));
    await chaos.time.advanceUntil(() => chaos.sender.drained, 1000);
    const sent = chaos.transmitted.length;
    chaos.sender.acknowledged(sent, {
      agent,
      link: LINK,
      next: 0,
      status: { kind: "retry", retryAfterMs: 5000 },
      replies: [],
    });
    chaos.sender.offer(payload(2));
    await chaos.time.advance(10);
    expect(chaos.transmitted.length, "it waits").toBe(sent);
    told(sent, here);
    expect(chaos.transmitted.length, "an answer to something of before is no news").toBe(sent);
    told(0, here);
    expect(chaos.transmitted.slice(sent)).toEqual([3]);
    await chaos.time.advanceUntil(() => chaos.sender.drained, 1000);
    expect(chaos.applied).toEqual([0, 1, 2]);
    told(0, elsewhere);
    expect(chaos.sender.owner).toBe(elsewhere);
  });

  it("LS6: a receiver without room is asked with one message at a time, and the window opens again by doubling", async () => {
    const chaos = new Chaos(1, calm);
    chaos.frozen = true;
    for (let n = 0; n < 200; n++) chaos.sender.offer(payload(n));
    await chaos.time.advance(200);
    const probes = chaos.transmitted.slice(200);
    expect(new Set(probes), "only the first message is tried").toEqual(new Set([1]));
    expect(probes.length, "about one probe per retry time").toBeLessThan(200 / 5 + 2);
    chaos.frozen = false;
    await chaos.time.advanceUntil(() => chaos.sender.drained, 60_000);
    expect(chaos.applied).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(chaos.transmitted.length, "nothing but probes was sent a third time").toBeLessThanOrEqual(
      200 + probes.length + 200,
    );
  });

  it("LS8: messages gather into one batch while 16 small ones are unacknowledged; a full batch, or a first message, never waits", async () => {
    const chaos = new Chaos(1, calm);
    const offer = (count: number): void => {
      for (let n = 0; n < count; n++) chaos.sender.offer(payload(0));
    };
    offer(1);
    await chaos.time.advance(100);
    chaos.batches.length = 0;
    offer(BATCHES_IN_FLIGHT + 100);
    expect(chaos.batches, "sixteen leave at once").toEqual(Array(BATCHES_IN_FLIGHT).fill(1));
    await chaos.time.advance(100);
    expect(chaos.batches.slice(BATCHES_IN_FLIGHT), "the rest leaves together").toEqual([100]);
    expect(chaos.sender.drained).toBe(true);
    chaos.batches.length = 0;
    offer(BATCHES_IN_FLIGHT + BATCH_MESSAGES_MAX);
    expect(chaos.batches.at(-1), "a full batch does not wait for an answer").toBe(BATCH_MESSAGES_MAX);
    await chaos.time.advance(100);
    expect(chaos.applied.length).toBe(1 + 2 * BATCHES_IN_FLIGHT + 100 + BATCH_MESSAGES_MAX);
  });

  it("LS1, LT1, LT5: under loss, doubling, reordering and moves everything is applied once, in order", async () => {
    const seeds = process.env["GLIA_SOAK"] === "1" ? 3000 : 150;
    for (let seed = 1; seed <= seeds; seed++) {
      const severity = (seed % 10) / 20;
      const { chaos, sent, replies } = await run(seed, {
        loss: severity,
        duplication: severity,
        jitterMs: seed % 40,
      });
      expect(chaos.broken, `seed ${seed}`).toEqual([]);
      expect(chaos.applied, `seed ${seed}`).toEqual(Array.from({ length: sent }, (_, n) => n));
      expect(chaos.sender.stats(), `seed ${seed}`).toMatchObject({ sent, acknowledged: sent, awaiting: 0 });
      expect(new Set(replies).size, `seed ${seed}: each ask is answered once`).toBe(replies.length);
    }
  });

  it("LS4: a receiver that lost its table breaks the link instead of applying twice", async () => {
    const chaos = new Chaos(1, { loss: 0, duplication: 0, jitterMs: 0 });
    chaos.sender.offer(payload(0));
    await chaos.time.advance(100);
    chaos.table = new LinkTable();
    chaos.sender.offer(payload(1));
    await chaos.time.advance(5000);
    expect(chaos.applied).toEqual([0]);
    expect(chaos.broken.map((error) => (error as { code?: string }).code)).toEqual(["mesh.link-broken"]);
  });

  it("LS2: it refuses more than it may hold, by count and by bytes, and takes more after progress", async () => {
    const chaos = new Chaos(1, { loss: 0, duplication: 0, jitterMs: 0 });
    chaos.answers = false;
    for (let n = 0; n < HELD_MESSAGES; n++) expect(chaos.sender.offer(payload(n))).toBe(n + 1);
    expect(chaos.sender.offer(payload(0))).toBe(0);
    await chaos.time.advance(50);
    expect(chaos.applied.length).toBe(WINDOW_MESSAGES);
    chaos.answers = true;
    await chaos.time.advance(10_000);
    expect(chaos.sender.offer(payload(0))).toBeGreaterThan(0);
    const large = new Chaos(2, { loss: 1, duplication: 0, jitterMs: 0 });
    const mebibyte = new Uint8Array(PAYLOAD_MAX);
    for (let held = 0; held < HELD_BYTES; held += PAYLOAD_MAX)
      expect(large.sender.offer(mebibyte)).toBeGreaterThan(0);
    expect(large.sender.offer(mebibyte)).toBe(0);
    for (let n = 0; n < 9; n++) large.sender.offer(payload(n));
    expect(chaos.sender.offer(payload(1), () => undefined)).toBeGreaterThan(0);
  });

  it("more asks than a receiver keeps, sends than may wait and payloads over the limit are refused", async () => {
    const time = new VirtualTime();
    const link = new OpenLink({
      agent: agent as AgentId,
      link: LINK,
      timers: time,
      congested: () => false,
      transmit: () => undefined,
      resolve: () => undefined,
      onEnd: () => undefined,
    });
    await expect(link.send(new Uint8Array(PAYLOAD_MAX + 1))).rejects.toMatchObject({
      code: "mesh.link-limit",
    });
    const ignore = (): undefined => undefined;
    for (let n = 0; n < ASKS_MAX; n++) link.ask(payload(n), 1000).catch(ignore);
    for (let n = 0; n < WAITING_MAX; n++) link.ask(payload(n), 1000).catch(ignore);
    await expect(link.send(payload(0))).rejects.toMatchObject({ code: "mesh.link-limit" });
    const late = link.flush(500);
    late.catch(ignore);
    await time.advance(2000);
    await expect(late).rejects.toMatchObject({ code: "mesh.link-timeout" });
    link.stop();
    await expect(link.send(payload(0))).rejects.toMatchObject({ code: "mesh.stopped" });
  });
});

describe("a link table", () => {
  it("LT2, LT3: it tells accepted, duplicate, gap and stale apart", () => {
    const table = new LinkTable();
    expect(table.offer(LINK, 2, 0, false)).toEqual({ kind: "gap", next: 1 });
    for (let seq = 1; seq <= DEDUPE_WINDOW + 2; seq++) table.offer(LINK, seq, 0, false);
    const next = DEDUPE_WINDOW + 3;
    expect(table.offer(LINK, next + 1, 0, false)).toEqual({ kind: "gap", next });
    expect(table.offer(LINK, 3, 0, false)).toEqual({ kind: "duplicate", next });
    expect(table.offer(LINK, 2, 0, false)).toEqual({ kind: "stale", next });
  });

  it("LT4: replies are kept until released, and no more asks are taken than it may keep", () => {
    const table = new LinkTable();
    for (let seq = 1; seq <= ASKS_MAX; seq++) table.offer(LINK, seq, 0, true);
    expect(table.offer(LINK, ASKS_MAX + 1, 0, true).kind).toBe("busy");
    expect(table.reply(LINK, 1, payload(9))).toBe(true);
    expect(table.reply(LINK, 1, payload(8))).toBe(false);
    expect(table.offer(LINK, 1, 1, true)).toMatchObject({ kind: "duplicate", reply: payload(9) });
    expect(table.offer(LINK, ASKS_MAX + 1, 2, true).kind).toBe("accepted");
    expect(table.offer(LINK, 1, 2, true)).toEqual({ kind: "duplicate", next: ASKS_MAX + 2 });
  });

  it("LT6: it is bounded, and only a closed link makes room", () => {
    const table = new LinkTable(2);
    const link = (n: number): string => n.toString(16).padStart(32, "0");
    table.offer(link(1), 1, 0, false);
    table.offer(link(2), 1, 0, false);
    expect(table.offer(link(3), 1, 0, false).kind).toBe("busy");
    table.close(link(1));
    expect(table.offer(link(3), 1, 0, false).kind).toBe("accepted");
    expect(table.size).toBe(2);
    expect(() => new LinkTable(LINKS_MAX + 1)).toThrow(/linksMax/);
  });

  it("LT5: a restored table answers every later offer as the original", () => {
    const step = fc.record({
      link: fc.nat(3),
      seq: fc.integer({ min: 1, max: 12 }),
      floor: fc.nat(8),
      ask: fc.boolean(),
    });
    const offer = (
      table: LinkTable,
      { link, seq, floor, ask }: { link: number; seq: number; floor: number; ask: boolean },
    ) => table.offer(link.toString(16).padStart(32, "0"), seq, floor, ask);
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (before, after) => {
        const original = new LinkTable();
        for (const each of before) offer(original, each);
        const restored = LinkTable.restore(original.serialize());
        for (const each of after) expect(offer(restored, each)).toEqual(offer(original, each));
        expect(restored.serialize()).toEqual(original.serialize());
      }),
    );
  });

  it("bytes that are not a table are refused with a typed error", () => {
    const good = new LinkTable();
    good.offer(LINK, 1, 0, true);
    const bytes = good.serialize();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = bytes.slice();
        changed[at] = value;
        try {
          LinkTable.restore(changed);
        } catch (error) {
          expect((error as { code?: string }).code).toBe("mesh.malformed-message");
        }
      }),
      { numRuns: 2000 },
    );
  });
});
