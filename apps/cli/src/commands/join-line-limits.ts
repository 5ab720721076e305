/** How long and how often a join line admits. */
import { UsageError } from "../errors.ts";

const MINUTE_MS = 60_000;
/** One week: a join line is a secret, and secrets that never end leak. */
const TTL_MINUTES_MAX = 7 * 24 * 60;
const USES_MAX = 10_000;

/** The options `--ttl` and `--uses` as typed. */
export interface JoinLineOptions {
  readonly ttl: string;
  readonly uses: string;
}

/** The limits they stand for. */
export function joinLineLimits({ ttl, uses }: JoinLineOptions): { ttlMs: number; uses: number } {
  return {
    ttlMs: integer("--ttl", ttl, TTL_MINUTES_MAX) * MINUTE_MS,
    uses: integer("--uses", uses, USES_MAX),
  };
}

function integer(option: string, text: string, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max)
    throw new UsageError(
      `${option} ${text.slice(0, 40)} is out of range`,
      `Give a whole number from 1 to ${max}.`,
    );
  return value;
}
