/** Text that every store can keep and every tool can show. */

/** Why a value is not well-formed text without control characters of at most `bytes` bytes of UTF-8; `undefined` when it is. */
export function faultOfText(value: unknown, bytes: number): string | undefined {
  if (typeof value !== "string") return "it is not text";
  const tooLong = value.length > bytes || new TextEncoder().encode(value).length > bytes;
  if (tooLong) return `it is longer than ${bytes} bytes`;
  if (!value.isWellFormed()) return "it has half of a surrogate pair";
  return /\p{Cc}/u.test(value) ? "it has a control character" : undefined;
}
