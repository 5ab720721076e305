/**
 * The worker thread of the threaded engine: takes jobs from the shared queues and runs them, one at a time.
 *
 * W1. It may die at any point: everything it does to shared memory is one atomic step, or is not looked at until such a step was made.
 * W2. While it has nothing to do it sleeps on its place in the CPU budget, and its event loop stands still: a job's work ends with its result.
 * W3. Before it sleeps it looks for more for a moment, at most `spinMs`, while that pays (`spin-choice.ts`) and nobody waits for its processor.
 */
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { decode } from "./codec.ts";
import type { JobFunction } from "./envelope.ts";
import { UnknownEntryError } from "./errors.ts";
import * as at from "./job-memory.ts";
import { RunningJob } from "./running-job.ts";
import { pause } from "./spin-choice.ts";
import type { ToWorker, WorkerSetup } from "./threaded-messages.ts";
import { FOREVER_MS } from "./threaded-options.ts";
import { anyWork, globalSize, localSize } from "./work-queues.ts";
import { WorkerLink } from "./worker-link.ts";
import { fail, succeed } from "./worker-results.ts";

/** Jobs between two looks at who else waits for a processor. */
const SHARE_EVERY = 32;
/** Looks between two readings of the clock. */
const LOOKS = 16;

const link = new WorkerLink(workerData as WorkerSetup);
const { memory, self, mine, place, finder, port } = link;
const { words } = memory;
const { spinMs } = workerData as WorkerSetup;
const functions: (JobFunction | undefined)[] = [];
let exported: Readonly<Record<string, unknown>> = {};

function functionOf(entry: number): JobFunction {
  const known = functions[entry];
  if (known !== undefined) return known;
  const name = memory.readEntry(entry);
  const found = Object.hasOwn(exported, name) ? exported[name] : undefined;
  if (typeof found !== "function") throw new UnknownEntryError(name);
  functions[entry] = found as JobFunction;
  return found as JobFunction;
}

/** Wait for a message of the main thread. */
function hear(): ToWorker {
  for (;;) {
    const ticket = Atomics.load(words, mine + at.MAIL);
    const received = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
    if (received !== undefined) return received.message;
    Atomics.wait(words, mine + at.MAIL, ticket);
  }
}

function largeJob(slot: number): Uint8Array {
  link.tell({ kind: "need", slot });
  return new Uint8Array(hear().bytes ?? new SharedArrayBuffer(0));
}

/** Run a job. Gives a promise when the job does. */
function start(slot: number): Promise<void> | undefined {
  const base = memory.slot(slot);
  let running: RunningJob | undefined;
  try {
    const large = (words[base + at.FLAGS]! & at.LARGE) !== 0;
    const bytes = large ? largeJob(slot) : memory.bytes;
    const from = large ? 0 : memory.jobBytesAt(slot);
    const stored = {
      form: words[base + at.FORM]!,
      length: words[base + at.LENGTH]!,
      number: memory.numbers[(base + at.NUMBER) >> 1]!,
    };
    const payload = decode(stored, bytes, from + words[base + at.NAMES_LENGTH]!);
    running = new RunningJob(link, bytes, from);
    const value = functionOf(words[base + at.ENTRY]!)(payload as never, running);
    if (isThenable(value)) return later(slot, running, value);
    running.over = true;
    succeed(link, slot, value);
  } catch (error) {
    if (running !== undefined) running.over = true;
    fail(link, slot, error);
  }
  return undefined;
}

function later(slot: number, running: RunningJob, value: PromiseLike<unknown>): Promise<void> {
  running.names();
  return Promise.resolve(value).then(
    (result) => {
      running.over = true;
      succeed(link, slot, result);
    },
    (error: unknown) => {
      running.over = true;
      fail(link, slot, error);
    },
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (typeof value === "object" || typeof value === "function") && value !== null && "then" in value;
}

function sleep(): void {
  const ticket = place.ticket();
  Atomics.or(words, at.SLEEPING, 1 << self);
  if (!anyWork(memory)) place.sleep(ticket);
  Atomics.and(words, at.SLEEPING, ~(1 << self));
}

/** Look for jobs for a moment (W3), as one of those that search (`work-finder.ts` F1). Gives whether there are any. */
function look(): boolean {
  if (Atomics.load(words, at.LOOKING) === 0 || !finder.beginSearch()) return false;
  const end = performance.now() + spinMs;
  let found = false;
  while (!found && !place.contended && performance.now() < end)
    for (let i = 0; i < LOOKS && !found; i++) {
      found = anyWork(memory);
      pause();
    }
  finder.endSearch();
  return found;
}

async function work(): Promise<never> {
  for (let ran = 1; ; ran++) {
    place.take();
    const slot = finder.next();
    if (slot < 0) {
      if (look()) continue;
      place.give();
      sleep();
      continue;
    }
    if (globalSize(memory) > 0 || localSize(memory, self) > 0) link.wakeHelp();
    const pending = start(slot);
    if (pending !== undefined) {
      // A job that waits for the world needs no processor.
      place.give();
      await pending;
    } else if (ran % SHARE_EVERY === 0 && place.contended) place.give();
  }
}

// A job that waits for something without a handle of the event loop must not end the thread.
setInterval(() => undefined, FOREVER_MS);
exported = (await import((workerData as WorkerSetup).module)) as Readonly<Record<string, unknown>>;
link.tell({
  kind: "ready",
  entries: Object.keys(exported).filter((name) => typeof exported[name] === "function"),
});
hear();
await work();
