/** The refusals of endpoints. */
import { GliaError } from "@glia-os/abi/errors";

/** A badge was to be put on a capability that has one. */
export class AlreadyBadgedError extends GliaError<"kernel.already-badged"> {
  constructor(badge: number) {
    super("kernel.already-badged", `the capability has the badge ${badge} already`, { details: { badge } });
  }
}

/** No task can receive from the endpoint any more. */
export class EndpointClosedError extends GliaError<"kernel.endpoint-closed"> {
  constructor() {
    super("kernel.endpoint-closed", "the endpoint has no receiver left");
  }
}
