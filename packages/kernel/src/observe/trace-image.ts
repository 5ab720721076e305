/**
 * The trace ring as bytes. The format is described in docs/observability.md.
 *
 * TI1. Everything is little-endian. A header of 24 bytes: `GLTR`, the version 1, the bytes of a record (16), two zeros; records ever written (a
 *      double); records that follow (32 bits); zero (32 bits). Then the records, oldest first.
 * TI2. A record is four words. Of a syscall: its number and `outcome << 8`; the low word of the task id; the low word of an argument; the number of
 *      the slice. Of the begin of a slice: 0; the low and the high word of its time in microseconds; its number.
 * TI3. Decoding never reads outside the bytes and refuses what does not have this shape.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { OPCODE_NAMES } from "../opcodes.ts";

/** The number that marks the begin of a slice: no syscall has it. */
export const SLICE = 0;

const OUTCOMES = ["done", "parked", "refused"] as const;
const MAGIC = [0x47, 0x4c, 0x54, 0x52];
const VERSION = 1;
const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
const WORDS = 4;
const RECORDS_MOST = 1_048_576;
const LOW_WORD = 4_294_967_296;
const US_PER_MS = 1000;

/** One traced syscall. */
export interface SyscallRecord {
  readonly kind: "syscall";
  readonly syscall: string;
  readonly outcome: "done" | "parked" | "refused";
  /** The low 32 bits of the task id; 0 for a call of the shell. */
  readonly task: number;
  /** The low 32 bits of the handle, id or duration the call was about; 0 without one. */
  readonly argument: number;
  /** The number of the slice it happened in, from 1; 0 before the first. */
  readonly slice: number;
}

/** The begin of a slice. */
export interface SliceRecord {
  readonly kind: "slice";
  readonly slice: number;
  /** Monotonic time, in milliseconds with a resolution of a microsecond. */
  readonly atMs: number;
}

/** One record of a trace. */
export type TraceRecord = SyscallRecord | SliceRecord;

/** A decoded trace. */
export interface Trace {
  /** Records ever written; those before the ones held are lost. */
  readonly total: number;
  /** Oldest first. */
  readonly records: readonly TraceRecord[];
}

/** Read records out of words. */
export function recordsOf(words: Int32Array): TraceRecord[] {
  return Array.from({ length: words.length / WORDS }, (_, i) => {
    const [head = 0, first = 0, second = 0, slice = 0] = words.subarray(i * WORDS, (i + 1) * WORDS);
    if ((head & 0xff) === SLICE) {
      const us = (second >>> 0) * LOW_WORD + (first >>> 0);
      return { kind: "slice", slice: slice >>> 0, atMs: us / US_PER_MS };
    }
    return {
      kind: "syscall",
      syscall: OPCODE_NAMES[head & 0xff] ?? `#${head & 0xff}`,
      outcome: OUTCOMES[head >> 8] ?? "done",
      task: first >>> 0,
      argument: second >>> 0,
      slice: slice >>> 0,
    };
  });
}

/** Write records (TI1). */
export function encodeTrace(total: number, words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + words.length * 4);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint8(4, VERSION);
  view.setUint8(5, RECORD_BYTES);
  view.setFloat64(8, total, true);
  view.setUint32(16, words.length / WORDS, true);
  for (let i = 0; i < words.length; i++) view.setInt32(HEADER_BYTES + 4 * i, words[i]!, true);
  return bytes;
}

/** Read the image of a trace ring. @throws {MalformedError} */
export function decodeTrace(image: Uint8Array): Trace {
  const bad = (why: string): MalformedError => new MalformedError("a trace image", why);
  if (!(image instanceof Uint8Array)) throw bad(`it is of type ${typeof image}, not bytes`);
  if (image.length < HEADER_BYTES) throw bad(`${image.length} bytes are less than its header`);
  if (MAGIC.some((byte, i) => image[i] !== byte)) throw bad("it does not begin with GLTR");
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (view.getUint8(4) !== VERSION) throw bad(`its version is ${view.getUint8(4)}, not ${VERSION}`);
  if (view.getUint8(5) !== RECORD_BYTES || view.getUint16(6) !== 0 || view.getUint32(20) !== 0)
    throw bad("its header is not that of version 1");
  const total = view.getFloat64(8, true);
  const count = view.getUint32(16, true);
  if (count > RECORDS_MOST || image.length !== HEADER_BYTES + count * RECORD_BYTES)
    throw bad(`${image.length} bytes do not hold ${count} records and a header`);
  if (!Number.isSafeInteger(total) || total < count)
    throw bad(`${total} records ever, of which ${count} are held`);
  const words = Int32Array.from({ length: count * WORDS }, (_, i) =>
    view.getInt32(HEADER_BYTES + 4 * i, true),
  );
  for (let i = 0; i < count; i++) {
    const head = words[i * WORDS]!;
    if ((head & 0xff) === SLICE ? head !== SLICE : head >>> 8 >= OUTCOMES.length)
      throw bad(`record ${i} has the unknown head ${head >>> 0}`);
  }
  return { total, records: recordsOf(words) };
}
