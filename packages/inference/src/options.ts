/** Checks of options. */
import { BadModelOptionError } from "./errors.ts";

/** Refuse what is no whole number in a range. @throws {BadModelOptionError} */
export function whole(option: string, value: number, least: number, most: number): void {
  if (!(Number.isSafeInteger(value) && value >= least && value <= most))
    throw new BadModelOptionError(option, `a whole number from ${least} to ${most}`);
}

/** Refuse what is no text of a length. @throws {BadModelOptionError} */
export function text(option: string, value: unknown, most: number): void {
  if (typeof value !== "string" || value === "" || value.length > most)
    throw new BadModelOptionError(option, `text of 1 to ${most} characters`);
}
