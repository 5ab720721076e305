/** What an agent with a replica asked for, as a state that follows from its log. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentAct } from "../../src/agents/act.ts";
import { IDLE_MS } from "../../src/agents/agent-post.ts";
import { hostMessage } from "../../src/agents/host-message.ts";
import { decodeActs, encodeActs } from "../../src/replica/act-codec.ts";
import { answerIn } from "../../src/replica/answer-in.ts";
import { Outbox, type Step } from "../../src/replica/outbox.ts";
import { decodeOutbox, encodeOutbox } from "../../src/replica/outbox-codec.ts";
import {
  eventBytes,
  ORDINALS_MAX,
  type OutboxEvent,
  RECEIVERS_MAX,
  readEvent,
} from "../../src/replica/outbox-event.ts";
import { NEWS_MAX, RecordedDesk, type RecordedWork } from "../../src/replica/recorded-desk.ts";
import { RecordedOffice, type RecordedOfficeParts } from "../../src/replica/recorded-office.ts";

/** Of the log of a feed (packages/mesh-core/src/failover/messages.ts). */
const ENTRY_MAX = 1_048_576 + 65_536;
const ME = "f".repeat(32) as AgentId;
const id = (digit: number): AgentId => String(digit).repeat(32) as AgentId;
const fresh = (): Outbox => Outbox.of(new Uint8Array(16).fill(7), { parent: undefined, children: [] });
const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return errorCodeOf(error);
  }
};

const send = (to: string, n: number): AgentAct => ({ kind: "send", to, payload: Uint8Array.of(n) });

const payload = fc.uint8Array({ maxLength: 12 });
const somebody = fc.integer({ min: 1, max: 3 }).map(id);
const name = fc.constantFrom("ann", "bob", "eve");
const act: fc.Arbitrary<AgentAct> = fc.oneof(
  fc.record({ kind: fc.constant("send" as const), to: fc.oneof(somebody, name), payload }),
  fc.record({ kind: fc.constant("publish" as const), topic: name, payload }),
  fc.record({ kind: fc.constantFrom("subscribe" as const, "unsubscribe" as const), topic: name }),
  fc.record({ kind: fc.constant("find" as const), request: fc.integer({ min: 1, max: 9 }), name }),
  fc.record({
    kind: fc.constant("spawn" as const),
    request: fc.integer({ min: 10, max: 19 }),
    spawn: fc.record({ definition: name }),
  }),
);
const event: fc.Arbitrary<OutboxEvent> = fc.oneof(
  fc.record({ kind: fc.constant("named" as const), name, agent: fc.option(somebody, { nil: undefined }) }),
  fc.record({
    kind: fc.constant("closed" as const),
    queue: fc.constantFrom("post" as const, "news" as const),
    to: somebody,
  }),
  fc.record({
    kind: fc.constant("published" as const),
    ordinals: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 3 }),
    to: fc.uniqueArray(somebody, { maxLength: 3 }),
  }),
);
const answer = fc
  .integer({ min: 1, max: 19 })
  .map((request) => hostMessage({ host: "answer", request, value: { id: id(8), name: "child" } }));
type Entry =
  | { readonly acts: readonly AgentAct[] }
  | { readonly event: OutboxEvent }
  | { readonly answer: Uint8Array };
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ acts: fc.array(act, { minLength: 1, maxLength: 4 }) }),
  fc.record({ event }),
  fc.record({ answer }),
);

/** One entry of a log; what it makes to be done. */
function apply(outbox: Outbox, one: Entry): readonly Step[] {
  if ("acts" in one) return outbox.acts(decodeActs(encodeActs(one.acts)));
  if ("event" in one) return outbox.event(readEvent(eventBytes(one.event)));
  outbox.accepted(one.answer);
  return [];
}

