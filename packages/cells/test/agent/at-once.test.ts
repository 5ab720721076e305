/** Asks that are answered within the asker's turn (local-agent.ts LA3): what is saved, and what stays as it was. */

import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type AgentContext,
  type AgentRef,
  type AgentRoutine,
  agent,
  createLocalSystem,
} from "@glia-os/cells/agent";
import { expect, test } from "vitest";
import { AT_ONCE_MAX } from "../../src/agent/local/local-agent.ts";
import { world } from "./world.ts";

const counter = agent({
  name: "counter",
  state: () => ({ count: 0 }),
  on: {
    add: { handle: (ctx: AgentContext<{ count: number }>, n: number) => (ctx.state.count += n) },
    slowly: {
      *handle(ctx: AgentContext<{ count: number }>, n: number): AgentRoutine<number> {
        ctx.state.count += n;
        yield* ctx.sleep(0);
        return ctx.state.count;
      },
    },
    leave: {
      handle(ctx: AgentContext) {
        ctx.stop();
        return "left";
      },
    },
    fail: {
      handle() {
        throw new RangeError("no ink");
      },
    },
  },
});

test("LA3: asks of an agent that rests cost a switch of tasks once in so many, and their replies are what they were", async () => {
  const { system, through, kernel } = world();
  const ref = await system.spawn(counter);
  await through(system.ask(ref, "add", 0));
  const asks = 10 * AT_ONCE_MAX;
  const before = kernel.counters().switches;
  const replies: number[] = [];
  await through(
    system.run(function* (ctx: AgentContext): AgentRoutine<void> {
      for (let i = 0; i < asks; i++) replies.push(yield* ctx.ask(ref, "add", 1));
    }),
  );
  expect(replies).toEqual(replies.map((_, i) => i + 1));
  expect(replies.length).toBe(asks);
  expect(kernel.counters().switches - before).toBeLessThan(asks / 16);
});

test("LA3: whoever asks without end leaves others their turns", async () => {
  const { system, kernel } = world();
  const ref = await system.spawn(counter);
  const other = await system.spawn(counter);
  let over = false;
  const endless = system.run(function* (ctx: AgentContext): AgentRoutine<void> {
    while (!over) yield* ctx.ask(ref, "add", 1);
  });
  const replies: unknown[] = [];
  for (let i = 1; i <= 5; i++) void system.ask(other, "add", 1).then((reply) => replies.push(reply));
  const slices = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) {
      kernel.runSlice(8);
      await undefined;
    }
  };
  await slices();
  expect(replies).toEqual([1, 2, 3, 4, 5]);
  over = true;
  await slices();
  await endless;
});

test("what was told before an ask is handled before it", async () => {
  const { system, through } = world();
  const ref = await system.spawn(counter);
  const replies: number[] = [];
  await through(
    system.run(function* (ctx: AgentContext): AgentRoutine<void> {
      for (let i = 0; i < 100; i++) {
        ctx.tell(ref, "add", 10);
        replies.push(yield* ctx.ask(ref, "add", 1));
        replies.push(yield* ctx.ask(ref, i % 3 === 0 ? "slowly" : "add", 1));
      }
    }),
  );
  expect(replies).toEqual(replies.map((_, i) => 11 + 12 * (i >> 1) + (i & 1)));
});

test("an agent that fails, leaves, is paused or is gone answers as ever", async () => {
  const { system, through, kernel } = world();
  const ref = await system.spawn(counter);
  const heard: unknown[] = [];
  const asking = function* (ctx: AgentContext, message: string): AgentRoutine<void> {
    try {
      heard.push(yield* ctx.ask(ref as AgentRef, message, 1, { timeoutMs: 1000 }));
    } catch (error) {
      heard.push(errorCodeOf(error));
    }
  };
  await through(
    system.run(function* (ctx: AgentContext): AgentRoutine<void> {
      yield* asking(ctx, "add");
      yield* asking(ctx, "fail");
      yield* asking(ctx, "add");
      yield* asking(ctx, "nonsense");
    }),
  );
  await system.pause(ref);
  await through(system.run((ctx: AgentContext) => asking(ctx, "add")));
  await system.resume(ref);
  await through(
    system.run(function* (ctx: AgentContext): AgentRoutine<void> {
      yield* asking(ctx, "add");
      yield* asking(ctx, "leave");
      yield* ctx.sleep(1);
      yield* asking(ctx, "add");
    }),
  );
  // The ask that was given up while it was paused was handled, for it was taken.
  expect(heard).toEqual([
    1,
    "agent.handler-failed",
    2,
    "agent.unknown-message",
    "agent.ask-timeout",
    4,
    "left",
    "agent.unknown-agent",
  ]);
  expect(kernel.dumpState().tasks.map(({ name }) => name)).not.toContain("counter");
});

test("an agent that tells itself something while it answers handles that in a turn of its own", async () => {
  const { system, through } = world();
  const echoing = agent({
    name: "echoing",
    state: () => ({ seen: [] as string[] }),
    on: {
      go: {
        handle(ctx: AgentContext<{ seen: string[] }>) {
          ctx.tell(ctx.self, "later");
          ctx.state.seen.push("go");
          return ctx.state.seen.length;
        },
      },
      later: { handle: (ctx: AgentContext<{ seen: string[] }>) => void ctx.state.seen.push("later") },
      seen: { handle: (ctx: AgentContext<{ seen: string[] }>) => ctx.state.seen },
    },
  });
  const ref = await system.spawn(echoing);
  const seen = await through(
    system.run(function* (ctx: AgentContext): AgentRoutine<unknown> {
      yield* ctx.ask(ref, "go");
      return yield* ctx.ask(ref, "seen");
    }),
  );
  expect(seen).toEqual(["go", "later"]);
});

test("LS1: a program outside that asks has nothing handled before its call returns", async () => {
  const { system, through } = world();
  let handled = 0;
  const watched = agent({ name: "watched", on: { go: { handle: () => ++handled } } });
  const ref = await system.spawn(watched);
  await through(system.ask(ref, "go"));
  const asked = system.ask(ref, "go");
  expect(handled).toBe(1);
  expect(await through(asked)).toBe(2);
});

test("LA3: where tasks are made specially, every ask is a switch, so that each agent pays for what it does", async () => {
  const { kernel, clock, through } = world();
  const system = createLocalSystem({ kernel, clock, task: () => ({ priority: "low" }) });
  const ref = await system.spawn(counter);
  await through(system.ask(ref, "add", 0));
  const before = kernel.counters().switches;
  await through(
    system.run(function* (ctx: AgentContext): AgentRoutine<void> {
      for (let i = 0; i < 100; i++) yield* ctx.ask(ref, "add", 1);
    }),
  );
  expect(kernel.counters().switches - before).toBeGreaterThanOrEqual(200);
});
