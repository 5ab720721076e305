/**
 * Taking secrets out of what is written to a cassette: values that were named, values under names that promise a secret, and texts in the
 * form of well-known keys. It is a net under the habit of giving secrets as handles, not a substitute for it.
 */

/** What stands for a secret. */
export const REDACTED = "[secret]";

const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[-_]?key|password|passwd|secret|access[-_]?token|refresh[-_]?token|client[-_]?secret)$/i;
const SECRET_FORM =
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\bBearer [A-Za-z0-9._~+/-]{8,}=*|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[A-Z0-9]{16}\b/g;

/** A copy of plain data without its secrets. */
export function redacted(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === "string") return withoutSecrets(value, secrets);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => redacted(part, secrets));
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      withoutSecrets(name, secrets),
      SECRET_NAME.test(name) && typeof part === "string" ? REDACTED : redacted(part, secrets),
    ]),
  );
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, REDACTED);
  return clean.replaceAll(SECRET_FORM, REDACTED);
}
