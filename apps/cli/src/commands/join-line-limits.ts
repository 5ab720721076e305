/** How long and how often a join line admits. */
import { UsageError } from "../errors.ts";

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** One week: a join line is a secret, and secrets that never end leak. */
const TTL_MAX_MS: number = 7 * UNITS_MS.d;
const USES_MAX = 10_000;

/** The options `--ttl` and `--uses` as typed. */
export interface JoinLineOptions {
  readonly ttl: string;
  readonly uses: string;
}

/** The limits they stand for. @throws {UsageError} */
export function joinLineLimits({ ttl, uses }: JoinLineOptions): { ttlMs: number; uses: number } {
  return { ttlMs: parseTtl(ttl), uses: parseUses(uses) };
}

function parseTtl(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const ttlMs = Number(match?.[1] ?? 0) * UNITS_MS[(match?.[2] ?? "s") as keyof typeof UNITS_MS];
  if (ttlMs >= 1 && ttlMs <= TTL_MAX_MS) return ttlMs;
  throw new UsageError(
    `--ttl ${text.slice(0, 40)} is out of range`,
    "Give a whole number and a unit, from 1s to 7d: 90s, 10m, 2h, 1d.",
  );
}

function parseUses(text: string): number {
  const uses = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (uses >= 1 && uses <= USES_MAX) return uses;
  throw new UsageError(
    `--uses ${text.slice(0, 40)} is out of range`,
    `Give a whole number from 1 to ${USES_MAX}.`,
  );
}
