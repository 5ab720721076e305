/** The refusals of job queues. */
import { KernelError } from "@glia-os/abi/errors/kernel";
import { shown } from "../shown.ts";

/** A key was used for other work before. */
export class IdempotencyConflictError extends KernelError<"kernel.idempotency-conflict"> {
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
export class DrainingError extends KernelError<"kernel.draining"> {
  constructor() {
    super("kernel.draining", "the scheduler drains: it takes no more jobs");
  }
}

/** A queue holds as many jobs as it may. */
export class QueueFullError extends KernelError<"kernel.queue-full"> {
  constructor(queue: string, capacity: number) {
    super("kernel.queue-full", `queue ${queue} holds ${capacity} jobs already`, {
      details: { queue, capacity },
    });
  }
}

/** No queue has this name. */
export class UnknownQueueError extends KernelError<"kernel.unknown-queue"> {
  constructor(queue: unknown, known: readonly string[]) {
    super("kernel.unknown-queue", `no queue is called ${shown(queue)}; there are ${known.join(", ")}`);
  }
}
