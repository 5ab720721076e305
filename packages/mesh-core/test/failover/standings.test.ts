/** Which of several replicas takes an agent over (SD1, SD2). */
import { type AgentId, type NodeId, toEpoch } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { describe, expect, it } from "vitest";
import { Holds } from "../../src/failover/holds.ts";
import {
  appendBody,
  partBody,
  pointBody,
  REPLICA_METHODS,
  readStanding,
  seedBody,
  standingBody,
} from "../../src/failover/messages.ts";
import type { Caller } from "../../src/mesh-types.ts";
import { VirtualTime } from "../../src/testing/index.ts";

const AGENT = "ab".repeat(16) as AgentId;
const [OWNER, A, B, C] = ["1", "a", "b", "c"].map((digit) => digit.repeat(64)) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const LEASE_MS = 5000;

/** An agent whose row names three replicas, and what each of them has; its owner is silent from now on. */
async function world(copies: ReadonlyMap<NodeId, { since: number; entries: number }>) {
  const time = new VirtualTime();
  const engine = createMemoryCoordination({ clock: time });
  const { sessionId } = await engine.openSession(OWNER, LEASE_MS, "open");
  const row = { agent: AGENT, owner: OWNER, sessionId, status: "running", name: "a" } as const;
  const replicas = [A, B, C];
  await engine.createAgent({ ...row, replicas, programHash: "0".repeat(64) }, "create");
  const nodes = new Map<NodeId, Holds>();
  const taken: (readonly [NodeId, AgentRow])[] = [];
  const sessions = new Map<NodeId, string>();
  const deaf = new Set<NodeId>();
  const asked: string[] = [];
  const told = (node: NodeId, method: string, body: Uint8Array): Promise<Uint8Array> => {
    const handler = new Map(nodes.get(node)?.methods()).get(method);
    return (
      handler?.({ node: OWNER, role: "edge" } as Caller, body) ?? Promise.reject(new RangeError("nobody"))
    );
  };
  for (const [node, { since, entries }] of copies) {
    const session = (await engine.openSession(node, 600_000, `open ${node[0]}`)).sessionId;
    sessions.set(node, session);
    const holds = new Holds({
      self: node,
      clock: time,
      timers: time,
      coordination: () => engine,
      sessionId: () => session,
      call: async (to, method, body, { timeoutMs = 0 }) => {
        asked.push(`${node[0]} asks ${to[0]}`);
        if (!deaf.has(to)) return told(to, method, body);
        await new Promise<void>((resolve) => void time.schedule(timeoutMs, resolve));
        throw new RangeError("no answer");
      },
      admit: async () => undefined,
      adopt: async (_, row) => void taken.push([node, row]),
    });
    nodes.set(node, holds);
    const feed = `${node.slice(0, 1)}0`.repeat(16);
    const meta = new Uint8Array(1);
    await told(
      node,
      REPLICA_METHODS.seed,
      seedBody({ feed, agent: AGENT, since: toEpoch(since), position: 0, meta }),
    );
    await told(node, REPLICA_METHODS.part, partBody({ feed, offset: 0, head: true, bytes: meta }));
    await told(node, REPLICA_METHODS.point, pointBody({ feed, position: 0, whole: true, total: 1 }));
    const list = Array.from({ length: entries }, () => meta);
    await told(node, REPLICA_METHODS.append, appendBody({ feed, first: 1, entries: list }));
  }
  const stop = (): void => {
    for (const holds of nodes.values()) holds.stop();
  };
  return { time, engine, nodes, taken, sessions, deaf, asked, told, stop };
}

const has = (...list: readonly (readonly [NodeId, number, number])[]) =>
  new Map(list.map(([node, since, entries]) => [node, { since, entries }]));

describe("of several replicas", () => {
  it("SD1: the one with the most entries takes the agent over; of those that have as many, the one that is named first", async () => {
    for (const [copies, first] of [
      [has([A, 1, 2], [B, 1, 5], [C, 1, 4]), B],
      [has([A, 1, 2], [B, 1, 5], [C, 1, 5]), B],
      [has([A, 1, 3], [B, 1, 3], [C, 1, 3]), A],
      [has([A, 1, 9], [B, 2, 1], [C, 2, 3]), C],
    ] as const) {
      const { time, taken, stop } = await world(copies);
      await time.advance(LEASE_MS + 2000);
      expect(taken.map(([node]) => node)).toEqual([first]);
      const others = [A, B, C].filter((node) => node !== first);
      expect(taken[0]?.[1]).toMatchObject({ owner: first, epoch: 2, replicas: others });
      stop();
    }
  });

  it("SD2: one that does not answer is not waited for, nor asked at every look; one that died is not either", async () => {
    const { time, taken, deaf, asked, stop } = await world(has([A, 1, 2], [B, 1, 5], [C, 1, 4]));
    await time.advance(LEASE_MS - 1000);
    deaf.add(B);
    deaf.add(A);
    const before = asked.length;
    await time.advance(900);
    expect(asked.slice(before).filter((what) => what === "c asks b").length).toBeLessThanOrEqual(1);
    deaf.delete(A);
    await time.advance(2000);
    expect([B, C]).toContain(taken[0]?.[0]);
    expect(taken).toHaveLength(1);
    stop();
  });

  it("SD2: one that does not ask coordination itself says nothing of its copy", async () => {
    const { time, told, stop } = await world(has([A, 1, 2], [B, 1, 5]));
    expect(readStanding(await told(B, REPLICA_METHODS.standing, standingBody(AGENT)))).toBeUndefined();
    await time.advance(3000);
    expect(readStanding(await told(B, REPLICA_METHODS.standing, standingBody(AGENT)))).toEqual({
      since: 1,
      held: 5,
    });
    stop();
  });

  it("SD2: one whose own session is gone is not waited for, though its copy is the longest", async () => {
    const { time, engine, taken, sessions, stop } = await world(has([A, 1, 2], [B, 1, 5]));
    await time.advance(LEASE_MS - 1000);
    await engine.closeSession(sessions.get(B) ?? "");
    await time.advance(3000);
    expect(taken.map(([node]) => node)).toEqual([A]);
    stop();
  });

  it("K6: those that are left keep their copies, and one of them goes on when the next owner is gone, too", async () => {
    const { time, engine, taken, nodes, stop } = await world(has([A, 1, 2], [B, 1, 5], [C, 1, 4]));
    await time.advance(LEASE_MS + 2000);
    expect(taken.map(([node]) => node)).toEqual([B]);
    nodes.get(B)?.stop();
    const [, row] = taken[0] as readonly [NodeId, AgentRow];
    await engine.closeSession(row.sessionId);
    await time.advance(2000);
    expect(taken.map(([node]) => node)).toEqual([B, C]);
    expect(taken[1]?.[1]).toMatchObject({ owner: C, epoch: 3, replicas: [A] });
    stop();
  });
});
