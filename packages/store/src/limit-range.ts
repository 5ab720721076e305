/** Limits that can be set: each has a least, a normal and a largest value. */
import { MalformedError } from "@glia-os/abi/errors";

/** The range of one limit. */
export type LimitRange = readonly [least: number, normal: number, most: number];

/** A whole number in a range. @throws `abi.malformed` for any other value. */
export function checkWhole(what: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  throw new MalformedError(what, `${String(value)} is not a whole number from ${least} to ${most}`);
}

/** The normal value of every limit with the given ones in its place. @throws `abi.malformed` for one outside its range. */
export function limitsWithin<Limits extends { readonly [Name in keyof Limits]: number }>(
  ranges: { readonly [Name in keyof Limits]: LimitRange },
  given: Partial<Limits> = {},
): Limits {
  const names = Object.keys(ranges) as (keyof Limits & string)[];
  const entries = names.map((name) => {
    const [least, normal, most] = ranges[name];
    return [name, checkWhole(name, given[name] ?? normal, least, most)];
  });
  return Object.fromEntries(entries) as Limits;
}