describe("an outbox", () => {
  it("OB1, OC1: goes on from any state as bytes with the same steps to the same state", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.nat(), (entries, cut) => {
        const whole = fresh();
        const at = entries.length === 0 ? 0 : cut % entries.length;
        for (const one of entries.slice(0, at)) apply(whole, one);
        const again = decodeOutbox(encodeOutbox(whole));
        for (const one of entries.slice(at)) expect(apply(again, one)).toEqual(apply(whole, one));
        expect(encodeOutbox(again)).toEqual(encodeOutbox(whole));
        expect([again.weight, again.idle]).toEqual([whole.weight, whole.idle]);
      }),
    );
  });

  it("OB2: a link has one id while it lasts, and never that of another one, of this receiver or another", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const outbox = fresh();
        const ended = new Set<string>();
        const known = new Map<string, string>();
        for (const one of entries) {
          const had = new Map(
            [...outbox.lines("post"), ...outbox.lines("news")].map(([to, { link }]) => [link, to]),
          );
          for (const step of apply(outbox, one))
            if (step.kind === "send") {
              expect(ended.has(step.link)).toBe(false);
              expect(known.get(step.link) ?? `${step.queue} ${step.to}`).toBe(`${step.queue} ${step.to}`);
              known.set(step.link, `${step.queue} ${step.to}`);
            }
          const has = new Set(
            [...outbox.lines("post").values(), ...outbox.lines("news").values()].map(({ link }) => link),
          );
          for (const link of had.keys()) if (!has.has(link)) ended.add(link);
        }
      }),
    );
  });

  it("OB3: keeps a message until it is accepted, a request until its answer came, a publication until it is known who hears it", () => {
    const outbox = fresh();
    const one = Uint8Array.of(1);
    outbox.acts([
      { kind: "send", to: id(1), payload: one },
      { kind: "find", request: 4, name: "ann" },
      { kind: "spawn", request: 5, spawn: { definition: "child" } },
      { kind: "publish", topic: "news", payload: one },
    ]);
    expect([outbox.weight, outbox.idle]).toEqual([4, false]);
    outbox.acknowledged("post", id(1), 1);
    expect(outbox.line("post", id(1))).toMatchObject({ base: 2, queue: [] });
    outbox.accepted(hostMessage({ host: "answer", request: 4, value: null }));
    outbox.accepted(hostMessage({ host: "answer", request: 5, value: { id: id(8), name: "child" } }));
    expect(outbox.family.children).toEqual([id(8)]);
    expect(outbox.event({ kind: "published", ordinals: [4], to: [id(2)] })).toHaveLength(1);
    outbox.acknowledged("news", id(2), 1);
    expect([outbox.weight, outbox.idle]).toEqual([0, true]);
  });

  it("OC1, OE1, AK1, AI1: rubbish, cut off and turned bits are refused by type, or answer nothing", () => {
    const outbox = fresh();
    outbox.acts([
      { kind: "send", to: id(1), payload: Uint8Array.of(1) },
      { kind: "send", to: "ann", payload: Uint8Array.of(2) },
      { kind: "spawn", request: 5, spawn: { definition: "child" } },
    ]);
    const good = [
      [encodeOutbox(outbox), decodeOutbox],
      [eventBytes({ kind: "published", ordinals: [1], to: [id(2)] }), readEvent],
      [encodeActs([{ kind: "find", request: 4, name: "ann" }]), decodeActs],
      [hostMessage({ host: "answer", request: 4, value: null }), answerIn],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        ([bytes, read], rubbish, at, flip) => {
          const turned = bytes.slice();
          turned[at % turned.length] = (turned[at % turned.length] as number) ^ flip;
          for (const bad of [rubbish, turned, bytes.slice(0, at % bytes.length)])
            expect(["cells.bad-image", undefined]).toContain(codeOf(() => read(bad)));
        },
      ),
    );
  });
});

