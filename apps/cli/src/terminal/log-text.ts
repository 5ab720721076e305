/** Lines of logs on a terminal: how many are asked for, and what others wrote as text that only shows. */
import { UsageError } from "../errors.ts";

/** What a node keeps. */
const LINES_MOST = 2000;

/** What an agent or a peer wrote must not drive the terminal. */
export function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** How many lines `--lines` asks for. @throws {UsageError} */
export function linesOf(text: string): number {
  const lines = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (lines >= 0 && lines <= LINES_MOST) return lines;
  throw new UsageError(
    `--lines ${text.slice(0, 40)} is out of range`,
    `Give a number from 0 to ${LINES_MOST}.`,
  );
}
