/** The refusals of endpoints. */
import { KernelError } from "@glia-os/abi/errors/kernel";

/** A badge was to be put on a capability that has one. */
export class AlreadyBadgedError extends KernelError<"kernel.already-badged"> {
  constructor(badge: number) {
    super("kernel.already-badged", `the capability has the badge ${badge} already`, { details: { badge } });
  }
}

/** No task can receive from the endpoint any more. */
export class EndpointClosedError extends KernelError<"kernel.endpoint-closed"> {
  constructor() {
    super("kernel.endpoint-closed", "the endpoint has no receiver left");
  }
}
