/** The refusals of channels. */
import { KernelError } from "@glia-os/abi/errors/kernel";

/** A channel was closed: it takes nothing more, and when it is empty it gives nothing more. */
export class ChannelClosedError extends KernelError<"kernel.channel-closed"> {
  /** Inside a `select`: the index of the wait whose channel was closed; -1 elsewhere. */
  readonly index: number;

  constructor(index = -1) {
    super("kernel.channel-closed", "the channel is closed", { details: { index } });
    this.index = index;
  }
}
