/**
 * The queue of messages to one agent, in a world of its own: a receiver with the link table of the mesh, a file that loses what was not flushed, an
 * agent's node that comes and goes, and crashes of the sender's node at any step (QL1 to QL4).
 */
import type { AgentId } from "@glia-os/abi/ids";
import { type AgentLinkEvents, type CarriedLink, LinkTable, type OutgoingLink } from "@glia-os/mesh-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  IDLE_LOOKS,
  type LanePorts,
  OFFERED_MAX,
  QueueLane,
  type Whereabouts,
} from "../../src/queue/queue-lane.ts";
import {
  decodeRecord,
  encodeRecord,
  type LostRecord,
  type QueueRecord,
} from "../../src/queue/queue-record.ts";

const runs = process.env["GLIA_SOAK"] === "1" ? 5000 : 300;
const AGENT = "0".repeat(31).concat("1") as AgentId;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The wire between a link and its receiver: what was offered is delivered when the world says so. */
class TestLink implements OutgoingLink {
  readonly link: string;
  readonly #world: World;
  readonly #events: AgentLinkEvents;
  #base: number;
  #held: Uint8Array[];
  open = true;

  constructor(world: World, events: AgentLinkEvents, { link, next, held }: CarriedLink) {
    this.#world = world;
    this.#events = events;
    this.link = link;
    this.#held = [...held];
    this.#base = next - held.length;
  }

  offer(payload: Uint8Array): boolean {
    this.#held.push(payload);
    return true;
  }

  get unacknowledged(): number {
    return this.#held.length;
  }

  /** Put up to `most` messages on the wire; the receiver applies them, and perhaps the acknowledgement arrives. */
  flow(most: number, acknowledged: boolean): void {
    let next = 0;
    for (const [i, payload] of this.#held.slice(0, most).entries())
      next = this.#world.receive(this.link, this.#base + i, payload);
    if (!acknowledged || next === 0 || !this.open) return;
    const done = Math.max(0, next - this.#base);
    this.#held.splice(0, done);
    this.#base += done;
    if (done > 0) this.#events.onProgress();
  }

  carryAway(): CarriedLink {
    this.open = false;
    const next = this.#base + this.#held.length;
    return { agent: AGENT, link: this.link, next, attempts: 0, held: this.#held };
  }

  close(): void {
    this.open = false;
    this.#world.closed(this.link);
  }
}

/** The sender's node, its file, and the agent. */
class World {
  nowMs = 0;
  where: Whereabouts = "there";
  readonly applied: number[] = [];
  readonly lost: LostRecord[] = [];
  lane: QueueLane;
  links: TestLink[] = [];
  #table = new LinkTable();
  #flushed: string[] = [];
  #unflushed: { readonly lines: string[]; readonly done: () => void; readonly failed: (e: Error) => void }[] =
    [];
  #made = 0;

  constructor() {
    this.lane = new QueueLane(AGENT, this.#ports());
  }

  #ports(): LanePorts {
    return {
      store: (records) =>
        new Promise((done, failed) => {
          this.#unflushed.push({ lines: records.map(encodeRecord), done, failed });
        }),
      open: (_agent, events, carried) => {
        expect(carried.next - carried.held.length).toBeGreaterThanOrEqual(1);
        const link = new TestLink(this, events, carried);
        this.links = [...this.links.filter(({ open }) => open), link];
        return link;
      },
      newLink: () => (++this.#made).toString(16).padStart(32, "0"),
      nowMs: () => this.nowMs,
      where: async () => this.where,
      delivered: () => undefined,
      lost: (record) => this.lost.push(record),
    };
  }

  add(id: number, keepMs: number): void {
    const payload = new Uint8Array([id >> 8, id & 255]);
    const untilMs = this.nowMs + keepMs;
    this.lane.add({ id, untilMs, payload, seq: 0 });
    this.#flushed.push(encodeRecord({ is: "kept", id, agent: AGENT, untilMs, payload }));
  }

  receive(link: string, seq: number, payload: Uint8Array): number {
    const verdict = this.#table.offer(link, seq, seq, false);
    if (verdict.kind === "accepted")
      this.applied.push(((payload[0] as number) << 8) | (payload[1] as number));
    return verdict.next;
  }

  closed(link: string): void {
    // A receiver may forget a closed link at once: a message of it would be taken for its first.
    const open = this.links.some((one) => one.open && one.link !== link);
    if (!open) this.#table = new LinkTable();
  }

  async flush(): Promise<void> {
    for (const { lines, done } of this.#unflushed.splice(0)) {
      this.#flushed.push(...lines);
      done();
    }
    await turn();
  }

  async fail(): Promise<void> {
    for (const { failed } of this.#unflushed.splice(0)) failed(new Error("the disk is full"));
    await turn();
  }

  /** The sender's node is killed and started again: what was not flushed is gone, or was written all the same. */
  crash(unflushedSurvives: boolean): void {
    if (unflushedSurvives) this.#flushed.push(...this.#unflushed.flatMap(({ lines }) => lines));
    this.#unflushed = [];
    for (const link of this.links) link.open = false;
    this.links = [];
    this.lane = new QueueLane(AGENT, this.#ports());
    const records: QueueRecord[] = this.#flushed.map((line) => decodeRecord(line.trimEnd()));
    for (const record of records) this.lane.restore(record);
  }

  /** Write the file anew from what is alive. */
  rewrite(): void {
    if (this.#unflushed.length === 0) this.#flushed = this.lane.records().map(encodeRecord);
  }
}

type Step =
  | { readonly do: "add"; readonly keepMs: number }
  | { readonly do: "flow"; readonly most: number; readonly acknowledged: boolean }
  | { readonly do: "crash"; readonly survives: boolean }
  | { readonly do: "where"; readonly where: Whereabouts }
  | { readonly do: "look" | "flush" | "fail" | "rewrite" | "wait" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("add" as const), keepMs: fc.constantFrom(3, 10, 1e9) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("flow" as const),
      most: fc.integer({ min: 1, max: 80 }),
      acknowledged: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), survives: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("where" as const),
      where: fc.constantFrom<Whereabouts>("there", "away"),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("look" as const, "flush" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("fail" as const, "rewrite" as const, "wait" as const) }),
  },
);

async function act(world: World, one: Step, id: () => number): Promise<void> {
  if (one.do === "add") world.add(id(), one.keepMs);
  else if (one.do === "flow") for (const link of world.links) link.flow(one.most, one.acknowledged);
  else if (one.do === "crash") world.crash(one.survives);
  else if (one.do === "where") world.where = one.where;
  else if (one.do === "flush") await world.flush();
  else if (one.do === "fail") await world.fail();
  else if (one.do === "rewrite") world.rewrite();
  else if (one.do === "wait") world.nowMs += 1;
  else {
    void world.lane.look().catch(() => undefined);
    await turn();
  }
}

/** Let everything come to its end: the node of the agent is there, and nothing fails any more. */
async function settle(world: World): Promise<void> {
  world.where = "there";
  for (let round = 0; round < 60 && world.lane.size > 0; round++) {
    void world.lane.look();
    await turn();
    await world.flush();
    for (const link of world.links) link.flow(1000, true);
    await turn();
    await world.flush();
  }
}

describe("a queue that is cut off anywhere", () => {
  test("QL1, QL2, QL3: applies each message once and in order, or says that it was given up; what it says was not applied was not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: "max" }), async (steps) => {
        const world = new World();
        let last = 0;
        for (const one of steps) await act(world, one, () => ++last);
        await settle(world);
        expect(world.lane.size).toBe(0);
        expect(new Set(world.applied).size, "none twice").toBe(world.applied.length);
        expect(
          [...world.applied].sort((a, b) => a - b),
          "in order",
        ).toEqual(world.applied);
        const lost = new Map(world.lost.map(({ id, inDoubt }) => [id, inDoubt]));
        for (let id = 1; id <= last; id++) {
          const applied = world.applied.includes(id);
          expect(applied || lost.has(id), `message ${id} is accounted for`).toBe(true);
          if (lost.get(id) === false) expect(applied, `message ${id} was said not to be applied`).toBe(false);
        }
      }),
      { numRuns: runs },
    );
  });
});

