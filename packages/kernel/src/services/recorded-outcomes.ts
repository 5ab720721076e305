/** Where outcomes of calls come from that are known before the calls begin. */

/** Outcomes of the calls of one service, in the order in which they are asked for. */
export interface RecordedOutcomes {
  /** What the call that was taken last came to. */
  readonly value: unknown;
  /**
   * Whether the next recorded outcome is that of this call, a value, and comes before anything else happens. Then it is {@link value} and
   * the clock of the kernel stands where the outcome came. `path` is the path of the task. Must not throw.
   */
  take(path: string, request: unknown): boolean;
}
