/** Trying again with backoff and full jitter, and deadlines for parts of a program. */
export { backoffMs, isRetryable, type RetryOptions, type RetryPlan } from "./backoff.ts";
export { type DeadlineOptions, withDeadline } from "./deadline.ts";
export { DeadlineExceededError } from "./errors.ts";
export { retry } from "./retry.ts";
