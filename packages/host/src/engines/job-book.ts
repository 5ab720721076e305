/**
 * What the main thread keeps of each slot: who waits for the job in it, how often it was started, and what did not fit the slot.
 *
 * K1. A record is settled once; what comes later for it changes nothing.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { JobEnvelope } from "@glia-os/abi/ports";
import { decode, encode, type JobNames, namesBytes, readNames, writeNames, writeValue } from "./codec.ts";
import type { HandedOn } from "./envelope.ts";
import { EngineFullError, JobLostError, JobMemoryError, JobNotSerialisableError } from "./errors.ts";
import { jobError } from "./job-error.ts";
import * as at from "./job-memory.ts";

interface JobRecord {
  readonly id: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  deadline: number;
  settled: boolean;
  forget: (() => void) | undefined;
}

/** What decides about a restart. */
export interface RestartRules {
  readonly memoryBytes?: number;
  readonly handedOn?: (outcome: HandedOn) => void;
}

/** The main thread's records. */
export class JobBook {
  /** Jobs somebody waits for. */
  inFlight = 0;
  finished = 0;
  failed = 0;
  readonly #memory: at.JobMemory;
  readonly #limit: number;
  readonly #payloadBytes: number;
  readonly #free: number[];
  /** The main thread's blocks that are free. */
  readonly #blocks: number[] = Array.from({ length: at.JOB_BLOCKS }, (_, block) => block);
  readonly #records: (JobRecord | undefined)[];
  readonly #starts: Int32Array;
  readonly #largeJobs = new Map<number, SharedArrayBuffer>();
  readonly #largeResults = new Map<number, { readonly worker: number; readonly bytes: SharedArrayBuffer }>();

  constructor(memory: at.JobMemory, limit: number, payloadBytes: number) {
    this.#memory = memory;
    this.#limit = limit;
    this.#payloadBytes = payloadBytes;
    this.#free = Array.from({ length: memory.slots }, (_, slot) => memory.slots - 1 - slot);
    this.#records = new Array<JobRecord | undefined>(memory.slots).fill(undefined);
    this.#starts = new Int32Array(memory.slots);
  }

