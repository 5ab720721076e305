/** How a child is told from others when its parent was taken over while it was made. */
export interface ChildIdentity {
  /**
   * The same whenever this child is made, and that of no other: hexadecimal. It stands behind the definition in the name of one that was given
   * none, and is the key by which a node knows that it made it.
   */
  readonly suffix: string;
  /** Whether it may have been made before. */
  readonly again: boolean;
}
