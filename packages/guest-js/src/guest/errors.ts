/** What the guest API refuses, inside the guest. It stands alone: a guest carries no table of the system's error codes. */

/**
 * Why: `outside-guest`, `not-current`, `refused` (with the name of the host's code), `failed` (the host did what was asked, and it failed;
 * with the code of the failure), `bad-argument`.
 */
export type GuestErrorCode = "outside-guest" | "not-current" | "refused" | "failed" | "bad-argument";

/** A refused call. Nothing was changed by it. */
export class GuestError extends Error {
  override readonly name: string = "GuestError";
  readonly code: GuestErrorCode;
  /** The host's code by name, such as `E_TOO_BIG`, when the host refused; the code of the failure, such as `host.fetch-failed`, of one that failed. */
  readonly hostCode: string | undefined;

  constructor(code: GuestErrorCode, message: string, hostCode?: string) {
    super(message);
    this.code = code;
    this.hostCode = hostCode;
  }
}

const NAMES = [
  "E_FAULT",
  "E_TOO_BIG",
  "E_STATE",
  "E_RANGE",
  "E_LIMIT",
  "E_GONE",
  "E_TIMEOUT",
  "E_HANDLE",
  "E_DENIED",
  "E_FAILED",
];

/** The host answered a negative code. */
export function refusal(what: string, code: number): GuestError {
  const name = NAMES[-code - 1] ?? `code ${code}`;
  return new GuestError("refused", `the host refused to ${what}: ${name}`, name);
}
