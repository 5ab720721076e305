/** Numbers of records on the command line. */
import { UsageError } from "../../errors.ts";

/** The number in an option. @throws {UsageError} */
export function recordNumber(option: string, text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw new UsageError(
    `${option} ${text.slice(0, 40)} is no record number`,
    "Give a whole number from 1 up.",
  );
}
