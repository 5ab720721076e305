/**
 * What a call of a service may cost and did cost, read from its request and its answer. Nothing else is looked at, so that a replay of the
 * same requests and answers comes to the same accounts.
 *
 * SM1. A cost that nobody knows is booked as reserved: an answer without its usage, a call whose task stopped waiting while it was out,
 *      an outcome that was lost in a crash.
 * SM2. A call that failed cost one call and what its error states in `details.usage`; what else was reserved is free.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { Cost } from "./amounts.ts";

/** Reads costs. Both functions must be pure, and quick. What they state of calls replaces the one call of a request. */
export interface ServiceMeter {
  /** The most a request may cost. What it throws refuses the call. */
  most(request: unknown): Cost;
  /** What it cost by its answer; undefined when the answer does not tell (SM1). */
  cost(request: unknown, answer: unknown): Cost | undefined;
}

/** Tokens a model may write when a request does not limit them. */
export const ANSWER_TOKENS = 4096;
/** UTF-16 units per token, taken low: an estimate of what a request has, not a bound. */
const UNITS_PER_TOKEN = 3;
/** Values of a request that are looked at, and how deep. */
const VALUES_MOST = 100_000;
const DEPTH_MOST = 16;

const NO_COST: Cost = Object.freeze({});
const PLAIN: ServiceMeter = { most: () => NO_COST, cost: () => NO_COST };

/**
 * Models: a request may state `max_tokens` (or `max_completion_tokens`), else it may write {@link ANSWER_TOKENS}, and `max_cost` in money;
 * its answer states `usage: { total_tokens, cost? }`.
 */
const MODEL: ServiceMeter = {
  most(request) {
    const { max_completion_tokens, max_tokens, max_cost } = record(request);
    const written = natural(max_completion_tokens) ?? natural(max_tokens) ?? ANSWER_TOKENS;
    const read = Math.ceil(unitsIn(request) / UNITS_PER_TOKEN);
    return { tokens: Math.min(read + written, Number.MAX_SAFE_INTEGER), money: natural(max_cost) ?? 1 };
  },
  cost: (_request, answer) => usageOf(record(answer)["usage"]),
};

/** The meter of services of a kind that bring none. */
export function meterOf(kind: string): ServiceMeter {
  return kind === "model" ? MODEL : PLAIN;
}

/** What a failed call cost (SM2); undefined when nobody knows. */
export function costOfFailure(error: unknown): Cost | undefined {
  if (!isGliaError(error)) return NO_COST;
  // An error that came out of a journal names its code among its details.
  const code = error.code === "abi.remote" ? error.details["code"] : error.code;
  if (code === "durable.outcome-unknown") return undefined;
  return usageOf(record(error.details)["usage"]) ?? NO_COST;
}

function usageOf(usage: unknown): Cost | undefined {
  const { total_tokens, cost } = record(usage);
  const tokens = natural(total_tokens);
  if (tokens === undefined) return undefined;
  return { tokens, money: natural(cost) ?? 0 };
}

function natural(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Characters of the texts in a value, up to a bound on the values looked at. */
function unitsIn(value: unknown): number {
  let left = VALUES_MOST;
  const count = (part: unknown, depth: number): number => {
    if (left-- <= 0) return 0;
    if (typeof part === "string") return part.length;
    if (typeof part !== "object" || part === null || depth === DEPTH_MOST || ArrayBuffer.isView(part))
      return 0;
    let units = 0;
    for (const name of Object.keys(part)) {
      if (left <= 0) break;
      units += count((part as Record<string, unknown>)[name], depth + 1);
    }
    return units;
  };
  return count(value, 0);
}
