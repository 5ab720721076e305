/** Checks of options, the same for every part of this package. */
import { BadOptionError } from "./errors.ts";

/** Most bytes of one pool: offsets stay small integers, which engines keep without a heap object. */
export const POOL_BYTES_MAX: number = 1_073_741_824;

/** `value` if it is a whole number from `least` to `most`. @throws {BadOptionError} */
export function whole(option: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
  return value;
}

/** `value` if it is a finite number from `least` to `most`. @throws {BadOptionError} */
export function finite(option: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most))
    throw new BadOptionError(option, value, `a number from ${least} to ${most}`);
  return value;
}
