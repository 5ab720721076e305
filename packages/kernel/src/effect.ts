/** How trusted code starts an effect outside the kernel and reports back (`external.ts`). */

/** How an effect reports back. Both return whether the result was still wanted. */
export interface Settle<Value> {
  /** The effect is done. */
  ok(value: Value): boolean;
  /** The effect failed; the error is thrown at the task's syscall. */
  fail(error: unknown): boolean;
}

/** Starts an effect. May return a function that gives it up. */
export type Start<Value> = (settle: Settle<Value>) => (() => void) | undefined;
