/** Broadcasts among agents: everybody hears, once, with little effort. */
import { SeededRandom } from "@glia-os/abi/testing";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { describe, expect, it } from "vitest";
import type { AgentProcess } from "../../src/agent/agent-process.ts";
import { type AgentContext, agent } from "../../src/agent/index.ts";
import { noRumors, type RumorState, rumors } from "../../src/orchestration/index.ts";
import { FANOUT, ROUND_MS, ROUNDS, RUMORS_MAX } from "../../src/orchestration/rumors.ts";
import { SimulatedAgents, type SimulatedAgentsOptions } from "../../src/testing/simulated-agents.ts";
import { codeOf } from "./ids.ts";

interface Member {
  rumors: RumorState<string>;
  members: readonly string[];
  heard: string[];
}

const news = rumors<Member, string>({
  memory: (state) => state.rumors,
  members: (state) => state.members,
  heard: (ctx, payload) => void ctx.state.heard.push(payload),
});
const member = agent({
  name: "member",
  state: (): Member => ({ rumors: noRumors(), members: [], heard: [] }),
  on: {
    ...news.handlers,
    meet: { handle: (ctx: AgentContext<Member>, ids: readonly string[]) => void (ctx.state.members = ids) },
    say: { handle: (ctx: AgentContext<Member>, text: string) => news.broadcast(ctx, text) },
  },
});

function village(size: number, seed: number, options: Partial<SimulatedAgentsOptions> = {}) {
  const time = new VirtualTime();
  const agents = new SimulatedAgents({ time, random: new SeededRandom(seed), ...options });
  const all = Array.from({ length: size }, () => agents.make(member));
  const ids = all.map(({ ref }) => ref.id);
  for (const { ref } of all) agents.tell(ref, "meet", ids);
  return { time, agents, all };
}
const heardBy = (one: AgentProcess): readonly string[] => (one.state as Member).heard;

describe("a rumor", () => {
  it("reaches all of 1,000 simulated nodes within 2 virtual seconds, each once, for every seed", async () => {
    const seeds = process.env["GLIA_SOAK"] === "1" ? 100 : 3;
    const times: number[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const { time, agents, all } = village(1000, seed);
      const [origin, ...others] = all as [AgentProcess, ...AgentProcess[]];
      agents.tell(origin.ref, "say", "fire");
      const startMs = time.monotonicMs();
      expect(await time.advanceUntil(() => others.every((one) => heardBy(one).length > 0), 2000)).toBe(true);
      times.push(Math.round(time.monotonicMs() - startMs));
      await time.advance(ROUNDS * ROUND_MS * 2);
      for (const one of others) expect(heardBy(one)).toEqual(["fire"]);
      expect(heardBy(origin)).toEqual([]);
    }
    console.log(`1,000 nodes, seeds 1 to ${seeds}: all heard after ${times.join(", ")} virtual ms`);
  });

  it("RU2: is pushed to three others per member, and further only to those that ask", async () => {
    const pushed: number[] = [];
    const { time, agents, all } = village(200, 5);
    const send = agents.send.bind(agents);
    agents.send = (speaker, to, envelope) => {
      if (envelope.message === "rumor.push") pushed.push((envelope.input as unknown[]).length);
      return send(speaker, to, envelope);
    };
    agents.tell((all[0] as AgentProcess).ref, "say", "x");
    await time.advance(ROUNDS * ROUND_MS * 3);
    expect(pushed.length).toBeGreaterThanOrEqual(200 * FANOUT);
    expect(pushed.length).toBeLessThan(200 * (FANOUT + 0.3));
  });

  it("RU1: with a third of all envelopes lost, everybody hears every one of 30 rumors once", async () => {
    for (const seed of [1, 2, 3]) {
      const lossy = (random: { uint32(): number }) =>
        random.uint32() % 3 === 0 ? undefined : 5 + (random.uint32() % 50);
      const { time, agents, all } = village(60, seed, { delayMs: lossy });
      for (let n = 0; n < 30; n++) {
        agents.tell((all[n % 7] as AgentProcess).ref, "say", `rumor ${n}`);
        if (n % 10 === 9) await time.advance(100);
      }
      await time.advance(2 * ROUNDS * ROUND_MS);
      expect(agents.lost).toBeGreaterThan(agents.sent / 5);
      for (const [at, one] of all.entries()) {
        const own = Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 7 !== at);
        expect(heardBy(one).toSorted()).toEqual(own.map((n) => `rumor ${n}`).toSorted());
      }
    }
  });

  it("RU3 and RU4: what is kept is bounded, and a village without news is silent", async () => {
    const { time, agents, all } = village(3, 7);
    const [one] = all as [AgentProcess];
    for (let n = 0; n < RUMORS_MAX + 50; n++) agents.tell(one.ref, "say", `${n}`);
    await time.advance(1);
    expect((one.state as Member).rumors.kept).toHaveLength(RUMORS_MAX);
    await time.advance(ROUNDS * ROUND_MS * 3);
    for (const { state } of all) expect((state as Member).rumors.kept).toEqual([]);
    const before = agents.sent;
    await time.advance(3_600_000);
    expect(agents.sent).toBe(before);
  });

  it("RU5: an agent that pushes rubbish ends nobody and changes nothing", async () => {
    const { time, agents, all } = village(3, 8);
    const [one, other] = all as [AgentProcess, AgentProcess];
    const many = Array.from({ length: RUMORS_MAX + 1 }, (_, n) => ({
      origin: other.ref.id,
      number: n + 1,
      payload: "x",
    }));
    const pushes = [
      null,
      "text",
      7,
      [7],
      [null],
      [{ origin: other.ref.id, number: -1 }],
      [{ origin: "nobody", number: 1 }],
      many,
    ];
    for (const push of pushes) agents.tell(one.ref, "rumor.push", push);
    for (const ids of [null, [1], [["nobody", 1]], [[other.ref.id, 0]], {}]) {
      agents.tell(one.ref, "rumor.offer", ids);
      agents.tell(one.ref, "rumor.want", ids);
    }
    await time.advance(1000);
    expect(heardBy(one)).toEqual([]);
    expect(one.lifecycle).toBe("running");
    agents.tell(other.ref, "say", "still here");
    await time.advance(1000);
    expect(heardBy(one)).toEqual(["still here"]);
  });

  it("refuses a fan-out out of range", () => {
    for (const fanout of [0, 17, 1.5])
      expect(codeOf(() => rumors({ ...({} as Parameters<typeof rumors>[0]), fanout }))).toBe(
        "orchestration.bad-option",
      );
  });
});
