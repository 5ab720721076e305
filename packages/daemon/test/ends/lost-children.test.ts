/** Children that were lost with another node, told to their parents here. */
import { type AgentId, type NodeId, parseAgentId, parseNodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { Member, Mesh } from "@glia-os/mesh-core";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { describe, expect, test } from "vitest";
import { LostChildren, RETRY_MS, TRIES } from "../../src/ends/lost-children.ts";

const NODE: NodeId = parseNodeId("a".repeat(64));
const OTHER: NodeId = parseNodeId("b".repeat(64));
const agent = (n: number): AgentId => parseAgentId(n.toString(16).padStart(32, "0"));
const row = (n: number, more: Partial<AgentRow> = {}): AgentRow =>
  ({ agent: agent(n), owner: NODE, status: "running", ...more }) as AgentRow;

/** A node with parents; coordination answers once there are rows. */
function world(parents = 1) {
  const time = new VirtualTime();
  const told: AgentId[][] = [];
  const member = { node: NODE, state: "dead", bootEpoch: 1 };
  const state = { asked: 0, rows: undefined as readonly AgentRow[] | undefined, member };
  const listAgents = async (): Promise<readonly AgentRow[]> => {
    state.asked++;
    if (state.rows === undefined) throw new RangeError("the anchor does not answer");
    return state.rows;
  };
  const mesh = { members: () => [state.member as Member], coordination: { listAgents } } as unknown as Mesh;
  let away: (node: NodeId) => void = () => {};
  const children = new LostChildren({
    mesh,
    timers: time,
    absences: { onAway: (listener) => void (away = listener) },
    office: { parents, lost: (agents) => void told.push([...agents]) },
  });
  return { time, told, state, children, away: () => away(NODE) };
}

describe("parents of children whose node stays away", () => {
  test("LC1: hear of those that run there and nowhere else, not of those that ended or can go on", async () => {
    const { time, told, state, away } = world();
    const suspended = row(2, { status: "suspended" });
    const copied = row(5, { replicas: [OTHER] });
    state.rows = [row(1), suspended, row(3, { status: "terminated" }), row(4, { owner: OTHER }), copied];
    state.rows = [...state.rows, row(6, { status: "failed" })];
    away();
    await time.advance(0);
    expect(told).toEqual([[agent(1), agent(2)]]);
    await time.advance(3 * RETRY_MS);
    expect([told.length, state.asked], "once").toEqual([1, 1]);
  });

  test("LC2: hear of it when coordination answers again, though it was away with the node", async () => {
    const { time, told, state, away } = world();
    away();
    await time.advance(10 * RETRY_MS);
    expect([told, state.asked]).toEqual([[], 11]);
    state.rows = [row(1)];
    state.member = { ...state.member, state: "alive", bootEpoch: 2 };
    await time.advance(RETRY_MS);
    expect(told).toEqual([[agent(1)]]);
  });

  test("LC2: hear nothing when the node is back as the process it was", async () => {
    const { time, told, state, away } = world();
    away();
    await time.advance(RETRY_MS);
    state.rows = [row(1)];
    state.member = { ...state.member, state: "alive" };
    await time.advance(10 * RETRY_MS);
    expect([told, state.asked]).toEqual([[], 3]);
  });

  test("LC2: are given up after so many tries, and at once at a stop; without parents nobody asks", async () => {
    const silent = world();
    silent.away();
    await silent.time.advance(2 * TRIES * RETRY_MS);
    expect(silent.state.asked).toBe(TRIES + 1);
    const stopped = world();
    stopped.away();
    await stopped.time.advance(RETRY_MS);
    stopped.children.stop();
    await stopped.time.advance(10 * RETRY_MS);
    expect(stopped.state.asked).toBe(2);
    const childless = world(0);
    childless.away();
    await childless.time.advance(RETRY_MS);
    expect(childless.state.asked).toBe(0);
  });
});
