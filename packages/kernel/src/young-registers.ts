/**
 * The registers that messages and results pass through.
 *
 * G1. They are made anew at the begin of every slice; no operation that was made before is still to be performed then. So they are young
 *     while fresh messages are stored into them. Stored into an object as old as the kernel, each would be one more for the collector to
 *     remember, which takes 8 ns.
 */

/** Of one slice. */
export class YoungRegisters {
  /** The second argument of the operation that was made. */
  argument: unknown = undefined;
  /** What every performed operation hands over. */
  readonly done: { done: true; value: unknown } = { done: true, value: undefined };
}
