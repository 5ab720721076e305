/** Limits that are whole numbers. */
import { BadOptionError } from "../errors.ts";

/** Refuse a limit that is not whole and in range. @throws {BadOptionError} */
export function whole(option: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
}
