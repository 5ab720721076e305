/**
 * The last syscalls of a kernel, 16 bytes each, always on.
 *
 * R1. A record is four 32-bit words (`observe/trace-image.ts`): of a syscall, or of the begin of a slice with its time.
 * R2. The ring never grows; the oldest record is overwritten. `total` tells how many were ever written.
 * R3. A slice without syscalls leaves no record: its mark is overwritten by that of the next.
 */
import { BadOptionError } from "./errors.ts";
import { encodeTrace, recordsOf, SLICE, type SyscallRecord } from "./observe/trace-image.ts";

export const DONE = 0;
export const PARKED = 1;
export const REFUSED = 2;
const WORDS = 4;
const US_PER_MS = 1000;
const LOW_WORD = 4_294_967_296;
const RECORDS_MAX = 1_048_576;

/** The ring. */
export class TraceRing {
  /** The slice that runs, or ran last. */
  slice = 0;
  #at = 0;
  /** Times the ring was filled. */
  #laps = 0;
  #words: Int32Array = new Int32Array(0);
  #mask = 0;

  /** @throws {BadOptionError} unless `records` is a power of two from 1 to 2^20. */
  constructor(records: number) {
    if (!Number.isInteger(records) || records < 1 || records > RECORDS_MAX || (records & (records - 1)) !== 0)
      throw new BadOptionError("traceRecords", records, `a power of two from 1 to ${RECORDS_MAX}`);
    this.#words = new Int32Array(records * WORDS);
    this.#mask = records * WORDS - 1;
  }

  /** Write one record. */
  write(op: number, outcome: number, task: number, argument: number): void {
    const at = this.#at;
    const words = this.#words;
    words[at] = op | (outcome << 8);
    words[at + 1] = task;
    words[at + 2] = argument;
    words[at + 3] = this.slice;
    const next = (at + WORDS) & this.#mask;
    this.#at = next;
    if (next === 0) this.#laps++;
  }

  /** Records ever written. */
  get total(): number {
    return this.#laps * (this.#words.length / WORDS) + this.#at / WORDS;
  }

  /** A slice begins, at a monotonic time in milliseconds (R3). */
  begin(nowMs: number): void {
    this.slice++;
    const words = this.#words;
    const last = (this.#at - WORDS) & this.#mask;
    const again = words[last] === SLICE && words[last + 3] !== 0;
    const at = again ? last : this.#at;
    const us = Math.max(0, Math.round(nowMs * US_PER_MS));
    words[at] = SLICE;
    words[at + 1] = us % LOW_WORD;
    words[at + 2] = Math.floor(us / LOW_WORD);
    words[at + 3] = this.slice;
    if (again) return;
    const next = (at + WORDS) & this.#mask;
    this.#at = next;
    if (next === 0) this.#laps++;
  }

  /** The syscalls among the newest `most` records, oldest first. */
  records(most: number = this.#words.length / WORDS): readonly SyscallRecord[] {
    return recordsOf(this.#newest(most)).filter((record) => record.kind === "syscall");
  }

  /** Everything held, as bytes. */
  image(): Uint8Array {
    return encodeTrace(this.total, this.#newest(this.#words.length / WORDS));
  }

  #newest(most: number): Int32Array {
    const held = Math.min(this.total, this.#words.length / WORDS, most);
    const from = (this.#at - held * WORDS) & this.#mask;
    const words = new Int32Array(held * WORDS);
    const tail = this.#words.subarray(from, Math.min(from + words.length, this.#words.length));
    words.set(tail);
    words.set(this.#words.subarray(0, words.length - tail.length), tail.length);
    return words;
  }
}