describe("RO3, RO6: the office of agents with replicas", () => {
  const world = () => {
    const waiting: (() => void)[] = [];
    const told: unknown[] = [];
    const sent: string[] = [];
    const closed: string[] = [];
    const office = new RecordedOffice({
      timers: new VirtualTime(),
      logger: { log: () => undefined },
      random: { bytes: (target: Uint8Array) => target.fill(1) },
      open: (agent: AgentId, _events: unknown, { link }: { link: string }) => ({
        link,
        offer: (bytes: Uint8Array) => sent.push(`${agent[0]} ${bytes[0]}`) > 0,
        unacknowledged: 1,
        carryAway: () => ({ agent, link, next: 1, attempts: 0, held: [] }),
        close: () => void closed.push(agent),
      }),
      familyOf: () => ({ parent: id(5), children: [] }),
      tellFamily: (_agent: AgentId, { parent }: { parent: string }, left: unknown) =>
        void told.push([parent, left]),
      released: () => undefined,
      held: () => undefined,
      remember: () => undefined,
    } as unknown as RecordedOfficeParts);
    office.open({ agent: ME, did: () => undefined, when: (go) => void waiting.push(go) }, true);
    office.said(ME, encodeActs([send(id(1), 1), { kind: "subscribe", topic: "news" }]));
    const hold = (): void => {
      for (const go of waiting.splice(0)) go();
    };
    return { office, told, sent, closed, hold };
  };
  const failed = { kind: "failed", message: "it broke" } as const;

  it("says the end of an agent when it is held, and what it asked for before", () => {
    const { office, told, sent, hold } = world();
    office.gone(ME, failed);
    expect([told, sent]).toEqual([[], []]);
    hold();
    office.close(ME);
    expect([told, sent]).toEqual([[[id(5), failed]], ["1 1"]]);
  });

  it.each([
    ["moved", { kind: "moved" }],
    ["lost on its way", { ...failed, lost: true }],
  ] as const)("says nothing for one that %s, and hears nothing for it any more", (_, left) => {
    const { office, told, sent, closed, hold } = world();
    hold();
    expect(office.subscribers("news")).toEqual([ME]);
    office.gone(ME, left);
    office.close(ME);
    hold();
    expect([told, sent, closed, office.subscribers("news")]).toEqual([[], ["1 1"], [], []]);
  });

  it("forgets one whose end was never held", () => {
    const { office, told, sent } = world();
    office.gone(ME, failed);
    office.close(ME);
    expect([told, sent, office.subscribers("news"), office.keeps(ME)]).toEqual([[], [], [], false]);
  });
});

/** A desk whose log is held when it is told to be, and whose receivers take everything or nothing. */
function deskWith({
  takes = true,
  hearers = [id(1), id(2)],
}: {
  readonly takes?: boolean;
  readonly hearers?: readonly AgentId[];
} = {}) {
  const time = new VirtualTime();
  const waiting: (() => void)[] = [];
  const did: OutboxEvent[] = [];
  const sent: string[] = [];
  const closed: string[] = [];
  const broken = new Map<AgentId, () => void>();
  const lines: string[] = [];
  const work = {
    timers: time,
    logger: { log: (_level: string, message: string) => void lines.push(message) },
    open: (
      agent: AgentId,
      events: { onProgress(): void; onBroken(error: Error): void },
      { link }: { link: string },
    ) => {
      let unacknowledged = 0;
      broken.set(agent, () => events.onBroken(new RangeError("gone")));
      return {
        link,
        offer: (bytes: Uint8Array) => {
          sent.push(`${agent[0]} ${bytes[0]}`);
          if (!takes) unacknowledged++;
          events.onProgress();
          return true;
        },
        get unacknowledged() {
          return unacknowledged;
        },
        carryAway: () => ({ agent, link, next: 1, attempts: 3, held: [] }),
        close: () => void closed.push(agent),
      };
    },
    findName: async () => undefined,
    subscribers: async () => new Set(hearers),
    returned: (_sender: AgentId, to: string, bytes: Uint8Array) =>
      void lines.push(`lost ${to[0]} ${bytes[0]}`),
    released: () => undefined,
  };
  const cell = {
    agent: ME,
    did: (bytes: Uint8Array) => void did.push(readEvent(bytes)),
    when: (go: () => void) => void waiting.push(go),
  };
  const desk = new RecordedDesk(fresh(), cell, work as unknown as RecordedWork);
  const hold = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns++) {
      for (const go of waiting.splice(0)) go();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { desk, hold, did, sent, closed, broken, lines, time };
}