  /** Write a job into a free slot. @throws {EngineFullError} {JobNotSerialisableError} */
  write(job: JobEnvelope, entry: number): number {
    if (this.inFlight >= this.#limit) throw new EngineFullError(job.id, this.#limit);
    const value = encode(job.payload, "the payload");
    if (value.length > this.#payloadBytes) throw tooLong(value.length, this.#payloadBytes);
    const most = namesBytes(job) + value.length;
    const block = most > this.#memory.slotBytes && most <= at.BLOCK_BYTES ? (this.#blocks.at(-1) ?? -1) : -1;
    const large = most > this.#memory.slotBytes && block < 0 ? new SharedArrayBuffer(most) : undefined;
    const slot = this.#free.pop();
    if (slot === undefined) throw new EngineFullError(job.id, this.#limit);
    if (block >= 0) this.#blocks.pop();
    const inside = block < 0 ? this.#memory.jobAt(slot) : this.#memory.blockAt(block);
    const target = large === undefined ? this.#memory.bytes : new Uint8Array(large);
    const begin = large === undefined ? inside : 0;
    const end = writeNames(target, begin, job);
    writeValue(target, end, value);
    const { words } = this.#memory;
    const base = this.#memory.slot(slot);
    words[base + at.ENTRY] = entry;
    words[base + at.NAMES_LENGTH] = end - begin;
    words[base + at.FORM] = value.form;
    words[base + at.LENGTH] = value.length;
    words[base + at.FLAGS] = large !== undefined ? at.LARGE : block < 0 ? 0 : at.BLOCKED;
    words[base + at.BLOCK] = block;
    this.#memory.numbers[(base + at.NUMBER) >> 1] = value.number;
    if (large !== undefined) this.#largeJobs.set(slot, large);
    this.#starts[slot] = 1;
    return slot;
  }

  /** Wait for the job in a slot. */
  promise(slot: number, id: string): Promise<unknown> {
    this.inFlight++;
    return new Promise((resolve, reject) => {
      this.#records[slot] = {
        id,
        resolve,
        reject,
        deadline: Number.POSITIVE_INFINITY,
        settled: false,
        forget: undefined,
      };
    });
  }

  setDeadline(slot: number, deadline: number): void {
    const record = this.#records[slot];
    if (record !== undefined) record.deadline = deadline;
  }

  /** Names the present occupant of a slot. */
  ticket(slot: number): unknown {
    return this.#records[slot];
  }

  /** Call a function once when the job is settled; at once when it is. */
  onSettled(slot: number, forget: () => void): void {
    const record = this.#records[slot];
    if (record === undefined || record.settled) forget();
    else record.forget = forget;
  }

  /** Whether somebody waits for the job in a slot. */
  waiting(slot: number): boolean {
    return this.#records[slot]?.settled === false;
  }

  /** Jobs over their deadline: slot and id. */
  overdue(now: number): readonly (readonly [number, string])[] {
    const found: [number, string][] = [];
    for (const [slot, record] of this.#records.entries())
      if (record !== undefined && !record.settled && record.deadline <= now) found.push([slot, record.id]);
    return found;
  }

  /** Settle a job with an error (K1). */
  refuse(slot: number, error: Error): void {
    const record = this.#records[slot];
    if (record === undefined || record.settled) return;
    record.settled = true;
    this.inFlight--;
    this.failed++;
    record.reject(error);
    record.forget?.();
  }

  refuseAll(error: (id: string) => Error): void {
    for (const [slot, record] of this.#records.entries())
      if (record !== undefined) this.refuse(slot, error(record.id));
  }

  /** Settle a job whose slot is done. Returns false when its large result has not arrived. */
  settle(slot: number, handedOn?: (outcome: HandedOn) => void): boolean {
    const { words } = this.#memory;
    const base = this.#memory.slot(slot);
    const flags = words[base + at.RESULT_FLAGS]!;
    const length = words[base + at.RESULT_LENGTH]!;
    const large = (flags & at.LARGE) === 0 ? undefined : this.#largeResults.get(slot);
    if ((flags & at.LARGE) !== 0 && large === undefined) return false;
    const bytes = large === undefined ? this.#memory.bytes : new Uint8Array(large.bytes);
    const blocked = (flags & at.BLOCKED) !== 0;
    const inside = blocked
      ? this.#memory.blockAt(words[base + at.RESULT_BLOCK]!)
      : this.#memory.resultAt(slot);
    const begin = large === undefined ? inside : 0;
    const number = this.#memory.numbers[(base + at.RESULT_NUMBER) >> 1]!;
    const value = decode({ form: words[base + at.RESULT_FORM]!, length, number }, bytes, begin);
    if (blocked) this.#giveBackBlock(words[base + at.RESULT_BLOCK]!);
    const failed = (flags & at.FAILED) !== 0;
    if ((words[base + at.FLAGS]! & at.HANDED_ON) !== 0) this.#report(slot, failed, value, handedOn);
    else if (failed) this.refuse(slot, jobError(this.#records[slot]?.id ?? "", value as ErrorRecord));
    else this.#resolve(slot, value);
    return true;
  }

  /** Take the job of a dead worker again. Returns false when it is settled instead. */
  restart(slot: number, attempts: number, overMemory: boolean, rules: RestartRules): boolean {
    this.#largeResults.delete(slot);
    const handedOn = this.handedOn(slot);
    const record = this.#records[slot];
    if (!handedOn && (record === undefined || record.settled)) return false;
    const starts = this.#starts[slot]!;
    if (!overMemory && starts < attempts) {
      this.#starts[slot] = starts + 1;
      return true;
    }
    const id = record?.id ?? this.#names(slot).id;
    const error = overMemory ? new JobMemoryError(id, rules.memoryBytes ?? 0) : new JobLostError(id, starts);
    if (handedOn) this.refuseHandedOn(slot, () => error, rules.handedOn);
    else this.refuse(slot, error);
    return false;
  }

  /** Whether the job in a slot was handed on by another. */
  handedOn(slot: number): boolean {
    return (this.#memory.words[this.#memory.slot(slot) + at.FLAGS]! & at.HANDED_ON) !== 0;
  }

  /** Report a job that was handed on as not done. The caller frees the slot. */
  refuseHandedOn(slot: number, error: (id: string) => Error, hear: RestartRules["handedOn"]): void {
    const names = this.#names(slot);
    this.failed++;
    hear?.({ ...names, error: error(names.id), result: undefined });
  }

  /** A slot is empty again. */
  free(slot: number): void {
    this.#records[slot] = undefined;
    const { words } = this.#memory;
    const base = this.#memory.slot(slot);
    const flags = words[base + at.FLAGS]!;
    if ((flags & at.BLOCKED) !== 0) this.#giveBackBlock(words[base + at.BLOCK]!);
    if ((flags & at.LARGE) !== 0) this.#largeJobs.delete(slot);
    if (this.#largeResults.size > 0) this.#largeResults.delete(slot);
    this.#free.push(slot);
  }

  /** A worker is gone and its jobs are seen to: free those of its blocks that nothing lies in. O(slots). */
  freeBlocks(worker: number): void {
    const { words } = this.#memory;
    const used = new Set<number>();
    for (let slot = 0; slot < this.#memory.slots; slot++) {
      const base = this.#memory.slot(slot);
      const state = words[base + at.STATE]! & 7;
      if (state === at.FREE || state === at.LENT) continue;
      if ((words[base + at.FLAGS]! & at.BLOCKED) !== 0) used.add(words[base + at.BLOCK]!);
      if (state === at.DONE && (words[base + at.RESULT_FLAGS]! & at.BLOCKED) !== 0)
        used.add(words[base + at.RESULT_BLOCK]!);
    }
    for (let i = 0; i < at.WORKER_BLOCKS; i++) {
      const block = this.#memory.workerBlock(worker, i);
      if (!used.has(block)) this.#giveBackBlock(block);
    }
  }

  #giveBackBlock(block: number): void {
    if (block < at.JOB_BLOCKS) this.#blocks.push(block);
    else Atomics.store(this.#memory.words, this.#memory.blockUsed(block), 0);
  }

  /** A free slot to lend to a worker, or -1 when there are only as many as jobs from outside may need. */
  lend(): number {
    const slot = this.#free.length > this.#limit - this.inFlight ? this.#free.pop() : undefined;
    if (slot === undefined) return -1;
    this.#starts[slot] = 1;
    return slot;
  }

  /** A slot that was lent and not used. */
  giveBack(slot: number): void {
    this.#free.push(slot);
  }

  /** The bytes of a job that did not fit its slot. */
  largeJob(slot: number): SharedArrayBuffer {
    return this.#largeJobs.get(slot) ?? new SharedArrayBuffer(0);
  }

  largeResult(slot: number, worker: number, bytes: SharedArrayBuffer): void {
    this.#largeResults.set(slot, { worker, bytes });
  }

  #resolve(slot: number, value: unknown): void {
    const record = this.#records[slot];
    if (record === undefined || record.settled) return;
    record.settled = true;
    this.inFlight--;
    this.finished++;
    record.resolve(value);
    record.forget?.();
  }

  #names(slot: number): JobNames {
    return readNames(this.#memory.bytes, this.#memory.jobBytesAt(slot));
  }

  #report(
    slot: number,
    failed: boolean,
    value: unknown,
    handedOn: ((outcome: HandedOn) => void) | undefined,
  ): void {
    const names = this.#names(slot);
    if (failed) this.failed++;
    else this.finished++;
    const error = failed ? jobError(names.id, value as ErrorRecord) : undefined;
    handedOn?.({ ...names, error, result: failed ? undefined : value });
  }
}

function tooLong(length: number, most: number): JobNotSerialisableError {
  return new JobNotSerialisableError("the payload", `it has ${length} bytes; ${most} is the most`);
}
