/**
 * The last syscalls of a kernel, 16 bytes each, always on.
 *
 * R1. A record is four 32-bit words: syscall number and outcome, low word of the task id, an argument, slice number.
 * R2. The ring never grows; the oldest record is overwritten. `total` tells how many were ever written.
 */
import { syscallByNumber } from "@glia-os/abi/syscalls";
import { BadOptionError } from "./errors.ts";

export const DONE = 0;
export const PARKED = 1;
export const REFUSED = 2;
const OUTCOMES = ["done", "parked", "refused"] as const;
const WORDS = 4;
const RECORDS_MAX = 1_048_576;

/** One traced syscall. */
export interface TraceRecord {
  readonly syscall: string;
  readonly outcome: "done" | "parked" | "refused";
  /** The low 32 bits of the task id. */
  readonly task: number;
  /** The low 32 bits of the handle, id or duration the call was about; 0 without one. */
  readonly argument: number;
  /** The number of the slice it happened in, from 1; 0 before the first. */
  readonly slice: number;
}

/** The ring. */
export class TraceRing {
  /** The slice that runs; the kernel sets it. */
  slice = 0;
  #at = 0;
  /** Times the ring was filled. */
  #laps = 0;
  readonly #words: Int32Array;
  readonly #mask: number;

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

  /** The records still held, oldest first. */
  records(): readonly TraceRecord[] {
    const held = Math.min(this.total, this.#words.length / WORDS);
    return Array.from({ length: held }, (_, i) => {
      const at = (this.#at - (held - i) * WORDS) & this.#mask;
      const [head = 0, task = 0, argument = 0, slice = 0] = this.#words.subarray(at, at + WORDS);
      const syscall = syscallByNumber(head & 0xff)?.name ?? `#${head & 0xff}`;
      return {
        syscall,
        outcome: OUTCOMES[head >> 8] ?? "done",
        task: task >>> 0,
        argument: argument >>> 0,
        slice,
      };
    });
  }
}
