/** An agent for tests of replicas that says its last words and ends. */
import { type AnyAgent, agent } from "@glia-os/cells/agent";

/** What it says goes to a name that nobody looked up yet, and to whoever hears of news. */
export const leaver: AnyAgent = agent({
  name: "leaver",
  state: () => ({}),
  on: {
    say: {
      handle(ctx, n: number) {
        ctx.tell("book", "line", { n });
        ctx.publish("news", { n });
      },
    },
    leave: {
      handle(ctx, n: number) {
        ctx.tell("book", "line", { n });
        ctx.publish("news", { n });
        ctx.stop();
      },
    },
  },
});

export default leaver;
