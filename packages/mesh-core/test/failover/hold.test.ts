/** One copy of an agent, and the copies of one node: what they take and what they refuse. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, type NodeId, toEpoch } from "@glia-os/abi/ids";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { describe, expect, it } from "vitest";
import { Hold, INCREMENTS_MAX } from "../../src/failover/hold.ts";
import { HOLDS_MAX, Holds, type HoldsOptions, LOOK_MS } from "../../src/failover/holds.ts";
import * as messages from "../../src/failover/messages.ts";
import { VirtualTime } from "../../src/testing/index.ts";

const FEED = "01".repeat(16);
const AGENT = "ab".repeat(16) as AgentId;
const [OWNER, SELF, STRANGER] = ["1", "2", "3"].map((digit) => digit.repeat(64)) as [NodeId, NodeId, NodeId];
const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);
const seed = { feed: FEED, agent: AGENT, since: toEpoch(1), position: 10, meta: bytes(1) };

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return errorCodeOf(error);
  }
}

/** Give a checkpoint of a head and a body of one byte each. */
function checkpoint(hold: Hold, position: number, whole: boolean): void {
  hold.part({ feed: FEED, offset: 0, head: true, bytes: bytes(position) });
  hold.part({ feed: FEED, offset: 1, head: false, bytes: bytes(position) });
  hold.point({ feed: FEED, position, whole, total: 2 }, position);
}

describe("a copy", () => {
  it("HO1: is complete from its first checkpoint on, and has what came after it without a gap", () => {
    const hold = new Hold(seed, OWNER, 0);
    expect(hold.append({ feed: FEED, first: 11, entries: [bytes(11), bytes(12)] }, 1)).toBe(12);
    expect(hold.content()).toBeUndefined();
    checkpoint(hold, 10, true);
    hold.append({ feed: FEED, first: 13, entries: [bytes(13)] }, 2);
    checkpoint(hold, 12, false);
    expect(hold.content()).toMatchObject({
      head: bytes(12),
      whole: [bytes(10)],
      increments: [[bytes(12)]],
      log: [{ entry: bytes(13), atMs: 2 }],
    });
    checkpoint(hold, 20, true);
    expect(hold.held).toBe(20);
    expect(hold.content()).toMatchObject({ whole: [bytes(20)], increments: [], log: [] });
  });

  it("HO2: answers what is repeated, and refuses what does not fit without a change", () => {
    const hold = new Hold(seed, OWNER, 0);
    const point = { feed: FEED, position: 10, whole: true, total: 2 };
    expect(codeOf(() => hold.point(point, 0))).toBe("mesh.replica-refused");
    expect(codeOf(() => hold.part({ feed: FEED, offset: 5, head: false, bytes: bytes(1) }))).toBe(
      "mesh.replica-refused",
    );
    checkpoint(hold, 10, true);
    hold.point(point, 0);
    hold.append({ feed: FEED, first: 11, entries: [bytes(1), bytes(2)] }, 1);
    expect(hold.append({ feed: FEED, first: 11, entries: [bytes(1), bytes(2), bytes(3)] }, 2)).toBe(13);
    expect(hold.content()?.log.map(({ entry }) => entry[0])).toEqual([1, 2, 3]);
    expect(codeOf(() => hold.append({ feed: FEED, first: 15, entries: [bytes(9)] }, 3))).toBe(
      "mesh.replica-refused",
    );
    expect(codeOf(() => checkpoint(hold, 9, false))).toBe("mesh.replica-refused");
    expect(hold.held).toBe(13);
  });

  it("takes so many increments to a whole checkpoint and no more", () => {
    const hold = new Hold(seed, OWNER, 0);
    expect(codeOf(() => checkpoint(hold, 10, false))).toBe("mesh.replica-refused");
    checkpoint(hold, 10, true);
    for (let n = 1; n <= INCREMENTS_MAX; n++) checkpoint(hold, 10 + n, false);
    expect(codeOf(() => checkpoint(hold, 40, false))).toBe("mesh.replica-refused");
    checkpoint(hold, 41, true);
  });
});

