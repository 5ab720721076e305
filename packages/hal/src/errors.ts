/** The refusals of this package, one class each. Codes: `hal.*` in the error table of `@glia-os/abi`. */
import { HalError } from "@glia-os/abi/errors/hal";

/** A delay that is not a finite number of 0 or more milliseconds. */
export class BadDelayError extends HalError<"hal.bad-delay"> {
  constructor(delayMs: number) {
    super("hal.bad-delay", `a timer cannot be set ${String(delayMs)} ms from now`, {
      details: { delayMs: String(delayMs) },
    });
  }
}

/** More timers are pending than the limit allows. */
export class TooManyTimersError extends HalError<"hal.too-many-timers"> {
  constructor(limit: number) {
    super("hal.too-many-timers", `${limit} timers are pending, which is the limit`, { details: { limit } });
  }
}

/** A label that cannot name a random source. */
export class BadRandomLabelError extends HalError<"hal.bad-random-label"> {
  constructor(length: number) {
    super("hal.bad-random-label", `a label of ${length} characters cannot name a random source`, {
      details: { length },
    });
  }
}

/**
 * A private key that is not an Ed25519 key in PKCS#8. Neither the message nor the details carry key material.
 */
export class BadKeyError extends HalError<"hal.bad-key"> {
  constructor(why: string) {
    super("hal.bad-key", `the private key was refused: ${why}`, { details: { why } });
  }
}

/** A target description that does not follow its format. */
export class BadTargetError extends HalError<"hal.bad-target"> {
  constructor(field: string, why: string) {
    super("hal.bad-target", `the target description was refused: ${field} ${why}`, {
      details: { field, why },
    });
  }
}
