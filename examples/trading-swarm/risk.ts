/** The risk manager: cuts every order down to what cash and holdings allow, and has a committee vote on large ones. */
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "@glia-os/cells/agent";
import { quorum, type VoterSet } from "@glia-os/cells/orchestration";
import type { Order } from "./analyst.ts";
import type { executor } from "./executor.ts";

/** From this worth on, in cents, the committee decides. */
export const LARGE_CENTS = 700_000;
/** At most this share of the cash goes into one order, in percent. */
export const CASH_PERCENT = 20;
/** What each committee member lets pass, as a percentage of the cash that there is. The last one is away and never answers. */
export const TOLERANCES: readonly (number | "away")[] = [10, 13, 16, 20, "away"];
/** How long the committee has. */
export const VOTE_TIMEOUT_MS = 50;

/** A question to the committee. */
export interface Motion {
  readonly order: Order;
  readonly cents: number;
}

/** A member of the committee. */
export const voter = agent({
  name: "committee-voter",
  state: (tolerance: unknown): { tolerance: number | "away" } => ({
    tolerance: tolerance as number | "away",
  }),
  on: {
    vote: {
      *handle(
        ctx: AgentContext<{ tolerance: number | "away" }>,
        { order, cents }: Motion,
      ): AgentRoutine<string> {
        const { tolerance } = ctx.state;
        if (tolerance === "away") {
          yield* ctx.sleep(10 * VOTE_TIMEOUT_MS);
          return "late";
        }
        return 100 * order.shares * order.cents <= tolerance * cents ? "approve" : "refuse";
      },
    },
  },
});

/** What became of an order. */
export interface Verdict {
  readonly outcome: "executed" | "refused" | "nothing";
  readonly order: Order;
  /** How the committee voted, if it was asked: for, against, without an answer. */
  readonly committee?: { readonly for: number; readonly against: number; readonly silent: number };
}

/** What the manager counts. */
export interface RiskState {
  readonly executor: AgentRef<typeof executor>;
  readonly committee: VoterSet<typeof voter>;
  votes: number;
}

/** The kind of agent. It is made with the executor and the committee that it works with. */
export const riskManager = agent({
  name: "risk-manager",
  state: (input: unknown): RiskState => ({
    ...(input as Pick<RiskState, "executor" | "committee">),
    votes: 0,
  }),
  on: {
    review: {
      *handle(ctx: AgentContext<RiskState>, wanted: Order): AgentRoutine<Verdict> {
        const { cents, shares } = yield* ctx.ask(ctx.state.executor, "holding", wanted.symbol);
        const order = allowed(wanted, cents, shares);
        if (order.shares === 0) return { outcome: "nothing", order };
        if (order.side === "sell" || order.shares * order.cents < LARGE_CENTS) {
          yield* ctx.ask(ctx.state.executor, "execute", order);
          return { outcome: "executed", order };
        }
        ctx.state.votes++;
        const { committee: set } = ctx.state;
        const result = yield* quorum(ctx, set, "vote", { order, cents }, { timeoutMs: VOTE_TIMEOUT_MS });
        const votesFor = result.votes.filter(({ answer }) => answer === "approve").length;
        const committee = {
          for: votesFor,
          against: result.votes.length - votesFor,
          silent: result.silent.length + result.abstentions.length,
        };
        if (result.answer !== "approve") return { outcome: "refused", order, committee };
        yield* ctx.ask(ctx.state.executor, "execute", order);
        return { outcome: "executed", order, committee };
      },
    },
  },
});

/** The order as far as cash and holdings allow it. */
function allowed(order: Order, cents: number, shares: number): Order {
  if (order.side === "sell") return { ...order, shares: Math.min(order.shares, shares) };
  const most = Math.floor((cents * CASH_PERCENT) / 100 / order.cents);
  return { ...order, shares: Math.min(order.shares, most) };
}
