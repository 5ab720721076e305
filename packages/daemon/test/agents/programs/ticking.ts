/** An agent that computes for longer than the period of its timer, and one that answers at once. */
import { type AnyAgent, agent } from "@glia-os/cells/agent";

const TICK_MS = 3;

/** Never done: its timer is always due again. */
export const busy: AnyAgent = agent({
  name: "busy",
  state: () => ({ ticks: 0 }),
  start: (ctx) => void ctx.every(1, "tick"),
  on: {
    tick: {
      handle(ctx) {
        ctx.state.ticks++;
        for (const endMs = ctx.now() + TICK_MS; ctx.now() < endMs; );
      },
    },
    ticks: { handle: (ctx) => ctx.state.ticks },
  },
});

/** Answers at once. */
export const quick: AnyAgent = agent({ name: "quick", on: { echo: { handle: (_ctx, n: number) => n } } });
export default quick;
