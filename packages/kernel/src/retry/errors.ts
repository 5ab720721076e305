/** The refusal of a deadline. */
import { GliaError } from "@glia-os/abi/errors";

/** Work took longer than it was given. */
export class DeadlineExceededError extends GliaError<"kernel.deadline-exceeded"> {
  constructor(what: string, durationMs: number) {
    super("kernel.deadline-exceeded", `${what} took longer than ${durationMs} ms`, {
      details: { what, durationMs },
    });
  }
}
