/**
 * `node make-prices.ts`: writes `prices.csv`, the SYNTHETIC prices of this example. No market had them: every price is a random walk in whole
 * cents, made from the seed below. The same seed gives the same file, byte for byte.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the file is made of. */
export const SEED = 20_261_122;
const TICKS = 400;
/** The symbols with the price each begins at, in cents. Invented. */
const SYMBOLS: readonly (readonly [symbol: string, cents: number])[] = [
  ["AKO", 4210],
  ["BRIM", 1875],
  ["COVE", 12_640],
  ["DELT", 760],
  ["ESKA", 9905],
  ["FERN", 3320],
  ["GLIM", 15_480],
  ["HUSK", 2245],
];

/** The text of the file: a header that says what it is, and a line per tick and symbol. */
export function syntheticPrices(seed: number = SEED): string {
  const chance = mulberry32(seed);
  const cents = new Map(SYMBOLS);
  const lines = [
    `# SYNTHETIC: a random walk made by make-prices.ts from seed ${seed}. No market had these prices.`,
    "tick,symbol,cents",
  ];
  for (let tick = 0; tick < TICKS; tick++)
    for (const [symbol] of SYMBOLS) {
      const before = cents.get(symbol) as number;
      // Waves of 60 to 130 ticks under the noise, so that averages cross now and then.
      const wave = Math.sin((2 * Math.PI * tick) / (60 + 10 * (symbol.charCodeAt(0) - 65)));
      const step = before * (0.004 * wave + 0.012 * (chance() - 0.5));
      const now = Math.max(100, Math.round(before + step));
      cents.set(symbol, now);
      lines.push(`${tick},${symbol},${now}`);
    }
  return `${lines.join("\n")}\n`;
}

/** Mulberry32: 32 bits of state, numbers from 0 up to but not including 1. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "prices.csv"), syntheticPrices());
