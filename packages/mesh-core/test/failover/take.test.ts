/** A replica that is given an agent by its owner (HS7). */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, type NodeId, toEpoch } from "@glia-os/abi/ids";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { beforeEach, expect, it } from "vitest";
import { partBody, pointBody, seedBody } from "../../src/failover/messages.ts";
import { Holds, REPLICA_METHODS, readTaken, takeBody } from "../../src/index.ts";
import type { Caller, CallHandler } from "../../src/mesh-types.ts";
import { VirtualTime } from "../../src/testing/index.ts";

const AGENT = "ab".repeat(16) as AgentId;
const [FIRST, SECOND, REPLICA] = ["01", "02", "03"].map((byte) => byte.repeat(32) as NodeId) as [
  NodeId,
  NodeId,
  NodeId,
];
const FEED = "cd".repeat(16);

let time: VirtualTime;
let engine: ReturnType<typeof createMemoryCoordination>;
let sessions: Map<NodeId, string>;
let holds: Holds;
let methods: Map<string, CallHandler>;
let adopted: number[];

const call = (method: string, node: NodeId, body: Uint8Array): Promise<Uint8Array> =>
  (methods.get(method) as CallHandler)({ node } as Caller, body);
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );
const give = (node: NodeId, epoch: number): Promise<Uint8Array> =>
  call(REPLICA_METHODS.take, node, takeBody({ agent: AGENT, epoch: toEpoch(epoch) }));

/** What its owner writes. */
const hand = (sessionId: string): Promise<unknown> =>
  engine.compareAndSwap(AGENT, toEpoch(3), { owner: REPLICA, sessionId, status: "running" }, "give");

/** The agent is the first node's, its copy at the replica complete and named; then a post-copy brought it to the second, with the same replica. */
beforeEach(async () => {
  time = new VirtualTime();
  engine = createMemoryCoordination({ clock: time });
  sessions = new Map();
  adopted = [];
  for (const node of [FIRST, SECOND, REPLICA])
    sessions.set(node, (await engine.openSession(node, 600_000, `open-${node.slice(0, 8)}`)).sessionId);
  holds = new Holds({
    self: REPLICA,
    clock: time,
    timers: time,
    coordination: () => engine,
    sessionId: () => sessions.get(REPLICA) as string,
    admit: async () => undefined,
    call: async () => Promise.reject(new RangeError("nobody")),
    adopt: async (_, { epoch }) => void adopted.push(epoch),
  });
  methods = new Map(holds.methods());
  const sessionId = sessions.get(FIRST) as string;
  const row = { owner: FIRST, sessionId, status: "running", name: "a", programHash: "0".repeat(64) } as const;
  const { epoch } = await engine.createAgent({ agent: AGENT, ...row }, "create");
  const meta = new Uint8Array(1);
  await call(
    REPLICA_METHODS.seed,
    FIRST,
    seedBody({ feed: FEED, agent: AGENT, since: toEpoch(1), position: 0, meta }),
  );
  const bytes = new Uint8Array(8);
  await call(REPLICA_METHODS.part, FIRST, partBody({ feed: FEED, offset: 0, head: true, bytes }));
  await call(REPLICA_METHODS.point, FIRST, pointBody({ feed: FEED, position: 0, whole: true, total: 8 }));
  const named = { owner: FIRST, sessionId, status: "running", replicas: [REPLICA] } as const;
  await engine.compareAndSwap(AGENT, epoch, named, "named");
  const moved = { ...named, owner: SECOND, sessionId: sessions.get(SECOND) as string };
  await engine.compareAndSwap(AGENT, 2 as typeof epoch, moved, "moved");
});

it("HS7: answers with its session, and builds the agent once its owner wrote that down, although the copy is of the owner before", async () => {
  const sessionId = readTaken(await give(SECOND, 3));
  expect(sessionId).toBe(sessions.get(REPLICA));
  await time.advance(10_000);
  expect(adopted, "the owner has not written yet").toEqual([]);
  expect(holds.asks(AGENT), "and its copy is sealed, whatever the looks were refused").toBe(true);
  await hand(sessionId);
  await time.advance(1000);
  expect(await engine.getAgent(AGENT)).toMatchObject({ owner: REPLICA, epoch: 4 });
  expect(adopted).toEqual([4]);
  expect(readTaken(await give(SECOND, 3)), "a repeated call changes nothing").toBe(sessionId);
  await time.advance(1000);
  expect(adopted).toEqual([4]);
});

it("HS3: is built once, although it is given away several times while it is looked at", async () => {
  await time.advance(2000);
  const gives = Promise.all([give(SECOND, 3), give(SECOND, 3), give(SECOND, 3)]);
  await time.advance(1000);
  await hand(readTaken((await gives)[0]));
  await time.advance(2000);
  expect(adopted).toEqual([4]);
});

it("HS7: what its owner gave away and never wrote down is taken over when that owner is gone", async () => {
  await give(SECOND, 3);
  await engine.closeSession(sessions.get(SECOND) as string);
  await time.advance(2000);
  expect(adopted).toEqual([4]);
});

it("HS7: refuses who does not own it, and another epoch than the row's", async () => {
  expect(await codeOf(give(FIRST, 3))).toBe("mesh.replica-refused");
  expect(await codeOf(give(SECOND, 2))).toBe("mesh.replica-refused");
  expect(
    await codeOf(
      call(REPLICA_METHODS.take, SECOND, takeBody({ agent: "00".repeat(16) as AgentId, epoch: toEpoch(3) })),
    ),
  ).toBe("mesh.replica-refused");
  expect(adopted).toEqual([]);
});

it("HS7: keeps the copy while the agent's new owner lives, and takes it over when that one is gone", async () => {
  await time.advance(10_000);
  expect(adopted).toEqual([]);
  await engine.closeSession(sessions.get(SECOND) as string);
  await time.advance(1000);
  expect(adopted).toEqual([4]);
});

it("HS7: forgets the copy when the row names another replica", async () => {
  const sessionId = sessions.get(SECOND) as string;
  const change = { owner: SECOND, sessionId, status: "running", replicas: [FIRST] } as const;
  await engine.compareAndSwap(AGENT, toEpoch(3), change, "renamed");
  await time.advance(3000);
  expect(await codeOf(give(SECOND, 4))).toBe("mesh.replica-refused");
  await engine.closeSession(sessionId);
  await time.advance(3000);
  expect(adopted).toEqual([]);
});