describe("the copies of a node", () => {
  async function holds(maxBytes: number, more: Partial<HoldsOptions> = {}) {
    const time = new VirtualTime();
    const engine = createMemoryCoordination({ clock: time });
    const { sessionId } = await engine.openSession(OWNER, 10_000, "open");
    const row = { agent: AGENT, owner: OWNER, sessionId, status: "running", name: "a" } as const;
    await engine.createAgent({ ...row, programHash: "0".repeat(64) }, "create");
    const all = new Holds({
      self: SELF,
      clock: time,
      timers: time,
      maxBytes,
      coordination: () => engine,
      sessionId: () => "",
      call: async () => Promise.reject(new RangeError("nobody")),
      admit: async () => undefined,
      adopt: async () => undefined,
      ...more,
    });
    return { all, engine, time, sessionId };
  }

  async function asked(
    all: Holds,
    node: NodeId,
    method: string,
    body: Uint8Array,
  ): Promise<string | undefined> {
    const handler = new Map(all.methods()).get(method);
    try {
      await handler?.({ node, role: "edge" }, body);
      return undefined;
    } catch (error) {
      return errorCodeOf(error);
    }
  }

  it("HS4: are taken from the agent's owner only, and refused before they are kept when there is no room", async () => {
    const { all } = await holds(100);
    const { seed: seedMethod, part, append, drop } = messages.REPLICA_METHODS;
    expect(await asked(all, STRANGER, seedMethod, messages.seedBody(seed))).toBe("mesh.replica-refused");
    expect(await asked(all, OWNER, seedMethod, messages.seedBody(seed))).toBeUndefined();
    expect(await asked(all, OWNER, seedMethod, messages.seedBody(seed))).toBeUndefined();
    const body = (size: number): Uint8Array =>
      messages.partBody({ feed: FEED, offset: 0, head: true, bytes: new Uint8Array(size) });
    expect(await asked(all, STRANGER, part, body(8))).toBe("mesh.replica-refused");
    expect(await asked(all, OWNER, part, body(200))).toBe("mesh.replica-refused");
    expect(all.bytes).toBe(1);
    expect(await asked(all, OWNER, part, body(50))).toBeUndefined();
    const entries = messages.appendBody({ feed: FEED, first: 11, entries: [new Uint8Array(80)] });
    expect(await asked(all, OWNER, append, entries)).toBe("mesh.replica-refused");
    await asked(all, OWNER, drop, messages.dropBody(FEED));
    expect(all.bytes).toBe(0);
    all.stop();
  });

  it("HS4: begin anew for the agent's owner only", async () => {
    const { all } = await holds(100);
    const { seed: seedMethod, part } = messages.REPLICA_METHODS;
    const again = { ...seed, feed: "02".repeat(16) };
    const body = (feed: string): Uint8Array =>
      messages.partBody({ feed, offset: 0, head: true, bytes: bytes(1) });
    expect(await asked(all, OWNER, seedMethod, messages.seedBody(seed))).toBeUndefined();
    expect(await asked(all, STRANGER, seedMethod, messages.seedBody(again))).toBe("mesh.replica-refused");
    expect(await asked(all, OWNER, part, body(seed.feed))).toBeUndefined();
    expect(await asked(all, OWNER, seedMethod, messages.seedBody(again))).toBeUndefined();
    expect(await asked(all, OWNER, part, body(seed.feed))).toBe("mesh.replica-refused");
    expect(await asked(all, OWNER, part, body(again.feed))).toBeUndefined();
    all.stop();
  });

  it(`HS4: are at most ${HOLDS_MAX}, and those that are kept go on when they are so many`, async () => {
    const { all, engine } = await holds(1e9);
    const { seed: seedMethod } = messages.REPLICA_METHODS;
    const session = await engine.openSession(OWNER, 10_000, "again");
    const told: (string | undefined)[] = [];
    for (let n = 0; n <= HOLDS_MAX; n++) {
      const hex = n.toString(16).padStart(32, "0");
      const row = {
        owner: OWNER,
        sessionId: session.sessionId,
        status: "running",
        programHash: "0".repeat(64),
      } as const;
      await engine.createAgent({ ...row, agent: hex as AgentId, name: `agent ${n}` }, `create ${n}`);
      const body = messages.seedBody({
        feed: hex,
        agent: hex as AgentId,
        since: toEpoch(1),
        position: 0,
        meta: bytes(1),
      });
      told.push(await asked(all, OWNER, seedMethod, body));
    }
    expect(told.filter((code) => code === undefined)).toHaveLength(HOLDS_MAX);
    expect(told.at(-1)).toBe("mesh.replica-refused");
    const { part, point, append } = messages.REPLICA_METHODS;
    const feed = "1".padStart(32, "0");
    const kept = [
      await asked(all, OWNER, part, messages.partBody({ feed, offset: 0, head: true, bytes: bytes(1) })),
      await asked(all, OWNER, point, messages.pointBody({ feed, position: 0, whole: true, total: 1 })),
      await asked(all, OWNER, append, messages.appendBody({ feed, first: 1, entries: [bytes(1)] })),
    ];
    expect(kept).toEqual([undefined, undefined, undefined]);
    all.stop();
  });

  it("HS6: of an agent that was taken over stay until it runs, and are given again while this node has no room", async () => {
    const given: (readonly [number, number])[] = [];
    let room = false;
    let own = "";
    const { all, engine, time, sessionId } = await holds(1e6, {
      sessionId: () => own,
      adopt: async ({ log }, { epoch }) => {
        given.push([epoch, log.length]);
        if (!room) throw new RangeError("no room");
      },
    });
    own = (await engine.openSession(SELF, 60_000, "self")).sessionId;
    const change = { owner: OWNER, sessionId, status: "running", replicas: [SELF] } as const;
    await engine.compareAndSwap(AGENT, 1 as never, change, "named");
    const { seed: seedMethod, part, point, append } = messages.REPLICA_METHODS;
    await asked(all, OWNER, seedMethod, messages.seedBody(seed));
    await asked(all, OWNER, part, messages.partBody({ feed: FEED, offset: 0, head: true, bytes: bytes(1) }));
    await asked(all, OWNER, point, messages.pointBody({ feed: FEED, position: 10, whole: true, total: 1 }));
    await asked(all, OWNER, append, messages.appendBody({ feed: FEED, first: 11, entries: [bytes(1)] }));
    await time.advance(12_000);
    expect(given.length).toBeGreaterThan(2);
    expect(all.size).toBe(1);
    room = true;
    await time.advance(2 * LOOK_MS);
    expect(all.size).toBe(0);
    const times = given.length;
    await time.advance(5000);
    expect(given).toHaveLength(times);
    expect(new Set(given.map(String))).toEqual(new Set(["3,1"]));
    all.stop();
  });

  it("refuse bodies that are rubbish by type", async () => {
    const { all } = await holds(100);
    for (const method of Object.values(messages.REPLICA_METHODS))
      for (const body of [bytes(), bytes(0xff, 1, 2), bytes(0x80), new Uint8Array(40)])
        expect(await asked(all, OWNER, method, body)).toBe("mesh.malformed-message");
    all.stop();
  });
});
