/** The executor: the only one that moves money and shares. Its invariant is checked after every message: nothing is sold that is not there, no debt. */
import { type AgentContext, agent } from "@glia-os/cells/agent";
import type { Order } from "./analyst.ts";

/** Cash at the start, in cents. */
export const START_CENTS = 10_000_000;

/** What is owned. */
export interface Book {
  cents: number;
  shares: Record<string, number>;
  /** Orders executed, in order. */
  fills: Order[];
}

/** The kind of agent. */
export const executor = agent({
  name: "executor",
  state: (): Book => ({ cents: START_CENTS, shares: {}, fills: [] }),
  on: {
    /** Execute an order at its price. The same order a second time changes nothing: an ask that was repeated does not buy twice. */
    execute: {
      handle(ctx: AgentContext<Book>, order: Order): boolean {
        const { state } = ctx;
        if (state.fills.some(({ tick, symbol }) => tick === order.tick && symbol === order.symbol))
          return false;
        const worth = order.shares * order.cents;
        const sign = order.side === "buy" ? 1 : -1;
        state.cents -= sign * worth;
        state.shares[order.symbol] = (state.shares[order.symbol] ?? 0) + sign * order.shares;
        state.fills.push(order);
        return true;
      },
    },
    /** What the risk manager needs to know of one symbol. */
    holding: {
      handle: (ctx: AgentContext<Book>, symbol: string) => ({
        cents: ctx.state.cents,
        shares: ctx.state.shares[symbol] ?? 0,
      }),
    },
    /** Everything. */
    book: { handle: (ctx: AgentContext<Book>): Book => ctx.state },
  },
  invariant(book) {
    if (book.cents < 0) return `there are ${book.cents} cents`;
    for (const [symbol, shares] of Object.entries(book.shares))
      if (shares < 0) return `there are ${shares} ${symbol}`;
    return true;
  },
});
