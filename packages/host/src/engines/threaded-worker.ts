/**
 * The worker thread of the threaded engine: takes jobs from the shared queues and runs them, one at a time.
 *
 * W1. It may die at any point: everything it does to shared memory is one atomic step, or is not looked at until such a step was made.
 * W2. While it has nothing to do it sleeps on its place in the CPU budget, and its event loop stands still: a job's work ends with its result.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { toErrorRecord } from "@glia-os/abi/errors";
import { decode, type Encoded, encode, type JobNames, namesBytes, readNames, writeNames } from "./codec.ts";
import { BudgetPlace } from "./cpu-budget.ts";
import { checkEnvelope, type JobContext, type JobFunction } from "./envelope.ts";
import { EngineFullError, JobNotSerialisableError, UnknownEntryError } from "./errors.ts";
import * as at from "./job-memory.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./threaded-messages.ts";
import { anyWork, globalSize, localSize, pickSleeper, WorkFinder } from "./work-queues.ts";

/** Jobs between two looks at who else waits for a processor. */
const SHARE_EVERY = 32;
/** Longest wait for the main thread to lend slots, in milliseconds, and how often it is asked in that time. */
const LEND_MS = 200;
const LEND_TRIES = 10;

const FOREVER_MS = 2 ** 31 - 1;

const setup = workerData as WorkerSetup;
const port: MessagePort = setup.port;
const memory = new at.JobMemory(setup.memory);
const { words } = memory;
const self: number = setup.worker;
const mine: number = memory.worker(self);
const place = new BudgetPlace(setup.budget, setup.place);
const places: readonly BudgetPlace[] = setup.places.map((id) => new BudgetPlace(setup.budget, id));
const finder = new WorkFinder(memory, self, (n) => Math.floor(Math.random() * n));
const functions: (JobFunction | undefined)[] = [];
let exported: Readonly<Record<string, unknown>> = {};

function tell(message: FromWorker): void {
  port.postMessage(message);
}

function functionOf(entry: number): JobFunction {
  const known = functions[entry];
  if (known !== undefined) return known;
  const name = memory.readEntry(entry);
  const found = Object.hasOwn(exported, name) ? exported[name] : undefined;
  if (typeof found !== "function") throw new UnknownEntryError(name);
  functions[entry] = found as JobFunction;
  return found as JobFunction;
}

