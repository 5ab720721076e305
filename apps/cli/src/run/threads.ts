/**
 * The service `threads` of a program: other exports of its file, run in worker threads.
 *
 * TH1. No thread is started before the first call. Then as many as `--concurrency` says, and no more.
 * TH2. A call is answered with what the function returned, or refused with what it threw or the engine's refusal. One call's failure touches no
 *      other.
 */

import type { JobEngine } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { awaiting, BadOptionError, CpuBudget, createThreadedEngine, toCancelSignal } from "@glia-os/host";
import { type Call, isCall, type Program, type Routine, type Sys } from "@glia-os/kernel";

/** The name a program looks up. */
export const THREADS = "threads";
/** Calls that wait to be taken. */
const INBOX = 1000;

/** What a program sends: a function its file exports, and what to call it with. */
export interface ThreadJob {
  readonly run: string;
  readonly payload?: unknown;
}

type RunJob = (job: ThreadJob, signal: AbortSignal) => Promise<unknown>;

/** The service for the module at `module`, with `workers` threads (TH1). `close` ends the threads. */
export function threadsService(
  module: URL,
  workers: number,
): { readonly program: Program; close(): Promise<void> } {
  let engine: JobEngine | undefined;
  let jobs = 0;
  const run: RunJob = ({ run: entry, payload }, signal) => {
    engine ??= createThreadedEngine({ module, workers, budget: new CpuBudget(workers) });
    const job = { id: `job-${++jobs}`, origin: "glia-run", lineage: [], entry, payload };
    return engine.run(job, toCancelSignal(signal));
  };
  return {
    program: (sys) => serveThreads(sys, run),
    close: async () => engine?.close(),
  };
}

function* serveThreads(sys: Sys, run: RunJob): Routine<never> {
  const inbox = sys.mailbox({ capacity: INBOX });
  sys.register(THREADS, inbox, RIGHTS.call | RIGHTS.grant);
  for (;;) {
    const call = yield* sys.receive(inbox);
    if (isCall(call)) sys.spawn((sys) => answer(sys, call, run), { name: "threads: job" });
  }
}

function* answer(sys: Sys, call: Call, run: RunJob): Routine<void> {
  try {
    const job = checked(call.message);
    const result = yield* sys.external(awaiting((signal) => run(job, signal)));
    // Who asked may have given up meanwhile.
    if (call.open) sys.reply(call, result);
  } catch (error) {
    if (!call.open) return;
    sys.refuse(call, error);
  }
}

function checked(message: unknown): ThreadJob {
  const job = message as Partial<ThreadJob> | null;
  if (typeof job === "object" && job !== null && typeof job.run === "string") return job as ThreadJob;
  throw new BadOptionError(
    "job for the threads",
    typeof message,
    "{ run: name of an exported function, payload }",
  );
}
