/** Agents that ask one another, to be traced. */
import { type AgentContext, agent } from "@glia-os/cells/agent";

/** Adds one and asks the next, if there is one; says what it knew of its trace. */
export const hop = agent({
  name: "hop",
  state: () => ({ seen: "" }),
  on: {
    go: {
      *handle(ctx: AgentContext<{ seen: string }>, path: readonly string[]) {
        ctx.state.seen = ctx.traceparent ?? "";
        ctx.log("info", "hops", { left: path.length });
        const [next, ...rest] = path;
        if (next === undefined) return 1;
        return 1 + ((yield* ctx.ask(next, "go", rest, { timeoutMs: 50_000 })) as number);
      },
    },
    note: {
      handle(ctx: AgentContext<{ seen: string }>, to?: string): void {
        ctx.state.seen = ctx.traceparent ?? "";
        if (to !== undefined) ctx.tell(to, "note");
      },
    },
    seen: { handle: (ctx: AgentContext<{ seen: string }>) => ctx.state.seen },
  },
});
export default hop;
