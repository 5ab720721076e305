/** An agent that asks another, for the suite `cells-nodes`: built as a guest, so it is in a file of its own. */
import { type AgentRef, type AnyAgent, agent } from "@glia-os/cells/agent";

/** Answers at once, and asks another so many times, one after the other. */
export const asker: AnyAgent = agent({
  name: "asker",
  state: () => ({ count: 0 }),
  on: {
    add: {
      handle(ctx, n: number) {
        ctx.state.count += n;
        return ctx.state.count;
      },
    },
    askOther: {
      *handle(ctx, { to, times }: { to: AgentRef; times: number }) {
        for (let i = 0; i < times; i++) yield* ctx.ask(to, "add", 1, { timeoutMs: 60_000 });
      },
    },
  },
});

export default asker;
