/** What a recovery came to, domain by domain. */

/** What a recovery came to. */
export interface RecoveryReport {
  /** Domains that go on here. */
  readonly resumed: readonly string[];
  /** Domains that had ended; `get` knows their result. */
  readonly ended: readonly string[];
  /** Domains that could not be resumed, and why. Their journals were not touched. */
  readonly refused: readonly { readonly domain: string; readonly error: unknown }[];
}
