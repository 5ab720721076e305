import { type AgentContext, type AgentRef, agent, createLocalSystem } from "@glia-os/cells/agent";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const adder = agent({ name: "adder", on: { add: { handle: (_, n: number) => n * 2 } } });
const counter = agent({
  name: "counter",
  state: () => ({ count: 0 }),
  on: {
    add: {
      input: z.number(),
      reply: z.number(),
      handle(ctx, n) {
        ctx.state.count += n;
        return ctx.state.count;
      },
    },
    slow: {
      input: z.number(),
      *handle(ctx, ms) {
        yield* ctx.sleep(ms);
        return ctx.state.count;
      },
    },
    lines: {
      input: z.number(),
      chunk: z.number(),
      *handle(ctx, n) {
        for (let i = 0; i < n; i++) yield* ctx.emit(i);
        return "end";
      },
    },
    double: {
      *handle(ctx) {
        const child: AgentRef = yield* ctx.spawn(adder, {});
        return yield* ctx.ask(child, "add", 21);
      },
    },
  },
});

test("smoke", async () => {
  const { kernel, clock } = createTestKernel(1);
  const system = createLocalSystem({ kernel, clock });
  const ref = await system.spawn(counter, { name: "a" });
  const run = system.run(function* (ctx: AgentContext) {
    const one = yield* ctx.ask(ref, "add", 1);
    const two = yield* ctx.ask("a", "add", 2);
    const t = ctx.begin(ref, "slow", 100);
    const u = ctx.begin(ref, "add", 5);
    const settled = yield* ctx.settled([t, u], { count: 2 });
    const stream = ctx.open(ref, "lines", 40);
    const chunks: unknown[] = [];
    for (;;) {
      const item = yield* stream.next();
      chunks.push(item.value);
      if (item.done) break;
    }
    let code = "";
    try {
      yield* ctx.ask(ref, "slow", 10_000);
    } catch (e) {
      code = (e as { code: string }).code;
    }
    return { one, two, settled: settled.map((s) => s.ok && s.value), chunks, code };
  });
  runToCompletion(kernel, clock);
  const out = await run;
  expect(out).toMatchObject({ one: 1, two: 3, settled: [3, 8], code: "agent.ask-timeout" });
  expect(out.chunks).toEqual([...Array.from({ length: 40 }, (_, i) => i), "end"]);
  const ask = system.ask(ref, "double");
  runToCompletion(kernel, clock);
  expect(await ask).toBe(42);
});
