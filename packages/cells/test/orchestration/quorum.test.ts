/** Quorums among agents: when they end, and what they say. */
import type { Random } from "@glia-os/abi/ports";
import { SeededRandom } from "@glia-os/abi/testing";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "../../src/agent/index.ts";
import {
  crossCheck,
  neededOf,
  type QuorumOptions,
  type QuorumResult,
  quorum,
  type Threshold,
  voterSet,
} from "../../src/orchestration/index.ts";
import { SimulatedAgents } from "../../src/testing/simulated-agents.ts";
import { refOf } from "./ids.ts";
import { virtualSystem } from "./virtual-system.ts";

/** How a voter answers, one entry per time it is asked: what, or that it fails; and after how long. */
interface Plan {
  readonly answers: readonly (string | null)[];
  readonly afterMs: number;
  asked?: number;
}
const voter = agent({
  name: "voter",
  state: (input: unknown): Plan & { asked: number } => ({ ...(input as Plan), asked: 0 }),
  on: {
    vote: {
      *handle(ctx: AgentContext<Plan & { asked: number }>, _question: string): AgentRoutine<string> {
        const { answers, afterMs } = ctx.state;
        const answer = answers[ctx.state.asked++ % answers.length];
        yield* ctx.sleep(afterMs);
        if (answer === null || answer === undefined) throw new RangeError("no opinion");
        return answer;
      },
    },
    asked: { handle: (ctx: AgentContext<Plan & { asked: number }>) => ctx.state.asked },
  },
});
const says = (answer: string | null, afterMs = 1): Plan => ({ answers: [answer], afterMs });

async function ask(
  plans: readonly Plan[],
  options: QuorumOptions<string> = {},
  gone: readonly AgentRef[] = [],
) {
  const { run, time } = virtualSystem();
  const startMs = time.monotonicMs();
  const result = await run(function* (ctx) {
    const refs: AgentRef<typeof voter>[] = [];
    for (const input of plans) refs.push(yield* ctx.spawn(voter, { input }));
    const set = voterSet("board", 3, [...refs, ...(gone as AgentRef<typeof voter>[])]);
    return yield* quorum(ctx, set, "vote", "why?", options);
  });
  return { ...result, tookMs: time.monotonicMs() - startMs };
}

