/** What the queue of a node refuses. */
import { DaemonError } from "@glia-os/abi/errors/daemon";

/** A file of queued messages that cannot be read. */
export class BadQueueFileError extends DaemonError<"daemon.bad-queue-file"> {
  constructor() {
    super("daemon.bad-queue-file", "The file of queued messages is damaged");
  }
}

/** As much is queued as may be. */
export class QueueFullError extends DaemonError<"daemon.queue-full"> {
  constructor(what: string, limit: number) {
    super("daemon.queue-full", `This node has queued ${what}, the limit of ${limit}`, {
      details: { what, limit },
    });
  }
}