function entryNumber(name: string): number {
  const count = Atomics.load(words, at.ENTRY_COUNT);
  for (let i = 0; i < count; i++) if (memory.readEntry(i) === name) return i;
  throw new UnknownEntryError(name);
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

function jobBytes(slot: number): Uint8Array {
  if ((words[memory.slot(slot) + at.FLAGS]! & at.LARGE) === 0) return memory.jobData(slot);
  tell({ kind: "need", slot });
  const message = hear();
  return new Uint8Array(message.bytes ?? new SharedArrayBuffer(0));
}

/** What a running job knows of itself. */
class Running implements JobContext {
  over = false;
  #names: JobNames | undefined;
  #children = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Read the names while the slot still holds them. */
  names(): JobNames {
    return (this.#names ??= this.over ? { id: "", origin: "", lineage: [] } : readNames(this.#bytes));
  }

  get id(): string {
    return this.names().id;
  }

  get origin(): string {
    return this.names().origin;
  }

  get lineage(): readonly string[] {
    return this.names().lineage;
  }

  handOn(entry: string, payload: unknown): string {
    const { id, origin, lineage } = this.names();
    const child = { id: `${id}/${this.#children}`, origin, lineage: [...lineage, id], entry, payload };
    checkEnvelope(child);
    const number = entryNumber(entry);
    const coded = encode(payload, "the payload");
    // A copy: writing the names uses the same scratch area.
    const value = { form: coded.form, bytes: coded.bytes.slice() };
    if (namesBytes(child) + value.bytes.length > memory.slotBytes)
      throw new JobNotSerialisableError(
        "the payload",
        `a job that is handed on has ${memory.slotBytes} bytes`,
      );
    this.#children++;
    queueChild(lentSlot(child.id), child, number, value);
    return child.id;
  }
}

/** A slot the main thread lent to this worker. @throws {EngineFullError} */
function lentSlot(id: string): number {
  for (let tries = 0; tries < LEND_TRIES; tries++) {
    const ticket = Atomics.load(words, mine + at.MAIL);
    const head = Atomics.load(words, mine + at.LENT_HEAD);
    if (head !== Atomics.load(words, mine + at.LENT_TAIL)) {
      const slot = Atomics.load(words, memory.lentEntry(self, head));
      Atomics.store(words, mine + at.LENT_HEAD, (head + 1) | 0);
      return slot;
    }
    ring();
    Atomics.wait(words, mine + at.MAIL, ticket, LEND_MS);
  }
  throw new EngineFullError(id, memory.slots);
}

function queueChild(slot: number, names: JobNames, entry: number, { form, bytes }: Encoded): void {
  const base = memory.slot(slot);
  const data = memory.jobData(slot);
  const length = writeNames(data, names);
  data.set(bytes, length);
  words[base + at.ENTRY] = entry;
  words[base + at.NAMES_LENGTH] = length;
  words[base + at.FORM] = form;
  words[base + at.LENGTH] = bytes.length;
  words[base + at.FLAGS] = at.HANDED_ON;
  Atomics.add(words, at.HANDED, 1);
  Atomics.store(words, base + at.STATE, at.QUEUED);
  const older = finder.handOn(slot);
  if (older >= 0) tell({ kind: "overflow", slot: older });
  wakeHelp();
}

/**
 * Tell the main thread to look. Only who took its LISTENING away rings: were the bell moved first, the main thread could read the moved
 * bell, listen, lose LISTENING to this call and then wait for a ring that nobody makes.
 */
function ring(): void {
  if (Atomics.exchange(words, at.LISTENING, 0) !== 1) return;
  Atomics.add(words, at.DOORBELL, 1);
  Atomics.notify(words, at.DOORBELL);
}

function wakeHelp(): void {
  const sleeper = pickSleeper(memory);
  if (sleeper >= 0) places[sleeper]!.wake();
}

function finish(slot: number, value: unknown, flags: number): void {
  const base = memory.slot(slot);
  const { form, bytes } = encode(value, "the result");
  if (bytes.length > setup.payloadBytes)
    throw new JobNotSerialisableError(
      "the result",
      `it has ${bytes.length} bytes; ${setup.payloadBytes} is the most`,
    );
  if (bytes.length <= memory.slotBytes) memory.resultData(slot).set(bytes);
  else {
    const large = new SharedArrayBuffer(bytes.length);
    new Uint8Array(large).set(bytes);
    tell({ kind: "result", slot, bytes: large });
  }
  words[base + at.RESULT_FORM] = form;
  words[base + at.RESULT_LENGTH] = bytes.length;
  words[base + at.RESULT_FLAGS] = flags | (bytes.length > memory.slotBytes ? at.LARGE : 0);
  Atomics.store(words, base + at.STATE, at.DONE | (self << 3));
  const tail = Atomics.load(words, mine + at.DONE_TAIL);
  Atomics.store(words, memory.doneEntry(self, tail), slot);
  Atomics.store(words, mine + at.DONE_TAIL, (tail + 1) | 0);
  ring();
}

function fail(slot: number, error: unknown): void {
  const { code, message, changed, fix, retryable, details } = toErrorRecord(error);
  const record = { code, message, changed, fix, retryable };
  try {
    finish(slot, { ...record, details }, at.FAILED);
  } catch {
    // Details that cannot be passed on are left out; the message may not be left out.
    finish(slot, { ...record, message: message.slice(0, 1000) }, at.FAILED);
  }
}

function settle(slot: number, context: Running, value: unknown): void {
  context.over = true;
  try {
    finish(slot, value, 0);
  } catch (error) {
    fail(slot, error);
  }
}

/** Run a job. Gives a promise when the job does. */
function start(slot: number): Promise<void> | undefined {
  const base = memory.slot(slot);
  let context: Running | undefined;
  try {
    const bytes = jobBytes(slot);
    const begin = words[base + at.NAMES_LENGTH]!;
    const payload = decode(words[base + at.FORM]!, bytes.subarray(begin, begin + words[base + at.LENGTH]!));
    const running = new Running(bytes);
    context = running;
    const value = functionOf(words[base + at.ENTRY]!)(payload as never, running);
    if (!isThenable(value)) {
      settle(slot, running, value);
      return undefined;
    }
    running.names();
    return Promise.resolve(value).then(
      (result) => settle(slot, running, result),
      (error: unknown) => {
        running.over = true;
        fail(slot, error);
      },
    );
  } catch (error) {
    if (context !== undefined) context.over = true;
    fail(slot, error);
    return undefined;
  }
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

async function work(): Promise<never> {
  for (let ran = 1; ; ran++) {
    place.take();
    const slot = finder.next();
    if (slot < 0) {
      place.give();
      sleep();
      continue;
    }
    if (globalSize(memory) > 0 || localSize(memory, self) > 0) wakeHelp();
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
exported = (await import(setup.module)) as Readonly<Record<string, unknown>>;
tell({
  kind: "ready",
  entries: Object.keys(exported).filter((name) => typeof exported[name] === "function"),
});
hear();
await work();