describe("a quorum", () => {
  it("QR1: ends as soon as enough agree, without waiting for the others", async () => {
    const result = await ask([says("a", 1), says("a", 2), says("a", 3), says("b", 400), says("c", 500)]);
    expect(result).toMatchObject({ outcome: "reached", answer: "a", needed: 3, got: 3 });
    expect(result.tookMs).toBeLessThan(10);
    expect(result.silent).toHaveLength(2);
  });

  it("QR1: ends as soon as it is impossible, also because voters fail or are not there", async () => {
    const result = await ask([says("a", 1), says("b", 2), says("c", 3), says("d", 4), says("a", 900)]);
    expect(result.outcome).toBe("impossible");
    expect(result.answer).toBeUndefined();
    expect(result.tookMs).toBeLessThan(10);
    const failing = await ask([says("a"), says(null), says(null)], { threshold: "super-majority" }, [
      refOf(9),
    ]);
    expect(failing.outcome).toBe("impossible");
    expect(failing.tookMs).toBeLessThan(10);
    expect(failing.abstentions.map(({ why }) => why).join()).toMatch(/no opinion|agent\.unknown-agent/);
  });

  it("QR1: ends when time is up, and says so", async () => {
    const result = await ask([says("a"), says("a", 9000), says("a", 9000)], { timeoutMs: 250 });
    expect(result).toMatchObject({ outcome: "timed-out", got: 1, needed: 2 });
    expect(result.tookMs).toBe(250);
    expect(result.abstentions.every(({ why }) => why.includes("agent.ask-timeout"))).toBe(true);
  });

  it("QR3: names the set, its version, the request and every vote", async () => {
    const result = await ask([says("a"), says("a"), says("b")], { threshold: { votes: 2 }, request: "r-1" });
    expect(result.set).toEqual({ name: "board", version: 3, voters: 3 });
    expect(result.request).toBe("r-1");
    expect(result.votes.map(({ answer }) => answer).filter((answer) => answer === "a")).toHaveLength(2);
    expect((await ask([says("a")])).request).toMatch(/^[0-9a-f]{32}$/);
  });

  it("QR2: a voter that contradicts itself when asked again counts for nothing and is named", async () => {
    const twoFaced: Plan = { answers: ["a", "b"], afterMs: 1 };
    const result = await ask([says("a"), says("a"), twoFaced], { asks: 2, threshold: "unanimous" });
    expect(result.outcome).toBe("impossible");
    expect(result.equivocations).toMatchObject([{ answers: ["a", "b"] }]);
    const calm = await ask([says("a"), says("a"), twoFaced], { asks: 2 });
    expect(calm).toMatchObject({ outcome: "reached", answer: "a", got: 2 });
  });

  it("agrees by the key that it is given", async () => {
    const result = await ask([says("Yes"), says("yes"), says("YES")], {
      threshold: "unanimous",
      key: (answer) => answer.toLowerCase(),
    });
    expect(result.outcome).toBe("reached");
  });

  it("leaves nothing under way: voters that are slow answer into nothing, and the next quorum is not disturbed", async () => {
    const { run } = virtualSystem();
    const rounds = await run(function* (ctx) {
      const refs: AgentRef<typeof voter>[] = [];
      for (const afterMs of [1, 1, 40])
        refs.push(yield* ctx.spawn(voter, { input: { answers: ["1", "2", "3"], afterMs } }));
      const set = voterSet("board", 1, refs);
      const answers: (string | undefined)[] = [];
      for (let round = 0; round < 3; round++) answers.push((yield* quorum(ctx, set, "vote", "?")).answer);
      yield* ctx.sleep(500);
      return { answers, asked: yield* ctx.ask(refs[2] as AgentRef<typeof voter>, "asked") };
    });
    expect(rounds).toEqual({ answers: ["1", "2", "3"], asked: 3 });
  });

  it("runs inside an agent too, and two of them find a voter that tells each something else", async () => {
    const { run } = virtualSystem();
    const surveyor = agent({
      name: "surveyor",
      on: {
        hold: {
          *handle(ctx: AgentContext, refs: readonly AgentRef<typeof voter>[]) {
            return yield* quorum(ctx, voterSet("board", 1, refs), "vote", "?", {
              request: "r",
              threshold: { votes: 2 },
            });
          },
        },
      },
    });
    const found = await run(function* (ctx) {
      const refs: AgentRef<typeof voter>[] = [];
      for (const answers of [["x"], ["x"], ["x", "y"]])
        refs.push(yield* ctx.spawn(voter, { input: { answers, afterMs: 0 } }));
      const results = [];
      for (let n = 0; n < 2; n++) {
        const asker = yield* ctx.spawn(surveyor);
        const ordered = [refs[2], refs[0], refs[1]] as AgentRef<typeof voter>[];
        results.push(yield* ctx.ask(asker, "hold", ordered));
      }
      return { found: crossCheck(results), liar: refs[2]?.id };
    });
    expect(found.found.map(({ voter }) => voter)).toEqual([found.liar]);
  });

  it("QR1 to QR3 hold over a network that delays and loses, for any voters and thresholds", async () => {
    const surveyor = agent({
      name: "surveyor",
      state: (): { result: QuorumResult<string> | null; tookMs: number } => ({ result: null, tookMs: 0 }),
      on: {
        hold: {
          *handle(
            ctx: AgentContext<{ result: QuorumResult<string> | null; tookMs: number }>,
            [refs, threshold, asks]: readonly [readonly AgentRef<typeof voter>[], Threshold, number],
          ): AgentRoutine<void> {
            const startMs = ctx.now();
            const set = voterSet("board", 1, refs);
            const result = yield* quorum(ctx, set, "vote", "?", { threshold, asks, timeoutMs: 300 });
            ctx.state = { result, tookMs: ctx.now() - startMs };
          },
        },
      },
    });
    const plan = fc.record({
      answers: fc.array(fc.constantFrom("a", "b", null), { minLength: 1, maxLength: 2 }),
      afterMs: fc.constantFrom(0, 5, 1000),
    });
    const threshold = fc.constantFrom<Threshold>("majority", "super-majority", "unanimous", { votes: 1 });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { minLength: 1, maxLength: 8 }),
        threshold,
        fc.integer({ min: 1, max: 3 }),
        fc.nat(9),
        fc.integer(),
        async (plans, how, asks, lossPerTen, seed) => {
          runs++;
          const time = new VirtualTime();
          const delayMs = (random: Random): number | undefined =>
            random.uint32() % 10 < lossPerTen ? undefined : 1 + (random.uint32() % 40);
          const agents = new SimulatedAgents({ time, random: new SeededRandom(seed), delayMs });
          const refs = plans.map((input) => agents.make(voter, { input }).ref);
          const asker = agents.make(surveyor);
          agents.tell(asker.ref, "hold", [refs, how, asks]);
          const found = (): { result: QuorumResult<string> | null; tookMs: number } => asker.state as never;
          expect(await time.advanceUntil(() => found().result !== null, 1000)).toBe(true);
          const { result, tookMs } = found() as { result: QuorumResult<string>; tookMs: number };
          expect(tookMs).toBeLessThanOrEqual(300);
          const { votes, equivocations, abstentions, silent } = result;
          const named = [...votes, ...equivocations, ...abstentions].map((one) => one.voter).concat(silent);
          expect(named.toSorted()).toEqual(refs.map(({ id }) => id).toSorted());
          expect(result.needed).toBe(neededOf(voterSet("board", 1, refs), how).needed);
          const most = Math.max(
            0,
            ...["a", "b"].map((answer) => votes.filter((vote) => vote.answer === answer).length),
          );
          expect([result.got, result.outcome === "reached"]).toEqual([most, most >= result.needed]);
          for (const { voter, answer } of votes)
            expect(plans[refs.findIndex(({ id }) => id === voter)]?.answers).toContain(answer);
          for (const { voter } of equivocations)
            expect(plans[refs.findIndex(({ id }) => id === voter)]?.answers).toHaveLength(2);
        },
      ),
      { numRuns: process.env["GLIA_SOAK"] === "1" ? 5000 : 150 },
    );
    console.log(`quorums over a lossy network: ${runs} runs`);
  });

  it("refuses options out of range before it asks anybody", async () => {
    for (const options of [
      { timeoutMs: 0 },
      { timeoutMs: 600_001 },
      { asks: 0 },
      { asks: 4 },
      { threshold: { votes: 4 } },
    ])
      await expect(ask([says("a"), says("a")], options)).rejects.toMatchObject({
        code: "orchestration.bad-option",
      });
  });
});
