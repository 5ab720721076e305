/**
 * The same rules without agents: one loop over the file, written apart from them and sharing no code with them but the constants below, which are
 * repeated here on purpose. It keeps full price histories and recomputes every average from them.
 */
interface Row {
  readonly tick: number;
  readonly symbol: string;
  readonly cents: number;
}

/** Totals by the loop. */
export function totals(text: string): {
  cash: number;
  shares: Record<string, number>;
  worth: number;
  fills: number;
  refused: number;
  votes: number;
} {
  const rows: Row[] = text
    .trim()
    .split("\n")
    .slice(2)
    .map((line) => line.split(","))
    .map(([tick, symbol, cents]) => ({ tick: Number(tick), symbol: String(symbol), cents: Number(cents) }));
  const history: Record<string, number[]> = {};
  const shares: Record<string, number> = {};
  let [cash, fills, refused, votes] = [10_000_000, 0, 0, 0];
  for (const { symbol, cents } of rows) {
    const past = (history[symbol] ??= []);
    past.push(cents);
    const now = crossing(past);
    const before = crossing(past.slice(0, -1));
    if (now === undefined || before === undefined || now === before) continue;
    const twentieth = average(past.slice(-20));
    let wanted = Math.floor((Math.abs(cents - twentieth) > twentieth / 100 ? 1_000_000 : 500_000) / cents);
    if (now) {
      wanted = Math.min(wanted, Math.floor(cash / 5 / cents));
      if (wanted === 0) continue;
      if (wanted * cents >= 700_000) {
        votes++;
        const approving = [10, 13, 16, 20].filter((percent) => 100 * wanted * cents <= percent * cash).length;
        if (approving < 3) {
          refused++;
          continue;
        }
      }
      cash -= wanted * cents;
      shares[symbol] = (shares[symbol] ?? 0) + wanted;
      fills++;
    } else {
      wanted = Math.min(wanted, shares[symbol] ?? 0);
      if (wanted === 0) continue;
      cash += wanted * cents;
      shares[symbol] = (shares[symbol] ?? 0) - wanted;
      fills++;
    }
  }
  let worth = cash;
  for (const [symbol, count] of Object.entries(shares)) worth += count * (history[symbol]?.at(-1) ?? 0);
  return { cash, shares, worth, fills, refused, votes };
}

/** Whether the average of 5 is above that of 20; undefined before there are 20. */
function crossing(past: readonly number[]): boolean | undefined {
  return past.length < 20 ? undefined : average(past.slice(-5)) > average(past.slice(-20));
}

function average(numbers: readonly number[]): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum / numbers.length;
}
