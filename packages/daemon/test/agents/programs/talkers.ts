/** Agents that speak with each other, for tests on real nodes: one module, several definitions. */
import { type AgentRef, type AnyAgent, agent, type StandardSchema } from "@glia-os/cells/agent";

/** A schema without a library: whole numbers. */
export const whole: StandardSchema<unknown, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      Number.isInteger(value)
        ? { value: value as number }
        : { issues: [{ message: "it is no whole number" }] },
  },
};

/** Adds, and keeps what it is told, in order. */
export const counter: AnyAgent = agent({
  name: "counter",
  state: (input: unknown) => ({ count: typeof input === "number" ? input : 0, seen: [] as number[] }),
  on: {
    add: {
      input: whole,
      handle(ctx, n: number) {
        ctx.state.count += n;
        return ctx.state.count;
      },
    },
    note: {
      handle(ctx, n: number) {
        ctx.state.seen.push(n);
      },
    },
    seen: { handle: (ctx) => ctx.state.seen },
    bytes: { handle: (_ctx, bytes: Uint8Array) => bytes.map((byte) => byte ^ 255) },
    who: { handle: (ctx) => ({ self: ctx.self, from: ctx.from }) },
    listen: { handle: (ctx, topic: string) => ctx.subscribe(topic, "note") },
    boom: {
      handle() {
        throw new RangeError("boom");
      },
    },
    lines: {
      input: whole,
      chunk: whole,
      *handle(ctx, upTo: number) {
        for (let i = 0; i < upTo; i++) yield* ctx.emit(i);
        return upTo;
      },
    },
  },
});

/** Tells another numbers, a few at a time, and asks for sums. */
export const teller: AnyAgent = agent({
  name: "teller",
  state: () => ({ sent: 0, children: [] as AgentRef[] }),
  on: {
    tell: {
      handle(ctx, { to, upTo }: { to: AgentRef; upTo: number }) {
        for (let i = 0; i < 5 && ctx.state.sent < upTo; i++) ctx.tell(to, "note", ctx.state.sent++);
        if (ctx.state.sent < upTo) ctx.after(1, "tell", { to, upTo });
      },
    },
    sent: { handle: (ctx) => ctx.state.sent },
    sum: {
      *handle(ctx, { to, n }: { to: AgentRef | string; n: number }) {
        return (yield* ctx.ask(to, "add", n, { timeoutMs: 50_000 })) as number;
      },
    },
    bear: {
      *handle(ctx, { name, on, input }: { name: string; on: string; input: number }) {
        const child = yield* ctx.spawn(counter, { name, on, input });
        ctx.state.children.push(child);
        return child;
      },
    },
    publish: { handle: (ctx, { topic, n }: { topic: string; n: number }) => ctx.publish(topic, n) },
    large: { handle: (ctx, to: AgentRef) => ctx.tell(to, "note", "x".repeat(1_100_000)) },
  },
});

export default counter;
