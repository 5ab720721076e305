/** What tokens cost. */
import type { Usage } from "./chat.ts";
import { whole } from "./options.ts";

/** Prices in the smallest unit of one currency per million tokens. */
export interface Prices {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
}

const MILLION = 1_000_000;
const PRICE_MOST = 1_000_000_000;

/** Refuse what is no price. @throws {BadModelOptionError} */
export function checkPrices({ inputPerMillion, outputPerMillion }: Prices): void {
  whole("prices.inputPerMillion", inputPerMillion, 0, PRICE_MOST);
  whole("prices.outputPerMillion", outputPerMillion, 0, PRICE_MOST);
}

/** Usage with its cost, rounded up to a whole unit. */
export function priced(usage: Usage, prices: Prices | undefined): Usage {
  if (prices === undefined) return usage;
  const parts =
    usage.prompt_tokens * prices.inputPerMillion + usage.completion_tokens * prices.outputPerMillion;
  return { ...usage, cost: Math.ceil(parts / MILLION) };
}
