/**
 * An analyst: watches the symbols that are its own and proposes orders when a fast moving average crosses a slow one. Which symbols those are,
 * the desk decides by rendezvous hashing; the memory of a symbol moves with it. All in whole numbers, so that totals are exact.
 */
import { type AgentContext, agent } from "@glia-os/cells/agent";
import type { Price } from "./prices.ts";

/** Ticks of the two averages. */
export const FAST = 5;
export const SLOW = 20;
/** Shares of one order are worth about this much, in cents; doubled when the crossing is steep. */
export const ORDER_CENTS = 500_000;

/** What an analyst would do. */
export interface Order {
  readonly tick: number;
  readonly symbol: string;
  readonly side: "buy" | "sell";
  readonly shares: number;
  readonly cents: number;
}

/** What is remembered of a symbol: the last prices, and on which side the fast average was. */
export interface Watched {
  readonly prices: readonly number[];
  readonly above: boolean | undefined;
}

interface Watch {
  symbols: Record<string, Watched>;
}

/** The kind of agent. */
export const analyst = agent({
  name: "analyst",
  state: (): Watch => ({ symbols: {} }),
  on: {
    /** A price of a symbol that is this analyst's. The reply is what it would do about it. */
    price: {
      handle(ctx: AgentContext<Watch>, price: Price): Order | null {
        const { watched, order } = judged(ctx.state.symbols[price.symbol], price);
        ctx.state.symbols[price.symbol] = watched;
        return order;
      },
    },
    /** Give up a symbol: what is remembered of it goes to its next analyst. */
    give: {
      handle(ctx: AgentContext<Watch>, symbol: string): Watched | null {
        const watched = ctx.state.symbols[symbol] ?? null;
        delete ctx.state.symbols[symbol];
        return watched;
      },
    },
    /** Take over a symbol with what is remembered of it. */
    take: {
      handle(ctx: AgentContext<Watch>, { symbol, watched }: { symbol: string; watched: Watched }): void {
        ctx.state.symbols[symbol] = watched;
      },
    },
    /** The symbols that it watches. */
    symbols: {
      handle: (ctx: AgentContext<Watch>): readonly string[] => Object.keys(ctx.state.symbols).sort(),
    },
  },
});

/** What a price makes of what was remembered. Averages are compared by cross-multiplied sums: no fraction is rounded. */
function judged(before: Watched | undefined, price: Price): { watched: Watched; order: Order | null } {
  const prices = [...(before?.prices ?? []), price.cents].slice(-SLOW);
  if (prices.length < SLOW) return { watched: { prices, above: undefined }, order: null };
  const fast = SLOW * sum(prices.slice(-FAST));
  const slow = FAST * sum(prices);
  const watched = { prices, above: fast > slow };
  if (before?.above === undefined || before.above === watched.above) return { watched, order: null };
  // Steep: the newest price is more than 1 % away from the slow average.
  const steep = 100 * Math.abs(SLOW * price.cents - sum(prices)) > sum(prices);
  const shares = Math.floor((steep ? 2 * ORDER_CENTS : ORDER_CENTS) / price.cents);
  const side = watched.above ? ("buy" as const) : ("sell" as const);
  return { watched, order: shares === 0 ? null : { ...price, side, shares } };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
