/** How a child is told from others when its parent was taken over while it was made. */
export interface ChildIdentity {
  /** What stands behind its definition in the name of one that was given none: hexadecimal, the same whenever this child is made. */
  readonly suffix: string;
  /** Whether it may have been made before. */
  readonly again: boolean;
}