describe("a recorded desk", () => {
  it("RD1: sends nothing, and looks nothing up, before the entry of it is held", async () => {
    const { desk, hold, did, sent, lines } = deskWith();
    desk.said([send(id(1), 1), send("ann", 2)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([sent, did]).toEqual([[], []]);
    await hold();
    expect(sent).toEqual(["1 1"]);
    expect(did).toEqual([{ kind: "named", name: "ann", agent: undefined }]);
    expect(lines).toEqual(["lost a 2"]);
  });

  it("writes down that a line ended before it sends on another, and tells the receiver when that is held", async () => {
    const { desk, hold, did, sent, closed, time } = deskWith();
    desk.said([send(id(1), 1)]);
    await hold();
    const first = desk.outbox.line("post", id(1))?.link;
    await time.advance(2 * IDLE_MS + 1);
    expect(did).toEqual([{ kind: "closed", queue: "post", to: id(1) }]);
    expect(closed).toEqual([]);
    desk.said([send(id(1), 2)]);
    expect(desk.outbox.line("post", id(1))?.link).not.toBe(first);
    await hold();
    expect([sent, closed]).toEqual([["1 1", "1 2"], [id(1)]]);
  });

  it("OE2: a publication goes to as many as an entry, and what it is read with, have room for; the rest is told", async () => {
    const hearers = Array.from({ length: 65_537 }, (_, at) => at.toString(16).padStart(32, "0") as AgentId);
    const { desk, hold, did, sent, lines } = deskWith({ hearers });
    const publication = (n: number): AgentAct => ({
      kind: "publish",
      topic: "news",
      payload: Uint8Array.of(n),
    });
    desk.said([publication(1)]);
    await hold();
    expect(did).toMatchObject([{ kind: "published", ordinals: [1] }]);
    expect([sent.length, lines.length]).toEqual([RECEIVERS_MAX, 1]);
    const most = eventBytes({
      kind: "published",
      ordinals: Array.from({ length: ORDINALS_MAX }, (_, at) => Number.MAX_SAFE_INTEGER - at),
      to: hearers.slice(0, RECEIVERS_MAX),
    });
    expect(most.length).toBeLessThan(ENTRY_MAX);
    expect(readEvent(most)).toMatchObject({ kind: "published" });
    // Those that heard the first hear the second: the outbox has no more lines than it is read with.
    desk.said([publication(2)]);
    await hold();
    expect(sent.length).toBe(2 * RECEIVERS_MAX);
    expect(decodeOutbox(encodeOutbox(desk.outbox)).lines("news").size).toBe(RECEIVERS_MAX);
  });

  it("keeps a line that has what is not held yet, however long it is idle", async () => {
    const { desk, hold, did, sent, time } = deskWith();
    desk.said([send(id(1), 1)]);
    await hold();
    await time.advance(IDLE_MS - 1);
    desk.said([send(id(1), 2)]);
    await time.advance(3 * IDLE_MS);
    expect(did).toEqual([]);
    await hold();
    expect(sent).toEqual(["1 1", "1 2"]);
  });

  it("gives back what was on the way to somebody who is gone, what had not left included, once each", async () => {
    const { desk, hold, lines, broken, did } = deskWith({ takes: false });
    desk.said([send(id(1), 1)]);
    await hold();
    desk.said([send(id(1), 2)]);
    broken.get(id(1))?.();
    await hold();
    expect(lines).toEqual(["lost 1 1", "lost 1 2"]);
    expect(did).toEqual([{ kind: "closed", queue: "post", to: id(1) }]);
  });

  it("RD3: leaves out of a publication who has too many on the way, and says so", async () => {
    const { desk, hold, sent, lines } = deskWith({ takes: false });
    const large = (n: number): AgentAct => ({
      kind: "publish",
      topic: "news",
      payload: new Uint8Array(1_048_000).fill(n),
    });
    const each = 1 + Math.floor(1_048_000 / 4096);
    for (let n = 1; n <= NEWS_MAX / each + 2; n++) {
      desk.said([large(n)]);
      await hold();
    }
    expect(sent.length).toBeLessThan(2 * (NEWS_MAX / each + 2));
    expect(lines).toContain("a publication was kept from those that are slow");
    expect(desk.outbox.parts.requests.size).toBe(0);
  });

  it("RD2: says nothing more once it is carried away, and notes how far its links were", async () => {
    const { desk, hold, sent, closed } = deskWith({ takes: false });
    desk.said([send(id(1), 1)]);
    await hold();
    desk.said([send(id(1), 2)]);
    desk.carryAway();
    await hold();
    expect([sent, closed]).toEqual([["1 1"], []]);
    expect(desk.outbox.line("post", id(1))).toMatchObject({ base: 1, attempts: 3 });
    expect(desk.outbox.line("post", id(1))?.queue.map(([n]) => n)).toEqual([1, 2]);
  });
});
