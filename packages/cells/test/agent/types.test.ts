/** Types of definitions: what a caller may write, checked by the compiler. */
import {
  type AgentContext,
  type AgentRef,
  type AgentRoutine,
  agent,
  type InputOf,
  type ReplyOf,
} from "@glia-os/cells/agent";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const counter = agent({
  name: "counter",
  state: () => ({ count: 0 }),
  on: {
    add: {
      input: z.number(),
      reply: z.number(),
      handle(ctx, n) {
        expectTypeOf(n).toEqualTypeOf<number>();
        ctx.state.count += n;
        return ctx.state.count;
      },
    },
    lines: {
      input: z.string(),
      chunk: z.object({ line: z.string() }),
      *handle(ctx, text) {
        expectTypeOf(text).toEqualTypeOf<string>();
        for (const line of text.split("\n")) yield* ctx.emit({ line });
      },
    },
    sum: {
      input: z.array(z.number()),
      *handle(ctx, numbers) {
        yield* ctx.sleep(numbers.length);
        return numbers.reduce((a, b) => a + b, 0);
      },
    },
    reset: {
      handle(ctx) {
        ctx.state.count = 0;
      },
    },
  },
});

function* use(ctx: AgentContext, ref: AgentRef<typeof counter>): AgentRoutine<void> {
  const count = yield* ctx.ask(ref, "add", 1);
  expectTypeOf(count).toEqualTypeOf<number>();
  // @ts-expect-error a text is no number
  yield* ctx.ask(ref, "add", "1");
  // @ts-expect-error there is no such message
  yield* ctx.ask(ref, "sub", 1);
  const sum = yield* ctx.ask(ref, "sum", [1]);
  expectTypeOf(sum).toEqualTypeOf<number>();
  const stream = ctx.open(ref, "lines", "a");
  const item = yield* stream.next();
  if (!item.done) expectTypeOf(item.value).toEqualTypeOf<{ line: string }>();
  yield* ctx.ask("any name", "any message", { of: "any kind" });
  const child = yield* ctx.spawn(counter, { name: "x" });
  expectTypeOf(child).toEqualTypeOf<AgentRef<typeof counter>>();
}

test("inputs, replies and chunks have the types of their schemas, or of what handlers return", () => {
  expectTypeOf<InputOf<typeof counter, "add">>().toEqualTypeOf<number>();
  expectTypeOf<ReplyOf<typeof counter, "sum">>().toEqualTypeOf<number>();
  expectTypeOf(use).toBeFunction();
});
