/** Agents that share a state over a topic: they converge under loss, and after moves. */
import { SeededRandom } from "@glia-os/abi/testing";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { describe, expect, it } from "vitest";
import type { AgentProcess } from "../../src/agent/agent-process.ts";
import { type AgentContext, agent } from "../../src/agent/index.ts";
import {
  noSharedState,
  type SharedPlain,
  sharedState,
  sharing,
} from "../../src/orchestration/shared-state/index.ts";
import { SimulatedAgents } from "../../src/testing/simulated-agents.ts";
import { codeOf } from "./ids.ts";
import { virtualSystem } from "./virtual-system.ts";

interface Peer {
  shared: SharedPlain;
  changes: number;
}
const shared = sharing<Peer>({
  memory: (state) => state.shared,
  topic: "votes",
  changed: (ctx) => void ctx.state.changes++,
});
const version = (number: number) =>
  agent({
    name: "peer",
    version: number,
    state: (): Peer => ({ shared: noSharedState(), changes: 0 }),
    start: (ctx: AgentContext<Peer>) => shared.start(ctx),
    on: {
      ...shared.handlers,
      add: {
        handle: (ctx: AgentContext<Peer>, n: number) =>
          shared.change(ctx, (state) => state.counter("sum").add(n)),
      },
      put: {
        handle: (ctx: AgentContext<Peer>, [key, value]: readonly [string, number]) =>
          shared.change(ctx, (state) => state.map("m").set(key, value)),
      },
      drop: {
        handle: (ctx: AgentContext<Peer>, key: string) =>
          shared.change(ctx, (state) => void state.map("m").delete(key)),
      },
      read: {
        handle: (ctx: AgentContext<Peer>) => {
          const state = shared.read(ctx);
          return { sum: state.counter("sum").value, map: state.map("m").entries() };
        },
      },
    },
  });
const shownOf = ({ state }: AgentProcess) => {
  const read = sharedState((state as Peer).shared, () => 0.5);
  return { sum: read.counter("sum").value, map: read.map("m").entries() };
};

const peer = version(1);

describe("agents that share a state", () => {
  it("SG1: are the same within two periods after a network that loses every second envelope has become whole", async () => {
    for (let seed = 1; seed <= 5; seed++) {
      let lossy = true;
      const time = new VirtualTime();
      const random = new SeededRandom(seed);
      const agents = new SimulatedAgents({
        time,
        random,
        delayMs: (chance) => (lossy && chance.uint32() % 2 === 0 ? undefined : 1 + (chance.uint32() % 60)),
      });
      const all = Array.from({ length: 5 }, () => agents.make(peer));
      let sum = 0;
      for (let n = 0; n < 60; n++) {
        const { ref } = all[random.uint32() % 5] as AgentProcess;
        agents.tell(ref, "add", n);
        sum += n;
        agents.tell(ref, n % 5 === 4 ? "drop" : "put", n % 5 === 4 ? `k${n % 3}` : [`k${n % 3}`, n]);
        await time.advance(random.uint32() % 40);
      }
      expect(agents.lost).toBeGreaterThan(50);
      lossy = false;
      await time.advance(2000);
      for (const one of all) expect(shownOf(one)).toEqual(shownOf(all[0] as AgentProcess));
      expect(shownOf(all[0] as AgentProcess).sum).toBe(sum);
      const before = agents.sent;
      await time.advance(10_000);
      // Once the same, they only say what they know: 5 agents, 5 hearers, once a second.
      expect(agents.sent - before).toBeLessThanOrEqual(5 * 5 * 11);
    }
  });

  it("SG2: drop what is no change, say so, and go on", async () => {
    const time = new VirtualTime();
    const agents = new SimulatedAgents({ time, random: new SeededRandom(3) });
    const [one, other] = [agents.make(peer), agents.make(peer)];
    await time.advance(10);
    for (const rubbish of [
      { changes: "text" },
      { known: Uint8Array.of(255) },
      { changes: Uint8Array.of(1, 2, 3) },
      null,
      7,
    ])
      agents.tell(one.ref, "shared.heard", rubbish);
    agents.tell(other.ref, "add", 4);
    await time.advance(3000);
    expect(shownOf(one).sum).toBe(4);
    expect(agents.lines.filter(({ message }) => message.includes("no change")).length).toBeGreaterThanOrEqual(
      3,
    );
    expect([one, other].map(({ lifecycle }) => lifecycle)).toEqual(["running", "running"]);
  });

  it("do the same in a local system, where one that is upgraded in place keeps what it knows", async () => {
    const { run, system } = virtualSystem();
    const [one, other] = [await system.spawn(peer), await system.spawn(peer)];
    const read = await run(function* (ctx) {
      yield* ctx.ask(one, "add", 2);
      yield* ctx.ask(other, "add", 3);
      yield* ctx.sleep(3000);
      return [yield* ctx.ask(one, "read"), yield* ctx.ask(other, "read")];
    });
    expect(read.map(({ sum }) => sum)).toEqual([5, 5]);
    await system.upgrade(one, version(2));
    const again = await run(function* (ctx) {
      yield* ctx.ask(one, "add", 10);
      yield* ctx.sleep(3000);
      return [yield* ctx.ask(one, "read"), yield* ctx.ask(other, "read")];
    });
    expect(again.map(({ sum }) => sum)).toEqual([15, 15]);
  });

  it("refuse a topic and a period out of range", () => {
    const memory = (state: Peer): SharedPlain => state.shared;
    for (const options of [{ topic: "" }, { topic: "t", knownMs: 5 }, { topic: "t", knownMs: 1.5 }])
      expect(codeOf(() => sharing<Peer>({ memory, ...options }))).toBe("orchestration.bad-option");
  });
});
