/** Checks of options, so that what is out of range is refused before anything is sent. */
import { BadOptionError } from "./errors.ts";

/** Refuse anything but a whole number from `min` to `max`. @throws {BadOptionError} */
export function checkWhole(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new BadOptionError(option, `${shown(value)} is not a whole number from ${min} to ${max}`);
}

/** Refuse anything but a text of 1 to `max` characters. @throws {BadOptionError} */
export function checkText(option: string, value: unknown, max: number): string {
  if (typeof value === "string" && value.length >= 1 && value.length <= max) return value;
  throw new BadOptionError(option, `${shown(value)} is not a text of 1 to ${max} characters`);
}

function shown(value: unknown): string {
  if (typeof value === "string") return `"${value.slice(0, 32)}"`;
  return typeof value === "number" ? String(value) : typeof value;
}
