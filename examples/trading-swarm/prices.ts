/** The price file: read whole, checked line by line. */

/** One price. */
export interface Price {
  readonly tick: number;
  readonly symbol: string;
  /** Whole cents, from 1. */
  readonly cents: number;
}

const LINE = /^(\d{1,9}),([A-Z]{1,8}),(\d{1,9})$/;

/** The prices of a file, in its order: ticks ascend, and a symbol has one price per tick. @throws {SyntaxError} naming the line */
export function parsePrices(text: string): readonly Price[] {
  const prices: Price[] = [];
  const seen = new Set<string>();
  for (const [at, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#") || line === "tick,symbol,cents") continue;
    const [, tick, symbol, cents] = LINE.exec(line) ?? [];
    const price = { tick: Number(tick), symbol: symbol ?? "", cents: Number(cents) };
    if (symbol === undefined || price.cents < 1)
      throw new SyntaxError(`line ${at + 1} is no price: ${line.slice(0, 60)}`);
    if (price.tick < (prices.at(-1)?.tick ?? 0)) throw new SyntaxError(`line ${at + 1} goes back in time`);
    if (seen.has(`${tick} ${symbol}`))
      throw new SyntaxError(`line ${at + 1} has a second price of ${symbol}`);
    seen.add(`${tick} ${symbol}`);
    prices.push(price);
  }
  return prices;
}

/** Prices by tick, each list in the order of the file. */
export function byTick(prices: readonly Price[]): readonly (readonly Price[])[] {
  return [...Map.groupBy(prices, ({ tick }) => tick).values()];
}
