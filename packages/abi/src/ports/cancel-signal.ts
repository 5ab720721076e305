/** Cancellation without host types. `host` bridges it to `AbortSignal`. */

/** Tells work that its result is no longer wanted. */
export interface CancelSignal {
  /** Whether cancellation was requested. */
  readonly cancelled: boolean;
  /** Why, once it was. */
  readonly reason: unknown;
  /** Call `listener` once when cancellation is requested, at once if it was already. Returns a function that removes it. */
  onCancel(listener: (reason: unknown) => void): () => void;
}
