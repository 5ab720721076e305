/** How long and how often a join line admits, and times as they are typed. */
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
  const ttlMs = parseTime("--ttl", ttl, { minMs: 1, maxMs: TTL_MAX_MS, range: "1s to 7d" });
  return { ttlMs, uses: parseUses(uses) };
}

/** A whole number and a unit. `range`: the bounds in words. @throws {UsageError} */
export function parseTime(
  option: string,
  text: string,
  bounds: { readonly minMs: number; readonly maxMs: number; readonly range: string },
): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const ms = Number(match?.[1] ?? Number.NaN) * UNITS_MS[(match?.[2] ?? "s") as keyof typeof UNITS_MS];
  if (ms >= bounds.minMs && ms <= bounds.maxMs) return ms;
  throw new UsageError(
    `${option} ${text.slice(0, 40)} is out of range`,
    `Give a whole number and a unit, from ${bounds.range}: 90s, 10m, 2h, 1d.`,
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
