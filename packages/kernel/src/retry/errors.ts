/** The refusal of a deadline. */
import { KernelError } from "@glia-os/abi/errors/kernel";

/** Work took longer than it was given. */
export class DeadlineExceededError extends KernelError<"kernel.deadline-exceeded"> {
  constructor(what: string, durationMs: number) {
    super("kernel.deadline-exceeded", `${what} took longer than ${durationMs} ms`, {
      details: { what, durationMs },
    });
  }
}
