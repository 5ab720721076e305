/** A timer that is always due again, whose handler takes longer than its period: others of the thread have their turns. */
import { agent, createLocalSystem } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { expect, test } from "vitest";

const clock = createSystemClock();
const TICK_MS = 3;

/** Computes for longer than its period, at each tick. */
const busy = agent({
  name: "busy",
  state: () => ({ ticks: 0 }),
  start: (ctx) => void ctx.every(1, "tick"),
  on: {
    tick: {
      handle(ctx) {
        ctx.state.ticks++;
        for (const endMs = clock.monotonicMs() + TICK_MS; clock.monotonicMs() < endMs; );
      },
    },
    ticks: { handle: (ctx) => ctx.state.ticks },
  },
});
const quick = agent({ name: "quick", on: { echo: { handle: (_ctx, n: number) => n } } });

test("events of the host and messages of other agents come between the ticks of an agent that is never done", async () => {
  const system = createLocalSystem({ clock, random: createSystemRandom(), timers: createSystemTimers() });
  await system.spawn(quick, { name: "quick" });
  await system.spawn(busy, { name: "busy" });
  const ticks = async (): Promise<number> =>
    Number(await system.ask("busy", "ticks", undefined, { timeoutMs: 60_000 }));
  const before = await ticks();
  const ROUNDS = 10;
  for (let n = 0; n < ROUNDS; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(await system.ask("quick", "echo", n, { timeoutMs: 60_000 })).toBe(n);
  }
  // Each round waits for a few slices at most, and a slice is over after a few ticks.
  expect((await ticks()) - before).toBeLessThan(ROUNDS * 20);
  await system.close();
});
