/** The refusals of job queues. */
import { GliaError } from "@glia-os/abi/errors";
import { shown } from "../shown.ts";

/** A key was used for other work before. */
export class IdempotencyConflictError extends GliaError<"kernel.idempotency-conflict"> {
  constructor(key: string) {
    super(
      "kernel.idempotency-conflict",
      `the key ${JSON.stringify(key)} was used with another payload or queue`,
      {
        details: { key },
      },
    );
  }
}

/** The scheduler lets its jobs end and takes no more. */
export class DrainingError extends GliaError<"kernel.draining"> {
  constructor() {
    super("kernel.draining", "the scheduler drains: it takes no more jobs");
  }
}

/** A queue holds as many jobs as it may. */
export class QueueFullError extends GliaError<"kernel.queue-full"> {
  constructor(queue: string, capacity: number) {
    super("kernel.queue-full", `queue ${queue} holds ${capacity} jobs already`, {
      details: { queue, capacity },
    });
  }
}

/** No queue has this name. */
export class UnknownQueueError extends GliaError<"kernel.unknown-queue"> {
  constructor(queue: unknown, known: readonly string[]) {
    super("kernel.unknown-queue", `no queue is called ${shown(queue)}; there are ${known.join(", ")}`);
  }
}
