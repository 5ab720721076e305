/** The refusals of reference capabilities. */
import { KernelError } from "@glia-os/abi/errors/kernel";

/** The value was moved: this reference is dead. */
export class MovedError extends KernelError<"kernel.moved"> {
  constructor() {
    super("kernel.moved", "the value was moved; this reference to it is dead");
  }
}

/** A value is no plain data, or refers to something twice, and so cannot be isolated. */
export class NotIsolableError extends KernelError<"kernel.not-isolable"> {
  constructor(path: string, why: string) {
    super("kernel.not-isolable", `the value at ${path} cannot be isolated: ${why}`, { details: { path } });
  }
}

/** A value holds something that cannot be frozen. */
export class NotFreezableError extends KernelError<"kernel.not-freezable"> {
  constructor(path: string, why: string) {
    super("kernel.not-freezable", `the value at ${path} cannot be frozen: ${why}`, { details: { path } });
  }
}

/** A message holds a reference that may not be sent: a `Ref`, or an `Iso` that was not moved. */
export class NotSendableError extends KernelError<"kernel.not-sendable"> {
  constructor(path: string, why: string) {
    super("kernel.not-sendable", `the message cannot be sent: ${path} is ${why}`, { details: { path } });
  }
}

/** A value has more parts than may be looked at. */
export class ValueTooLargeError extends KernelError<"kernel.value-too-large"> {
  constructor(limit: number) {
    super("kernel.value-too-large", `the value has more than ${limit} parts`, { details: { limit } });
  }
}

/** What arrived from another thread is no message of this package. */
export class BadCrossingError extends KernelError<"kernel.bad-crossing"> {
  constructor(why: string) {
    super("kernel.bad-crossing", `what arrived from another thread was not opened: ${why}`);
  }
}