describe("a queue", () => {
  test("QL2: nothing goes out while the agent's node is away, and then 64 at a time", async () => {
    const world = new World();
    world.where = "away";
    for (let id = 1; id <= 200; id++) world.add(id, 1e9);
    await world.lane.look();
    expect([world.links.length, world.lane.offered]).toEqual([0, 0]);
    world.where = "there";
    void world.lane.look();
    await turn();
    expect(world.links.length, "not before the file knows").toBe(0);
    await world.flush();
    expect([world.links[0]?.unacknowledged, world.lane.offered]).toEqual([OFFERED_MAX, OFFERED_MAX]);
    await settle(world);
    expect(world.applied).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  test("QL3: messages that never went out are given up one by one, those that did together and in doubt", async () => {
    const world = new World();
    world.where = "away";
    world.add(1, 5);
    world.add(2, 1e9);
    world.nowMs = 5;
    await world.lane.look();
    expect(world.lost).toMatchObject([{ id: 1, why: "expired", inDoubt: false }]);
    world.where = "there";
    world.add(3, 5);
    void world.lane.look();
    await turn();
    await world.flush();
    world.nowMs = 20;
    void world.lane.look();
    await turn();
    expect(world.lost).toHaveLength(1);
    world.nowMs = 2e9;
    void world.lane.look();
    await turn();
    expect(world.lost.slice(1)).toMatchObject([
      { id: 2, why: "expired", inDoubt: true },
      { id: 3, why: "expired", inDoubt: true },
    ]);
  });

  test("an agent that is gone refuses everything; what is dropped by hand is told too", async () => {
    const world = new World();
    world.add(1, 1e9);
    world.where = "gone";
    await world.lane.look();
    world.add(2, 1e9);
    expect(world.lane.drop()).toBe(1);
    expect(world.lost).toMatchObject([
      { id: 1, why: "no-agent", inDoubt: false },
      { id: 2, why: "dropped", inDoubt: false },
    ]);
    await world.flush();
    expect(world.lane.over).toBe(true);
  });

  test("QL4: a link whose deliveries the file does not know is not closed", async () => {
    const world = new World();
    world.add(1, 1e9);
    void world.lane.look();
    await turn();
    await world.flush();
    world.links[0]?.flow(1, true);
    for (let look = 0; look < 2 * IDLE_LOOKS; look++) {
      await world.fail();
      void world.lane.look().catch(() => undefined);
      await turn();
    }
    expect([world.lane.size, world.links[0]?.open]).toEqual([0, true]);
  });

  test("QL4: its link is closed after it rested, and the file says so", async () => {
    const world = new World();
    world.add(1, 1e9);
    await settle(world);
    expect(world.lane.over).toBe(false);
    for (let look = 0; look < IDLE_LOOKS; look++) {
      void world.lane.look();
      await turn();
      await world.flush();
    }
    expect(world.lane.over).toBe(true);
    world.crash(false);
    expect(world.lane.over).toBe(true);
  });
});
