/** The refusals of leases. */
import { KernelError } from "@glia-os/abi/errors/kernel";

/** A lease was ended before: acknowledged, given back, or its time ran out. */
export class LeaseEndedError extends KernelError<"kernel.lease-ended"> {
  constructor(how: string) {
    super("kernel.lease-ended", `the lease has ended: ${how}`, { details: { how } });
  }
}

/** What was given is no lease. */
export class NotALeaseError extends KernelError<"kernel.not-a-lease"> {
  constructor() {
    super("kernel.not-a-lease", "the first argument is no lease");
  }
}
