/** What calls of services cost, in five kinds that an account counts apart. All are whole numbers from 0 to 2^53 - 1. */
import { BadOptionError } from "../errors.ts";

/** An amount of each kind. */
export interface Amounts {
  /** Calls of services. */
  readonly calls: number;
  /** Tokens that models read and wrote. */
  readonly tokens: number;
  /** Money in the smallest unit of a currency: cents, or a fraction of them that the shell fixes once. */
  readonly money: number;
  /** Milliseconds that calls were out, each rounded up. */
  readonly ms: number;
  /** Fuel of sandboxed code (docs/spec/fuel.md). */
  readonly fuel: number;
}

/** A kind of amount. */
export type AmountKind = keyof Amounts;
/** Amounts of some kinds; what is left out is 0, or as a limit unlimited. */
export type Cost = Partial<Amounts>;
/** Amounts that change. */
export type Tally = { -readonly [Kind in AmountKind]: number };

/** Every kind, in the order in which refusals name them. */
export const AMOUNT_KINDS: readonly AmountKind[] = ["calls", "tokens", "money", "ms", "fuel"];
/** Where no limit was set: counting stays exact to here. */
export const UNLIMITED: number = Number.MAX_SAFE_INTEGER;

/** Nothing of every kind. */
export function nothing(): Tally {
  return { calls: 0, tokens: 0, money: 0, ms: 0, fuel: 0 };
}

/** Add `times` times `amounts`; what would leave the exact numbers stays at their end. */
export function add(tally: Tally, amounts: Amounts, times: 1 | -1): void {
  const { calls, tokens, money, ms, fuel } = amounts;
  // Most calls cost two kinds only.
  if (calls !== 0) tally.calls = clamp(tally.calls + times * calls);
  if (tokens !== 0) tally.tokens = clamp(tally.tokens + times * tokens);
  if (money !== 0) tally.money = clamp(tally.money + times * money);
  if (ms !== 0) tally.ms = clamp(tally.ms + times * ms);
  if (fuel !== 0) tally.fuel = clamp(tally.fuel + times * fuel);
}

/** Whether `cost` is more than `reserved` in some kind. */
export function exceeds(cost: Amounts, reserved: Amounts): boolean {
  return (
    cost.calls > reserved.calls ||
    cost.tokens > reserved.tokens ||
    cost.money > reserved.money ||
    cost.ms > reserved.ms ||
    cost.fuel > reserved.fuel
  );
}

/** Amounts from what somebody stated. @throws {BadOptionError} for another kind, and for what is no whole number in range */
export function amountsOf(what: string, cost: Cost, missing = 0): Amounts {
  if (typeof cost !== "object" || cost === null) throw new BadOptionError(what, cost, "an object");
  const tally = nothing();
  for (const kind of AMOUNT_KINDS) {
    const stated = cost[kind];
    tally[kind] = stated === undefined ? missing : amount(`${what} ${kind}`, stated);
  }
  return tally;
}

function amount(what: string, value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return UNLIMITED;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new BadOptionError(what, value, "a whole number from 0 to 2^53 - 1");
}

function clamp(value: number): number {
  return Math.min(value, UNLIMITED);
}
