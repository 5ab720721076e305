/** Lives of agents: hooks, parents and children, kills by the kernel, pauses, upgrades, profiles (local-agent.ts LA2, AP5). */
import {
  type AgentContext,
  type AgentRef,
  type AgentRoutine,
  agent,
  createLocalSystem,
  type StopReason,
} from "@glia-os/cells/agent";
import { family, type Ledger, ledger, ledgerTwo } from "@glia-os/cells/testing";
import { describe, expect, test } from "vitest";
import { world } from "./world.ts";

test("hooks run in order: start before the first message, stop once, with why", async () => {
  const { system, through, kernel } = world();
  const heard: string[] = [];
  const hooked = agent({
    name: "hooked",
    *start(ctx: AgentContext, input: string): AgentRoutine<void> {
      heard.push(`start ${input}`);
      yield* ctx.sleep(10);
      heard.push("started");
    },
    stop: (_: AgentContext, reason: StopReason) => void heard.push(`stop ${reason}`),
    on: { go: { handle: () => void heard.push("go") } },
  });
  const ref = await system.spawn(hooked, { input: "up" });
  expect((await system.observe.agent(ref))?.state).toBe("created");
  await through(system.ask(ref, "go"));
  await through(system.stop(ref));
  await through(system.stop(ref));
  expect(heard).toEqual(["start up", "started", "go", "stop stopped"]);
  expect(await system.observe.agent(ref)).toBeUndefined();
  expect(kernel.dumpState().tasks.map(({ name }) => name)).not.toContain("hooked");
});

test("a start that fails ends the agent, and its asks are answered", async () => {
  const { system, codeOf } = world();
  const stillborn = agent({
    name: "stillborn",
    start: () => {
      throw new RangeError("no ink");
    },
    on: { go: { handle: () => 1 } },
  });
  const ref = await system.spawn(stillborn);
  expect(await codeOf(system.ask(ref, "go"))).toBe("agent.ended");
});

test("a handler that waits is unwound when its agent is stopped, and its finally blocks run", async () => {
  const { system, through, codeOf, turn } = world();
  let unwound = false;
  const waiter = agent({
    name: "waiter",
    on: {
      go: {
        *handle(ctx: AgentContext): AgentRoutine<void> {
          try {
            yield* ctx.sleep(60_000);
          } finally {
            unwound = true;
          }
        },
      },
    },
  });
  const ref = await system.spawn(waiter);
  const asked = codeOf(system.ask(ref, "go"));
  turn();
  await through(system.stop(ref));
  expect([unwound, await asked]).toEqual([true, "agent.ended"]);
});

test("an agent whose task the kernel kills has ended: its asks are answered and its children end", async () => {
  const { system, kernel, codeOf, through, turn } = world();
  const parent = await system.spawn(family);
  const child = (await through(system.ask(parent, "bear", "orphan"))) as AgentRef<Ledger>;
  await system.pause(parent);
  const asked = codeOf(system.ask(parent, "children"));
  turn();
  kernel.kill(system.taskOf(parent)!);
  expect(await asked).toBe("agent.ended");
  turn();
  expect(await system.observe.agent(child)).toBeUndefined();
});

test("a kernel that shuts down ends its agents with their stop hooks", async () => {
  const { system, kernel, turn } = world();
  const reasons: string[] = [];
  system.observe.ends(({ reason }) => reasons.push(reason));
  await system.spawn(ledger);
  await system.spawn(ledger);
  turn();
  kernel.shutdown(1000);
  turn();
  expect(reasons).toEqual(["shutdown", "shutdown"]);
  expect(kernel.liveTasks).toBe(0);
});

describe("supervision:", () => {
  const overdraw = (ref: AgentRef<Ledger>) => [ref, "overdraw"] as const;

  test("restarts beyond the intensity escalate, and the parent fails with its children", async () => {
    const { system, codeOf, through, turn } = world();
    const parent = await system.spawn(family);
    const child = (await through(system.ask(parent, "bear", "clumsy"))) as AgentRef<Ledger>;
    for (let i = 0; i < 3; i++) expect(await codeOf(system.ask(...overdraw(child)))).toBe("agent.invariant");
    turn();
    expect(await system.observe.agent(child)).toBeUndefined();
    expect(await system.observe.agent(parent)).toBeUndefined();
  });

  test("a child whose policy is stop ends, and its parent goes on", async () => {
    const { system, codeOf, through, turn } = world();
    const ends: string[] = [];
    system.observe.ends(({ reason }) => ends.push(reason));
    const parent = await system.spawn(
      agent({
        name: "calm",
        on: {
          bear: {
            *handle(ctx: AgentContext): AgentRoutine<AgentRef> {
              return yield* ctx.spawn(ledger);
            },
          },
          children: { handle: (ctx: AgentContext) => ctx.children().length },
        },
      }),
    );
    const child = (await through(system.ask(parent, "bear"))) as AgentRef<Ledger>;
    await codeOf(system.ask(...overdraw(child)));
    turn();
    expect(ends).toEqual(["failed"]);
    expect(await through(system.ask(parent, "children"))).toBe(0);
  });
});

