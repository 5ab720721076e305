/** What a program ended with, as JSON can say it. */

/** Longest result in characters of JSON: 1 MiB. */
const RESULT_LIMIT = 1_048_576;

/** `value` itself when JSON can carry it, else its text; `null` for nothing. */
export function plainResult(value: unknown): unknown {
  if (value === undefined) return null;
  try {
    const text = JSON.stringify(value);
    if (text !== undefined && text.length <= RESULT_LIMIT) return JSON.parse(text);
    return text === undefined ? String(value) : `${text.slice(0, 1000)}...`;
  } catch {
    return typeof value === "bigint" ? String(value) : Object.prototype.toString.call(value);
  }
}
