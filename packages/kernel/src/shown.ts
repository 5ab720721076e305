/** Values in messages and log lines, whatever they are: what a program threw or passed must not break the code that reports it. */

/** Longest text of one value. */
const SHOWN = 80;

/** A value as text of at most `most` characters (default 80). Never throws. */
export function shown(value: unknown, most: number = SHOWN): string {
  try {
    return String(value).slice(0, most);
  } catch {
    return typeof value === "object" ? "an object without text" : "a value without text";
  }
}
