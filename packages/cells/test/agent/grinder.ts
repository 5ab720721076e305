/** An agent that computes for as long as it is told to. */
import { type AgentContext, type AnyAgent, agent } from "@glia-os/cells/agent";

/** Computes. */
export const grinder: AnyAgent = agent({
  name: "grinder",
  on: {
    grind: {
      handle(ctx: AgentContext, ms: number) {
        const until = ctx.now() + ms;
        let turns = 0;
        while (ctx.now() < until) turns++;
        return turns;
      },
    },
  },
});
