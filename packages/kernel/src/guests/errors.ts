/** What can go wrong between a guest and the tasks it talks to. */
import { KernelError } from "@glia-os/abi/errors/kernel";

/** A guest was sent something that is no bytes, no text, or too long. */
export class GuestMessageError extends KernelError<"kernel.guest-message"> {
  constructor(problem: string) {
    super("kernel.guest-message", `a guest cannot be given this message: ${problem}`);
  }
}

/** A guest did not answer a call: it took the next message, or it ended. */
export class GuestNoReplyError extends KernelError<"kernel.guest-no-reply"> {
  constructor(why: string) {
    super("kernel.guest-no-reply", `the guest did not answer: ${why}`);
  }
}

/** What a guest asked for came back longer than it may be. */
export class GuestResultTooLongError extends KernelError<"kernel.guest-result-too-long"> {
  constructor(bytes: number, most: number) {
    super("kernel.guest-result-too-long", `the result has ${bytes} bytes; this guest takes ${most}`, {
      details: { bytes, most },
    });
  }
}
