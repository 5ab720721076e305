/**
 * The service `queues` of a program: the job queues that its file names in the export `queues`.
 *
 * JQ1. A program gets what submits jobs and measures pressure, and nothing that ends the queues or reaches the kernel.
 * JQ2. Queues are made before the program starts; a name or option that is wrong is refused then. A file without the export has no service.
 */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { isCall, type Kernel, type Program, type Routine, type Sys } from "@glia-os/kernel";
import { type QueueOptions, Scheduler } from "@glia-os/kernel/jobs";

/** The name a program looks up. */
export const QUEUES = "queues";
/** Calls that wait to be taken. */
const INBOX = 1000;

/** What a program is given (JQ1). */
export type JobQueues = Pick<Scheduler, "submit" | "find" | "pressure" | "onPressure" | "dump">;

/** The service for these queues on a kernel. @throws {BadOptionError} (JQ2) */
export function queuesService(kernel: Kernel, queues: Readonly<Record<string, QueueOptions>>): Program {
  const builder = Scheduler.builder();
  for (const [name, options] of Object.entries(queues)) builder.registerQueue(name, options);
  const scheduler = builder.build(kernel);
  const given: JobQueues = {
    submit: (queue, job) => scheduler.submit(queue, job),
    find: (id) => scheduler.find(id),
    pressure: (queue) => scheduler.pressure(queue),
    onPressure: (queue, observer) => scheduler.onPressure(queue, observer),
    dump: () => scheduler.dump(),
  };
  return (sys) => serveQueues(sys, given);
}

function* serveQueues(sys: Sys, given: JobQueues): Routine<never> {
  const inbox = sys.mailbox({ capacity: INBOX });
  sys.register(QUEUES, inbox, RIGHTS.call | RIGHTS.grant);
  for (;;) {
    const call = yield* sys.receive(inbox);
    if (isCall(call) && call.open) sys.reply(call, given);
  }
}
