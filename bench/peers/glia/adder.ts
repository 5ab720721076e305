/** The agent that every ask of the workloads of agents goes to: it adds up. */
import { type AgentContext, type AnyAgent, agent } from "@glia-os/cells/agent";

/** Adds up. */
export const adder: AnyAgent = agent({
  name: "adder",
  state: () => ({ count: 0 }),
  on: {
    add: {
      handle(ctx: AgentContext<{ count: number }>, n: number) {
        ctx.state.count += n;
        return ctx.state.count;
      },
    },
  },
});
