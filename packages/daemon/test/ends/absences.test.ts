/** Members that are away, and what they said was bound to them. */
import { type AgentId, type NodeId, parseAgentId, parseNodeId } from "@glia-os/abi/ids";
import type { Member, MeshEvent } from "@glia-os/mesh-core";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { expect, test } from "vitest";
import { Absences } from "../../src/ends/absences.ts";
import { BOUND_MAX, BoundAgents, boundBytes, boundIn } from "../../src/ends/bound-agents.ts";

const node = (digit: string): NodeId => parseNodeId(digit.repeat(64));
const agent = (n: number): AgentId => parseAgentId(n.toString(16).padStart(32, "0"));

test("AB1: an absence is told once, when it has lasted, and not at all of a member that comes back before", async () => {
  const time = new VirtualTime();
  let tell: (event: MeshEvent) => void = () => {};
  const onEvent = (listener: (event: MeshEvent) => void): (() => void) => {
    tell = listener;
    return () => {};
  };
  const parts = { clock: time, timers: time, awayMs: 5000 };
  const absences = new Absences({ ...parts, mesh: { self: node("f"), onEvent } });
  const away: NodeId[] = [];
  absences.onAway((one) => away.push(one));
  const happens = (kind: "memberDead" | "memberUp", who: NodeId): void =>
    tell({ kind, member: { node: who } as Member });
  const diedMs = time.wallMs();
  for (const who of ["a", "b", "a", "f"].map(node)) happens("memberDead", who);
  expect(absences.since(node("a"))).toBe(diedMs);
  await time.advance(4999);
  happens("memberUp", node("b"));
  expect([absences.since(node("b")), away]).toEqual([undefined, []]);
  await time.advance(20_000);
  expect(away).toEqual([node("a")]);
  happens("memberUp", node("a"));
  happens("memberDead", node("a"));
  absences.stop();
  await time.advance(20_000);
  expect(away).toEqual([node("a")]);
});

test("BA1, BA2: an agent is bound while one of the last two answers of a node named it", () => {
  const bound = new BoundAgents();
  expect(bound.has(agent(1))).toBe(false);
  bound.more(node("a"), [agent(1)]);
  bound.said(node("a"), [agent(2)]);
  expect([1, 2, 3].map((n) => bound.has(agent(n)))).toEqual([true, true, false]);
  bound.said(node("a"), [agent(2)]);
  expect([1, 2].map((n) => bound.has(agent(n)))).toEqual([false, true]);
  bound.clear();
  expect(bound.has(agent(2))).toBe(false);
});

test("agents go as 16 bytes each, at most 10,000; what is no list of them is refused", () => {
  const many = Array.from({ length: BOUND_MAX + 1 }, (_, n) => agent(n));
  expect(boundIn(boundBytes(many))).toEqual(many.slice(0, BOUND_MAX));
  const malformed = expect.objectContaining({ code: "abi.malformed" });
  for (const value of [new Uint8Array(15), new Uint8Array(16 * (BOUND_MAX + 1))])
    expect(() => boundIn(value)).toThrow(malformed);
  const bound = new BoundAgents();
  bound.more(node("a"), many.slice(0, BOUND_MAX));
  bound.more(node("a"), [agent(BOUND_MAX + 7)]);
  expect(bound.has(agent(BOUND_MAX + 7))).toBe(false);
});