describe("upgrades:", () => {
  test("one waits for the handler that is under way, and takes the state it leaves", async () => {
    const { system, through, turn } = world();
    const ref = await system.spawn(ledger);
    await through(system.ask(ref, "add", 2));
    const slow = system.ask(ref, "slow", 100);
    turn();
    const upgraded = system.upgrade(ref, ledgerTwo);
    expect(await through(slow)).toBe("slept");
    await through(upgraded);
    expect(await through(system.ask(ref as AgentRef, "add", 1))).toBe(202);
    expect((await system.observe.agent(ref))?.version).toBe(2);
  });

  test("one that cannot begin in time is given up, and the agent goes on as before", async () => {
    const { system, through, codeOf, turn } = world();
    const ref = await system.spawn(ledger);
    const slow = system.ask(ref, "slow", 3000);
    turn();
    expect(await codeOf(system.upgrade(ref, ledgerTwo, 50))).toBe("agent.paused-too-long");
    expect(await through(slow)).toBe("slept");
    expect(await through(system.ask(ref, "add", 1))).toBe(1);
  });
});

test("a profile measures messages, and the forecast of a definition reads it", async () => {
  const { system, through, clock } = world();
  const busy = agent({
    name: "busy",
    forecast: (profile) => profile.cpuIntensity / 2,
    on: { go: { handle: () => clock.advance(2) } },
  });
  const ref = await system.spawn(busy);
  for (let i = 0; i < 200; i++) {
    await through(system.ask(ref, "go"));
    clock.advance(2);
  }
  const { profile } = (await system.observe.agent(ref))!;
  expect(profile.messages).toBe(200);
  expect(profile.executionMs).toBeCloseTo(2, 5);
  expect(profile.cpuIntensity).toBeCloseTo(0.5, 1);
  expect(profile.messageRate).toBeGreaterThan(200);
  expect(profile.forecast).toBe(profile.cpuIntensity / 2);
});

test("a forecast that throws or gives no part of a core is replaced by what the agent uses", async () => {
  for (const forecast of [
    () => Number.NaN,
    () => -1,
    () => 7,
    () => (undefined as never as { no: number }).no,
  ]) {
    const { system, through } = world();
    const ref = await system.spawn(agent({ name: "guesser", forecast, on: { go: { handle: () => 1 } } }));
    for (let i = 0; i < 200; i++) expect(await through(system.ask(ref, "go"))).toBe(1);
    const { profile } = (await system.observe.agent(ref))!;
    expect([profile.cpuIntensity, 1]).toContain(profile.forecast);
  }
});

test("an agent that is expected to compute much has shorter turns, so that others wait less for it", async () => {
  const { system, through, clock } = world();
  let seen = 0;
  const between: number[] = [];
  const hog = agent({
    name: "hog",
    on: {
      go: {
        handle() {
          seen++;
          clock.advance(1);
        },
      },
    },
  });
  const other = agent({ name: "other", on: { go: { handle: () => between.push(seen) } } });
  const busy = await system.spawn(hog);
  const quick = await system.spawn(other);
  const flood = (): Promise<void> =>
    through(
      system.run(function* (ctx: AgentContext): AgentRoutine<void> {
        for (let i = 0; i < 640; i++) ctx.tell(busy, "go");
        for (let i = 0; i < 10; i++) {
          ctx.tell(quick, "go");
          yield* ctx.ask(quick, "go");
        }
        yield* ctx.ask(busy, "go");
      }),
    );
  await flood();
  const before = Math.max(...between.map((at, i) => at - (between[i - 1] ?? 0)));
  for (let i = 0; i < 40; i++) await flood();
  expect((await system.observe.agent(busy))?.profile.forecast).toBeGreaterThan(0.7);
  between.length = 0;
  seen = 0;
  await flood();
  const after = Math.max(...between.map((at, i) => at - (between[i - 1] ?? 0)));
  // The hog has a turn before the other handles an ask, and one before the asker hears of it.
  expect([before, after]).toEqual([2 * 64, 2 * 16]);
});

test("a closed system has no agents and makes none", async () => {
  const { system, through, codeOf } = world();
  const ref = await system.spawn(ledger);
  const asked = codeOf(system.ask(ref, "slow", 60_000));
  await through(system.close());
  expect(await asked).toBe("agent.ended");
  expect(await codeOf(system.spawn(ledger))).toBe("agent.closed");
  expect(await system.observe.agents()).toEqual([]);
});

test("a system without what it needs is refused, and says where that comes from", () => {
  const refused = expect.objectContaining({
    code: "agent.bad-argument",
    message: expect.stringContaining("@glia-os/hal"),
  });
  expect(() => createLocalSystem(undefined as never)).toThrow(refused);
  expect(() => createLocalSystem({ clock: world().clock } as never)).toThrow(refused);
});

test("a listener that throws fails the task of its agent, which the kernel reports, and no other agent", async () => {
  const { system, kernel, through, turn } = world();
  const failures: unknown[] = [];
  kernel.onFailure(({ error }) => failures.push(error));
  const [ref, other] = [await system.spawn(ledger), await system.spawn(ledger)];
  const silence = system.observe.ends(() => {
    throw new RangeError("a listener fell");
  });
  void system.stop(ref);
  turn();
  silence();
  expect(failures).toMatchObject([{ message: "a listener fell" }]);
  expect(await through(system.ask(other, "add", 1))).toBe(1);
});
