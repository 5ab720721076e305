/** Agents that carry numbers to each other. */
import { type AgentContext, agent } from "@glia-os/cells/agent";

/** Keeps what it is given. */
export const shelf = agent({
  name: "shelf",
  state: () => ({ seen: [] as number[] }),
  on: {
    put: {
      handle(ctx, n: number) {
        ctx.state.seen.push(n);
      },
    },
    seen: { handle: (ctx: AgentContext<{ seen: number[] }>) => ctx.state.seen },
  },
});

/** Counts on, and tells each number to whoever has a name. */
export const carrier = agent({
  name: "carrier",
  state: () => ({ last: 0 }),
  on: {
    carry: {
      *handle(ctx, { to, count }: { readonly to: string; readonly count: number }) {
        for (let n = 0; n < count; n++) {
          ctx.tell(to, "put", ++ctx.state.last);
          if (n % 10 === 9) yield* ctx.sleep(1);
        }
        return ctx.state.last;
      },
    },
    reach: {
      *handle(ctx, to: string) {
        try {
          return yield* ctx.ask(/^[0-9a-f]{32}$/.test(to) ? { id: to } : to, "seen");
        } catch (error) {
          return (error as { readonly code: string }).code;
        }
      },
    },
  },
});

export { carrier as agent };
