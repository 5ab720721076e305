/** An agent for tests of replicas: everything it does depends on everything before, and it asks others for all that agents ask for. */
import { type AgentRef, type AnyAgent, agent, type StandardSchema } from "@glia-os/cells/agent";

const mixed = (chain: number, n: number): number =>
  (Math.imul(chain ^ n, 0x9e37_79b1) ^ (chain >>> 13)) >>> 0;

const anything: StandardSchema<unknown, number> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as number }) },
};

/** A child that does nothing. */
export const helper: AnyAgent = agent({
  name: "child",
  state: () => ({}),
  on: { nothing: { handle: () => undefined } },
});

/** Writes down each number that it is told at `book`, with a chain over all of them, what was random and what time it was. */
export const clerk: AnyAgent = agent({
  name: "clerk",
  state: () => ({ chain: 1, count: 0, rings: 0, doubled: 0, asked: 0, children: [] as AgentRef[] }),
  on: {
    note: {
      handle(ctx, n: number) {
        const { state } = ctx;
        const before = state.chain;
        state.count++;
        state.chain = mixed(before, mixed(n, Math.floor(Math.random() * 1e9) ^ Date.now()));
        const line = { n, count: state.count, before, after: state.chain };
        ctx.tell("book", "line", line);
        ctx.publish("news", line);
        if (state.count % 3 === 0) ctx.after(50, "ring", n);
        if (state.count % 4 === 0) ctx.tell(ctx.self, "double", n);
        if (state.count % 7 === 0 && state.count < 20) ctx.tell(ctx.self, "bear", n);
      },
    },
    ring: {
      handle(ctx, n: number) {
        ctx.tell("book", "rang", { n, rings: ++ctx.state.rings });
      },
    },
    double: {
      *handle(ctx, n: number) {
        const nth = ++ctx.state.asked;
        const twice = (yield* ctx.ask("mill", "double", { n, nth }, { timeoutMs: 1_000_000 })) as number;
        ctx.state.doubled++;
        ctx.tell("book", "doubled", { n, twice, doubled: ctx.state.doubled });
      },
    },
    bear: {
      *handle(ctx) {
        const child = yield* ctx.spawn(helper, {});
        ctx.state.children.push(child);
        ctx.tell("book", "born", { children: ctx.state.children.length });
      },
    },
    totals: { handle: (ctx) => ({ ...ctx.state, children: ctx.state.children.length }) },
    lines: {
      chunk: anything,
      *handle(ctx, upTo: number) {
        for (let i = 0; i < upTo; i++) {
          yield* ctx.emit(i);
          if (i % 40 !== 39) continue;
          const nth = ++ctx.state.asked;
          yield* ctx.ask("mill", "double", { n: i, nth }, { timeoutMs: 1_000_000 });
        }
        return upTo;
      },
    },
  },
});

/** Keeps what it is told, and what it hears. */
export const book: AnyAgent = agent({
  name: "book",
  state: () => ({ told: {} as Record<string, unknown[]> }),
  on: {
    listen: { handle: (ctx) => ctx.subscribe("news", "news") },
    ...Object.fromEntries(
      ["line", "rang", "doubled", "born", "news"].map((message) => [
        message,
        {
          handle(ctx: { readonly state: { readonly told: Record<string, unknown[]> } }, what: unknown) {
            ctx.state.told[message] = [...(ctx.state.told[message] ?? []), what];
          },
        },
      ]),
    ),
    all: { handle: (ctx) => ctx.state.told },
  },
});

/** Takes its time. */
export const mill: AnyAgent = agent({
  name: "mill",
  state: () => ({ asked: [] as number[] }),
  on: {
    double: {
      *handle(ctx, { n, nth }: { n: number; nth: number }) {
        ctx.state.asked.push(nth);
        yield* ctx.sleep(100);
        return 2 * n;
      },
    },
    asked: { handle: (ctx) => ctx.state.asked },
  },
});

export default clerk;
