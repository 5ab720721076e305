/**
 * The records that are being replayed, and where the replay stands among them. Calls whose outcome comes next are answered from here.
 *
 * TP1. A call is answered only when its records come next and whole: the intent of one that may happen once, then time that wakes nobody,
 *      then its outcome, which is a value. Anything else is left to the replay, which judges it record by record.
 * TP2. Nothing is taken, and no clock moves, unless all of it fits.
 */
import { KIND } from "./record.ts";
import { MAJOR, SIMPLE } from "./record-arena.ts";
import { valueAt, valueEnd } from "./record-reader.ts";

const RECORD = MAJOR.array | 6;
const WORD = 4;

/** The bytes of a record of a call between its number and its outcome: path, syscall and hash of the arguments. */
export class CallFront {
  readonly #bytes: Uint8Array;
  /** The same, little-endian, up to the last whole word. */
  readonly #words: Int32Array;
  /** Bytes before the hash. */
  readonly #named: number;

  /** `bytes` end with the hash when `hashBytes` is not 0. */
  constructor(bytes: Uint8Array, hashBytes: number) {
    this.#bytes = bytes.slice();
    this.#words = new Int32Array(Math.floor(bytes.length / WORD));
    this.#named = bytes.length - hashBytes;
    this.#fillWords();
  }

  #fillWords(): void {
    const view = new DataView(this.#bytes.buffer);
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = view.getInt32(WORD * i, true);
  }

  /** The same for other arguments. */
  setHash(hash: Uint8Array): void {
    this.#bytes.set(hash, this.#named);
    this.#fillWords();
  }

  /** Where these bytes end when they stand at a place, else -1. */
  endAt(view: DataView, at: number): number {
    const { length } = this.#bytes;
    if (at + length > view.byteLength) return -1;
    const words = this.#words;
    let differences = 0;
    for (let i = 0; i < words.length; i++)
      differences |= view.getInt32(at + WORD * i, true) ^ (words[i] as number);
    for (let i = WORD * words.length; i < length; i++)
      differences |= view.getUint8(at + i) ^ (this.#bytes[i] as number);
    return differences === 0 ? at + length : -1;
  }

  /** Whether the part before the hash stands at a place. */
  isNamedAt(body: Uint8Array, at: number): boolean {
    for (let i = 0; i < this.#named; i++) if (body[at + i] !== this.#bytes[i]) return false;
    return true;
  }
}

/** The clock of the domain that is replayed. */
export interface TapeClock {
  /** Move the clock, unless a timer is due until then. Returns whether it moved. */
  pass(nowMs: number): boolean;
}

/** One body of records. */
export class Tape {
  #body: Uint8Array = new Uint8Array();
  /** Made when a call is looked up: many a body has one record. */
  #view: DataView | undefined;
  #at = 0;
  #seq = 1;
  #left = 0;
  #time = 0;
  /** What the call that was taken last came to. */
  value: unknown = undefined;

  /** Go on with the records of a body. */
  load(body: Uint8Array, firstSeq: number, count: number): void {
    this.#body = body;
    this.#view = undefined;
    this.#at = 0;
    this.#seq = firstSeq;
    this.#left = count;
  }

  /** Let nothing be taken any more. */
  stop(): void {
    this.#left = 0;
  }

  /** Records that are left. */
  get left(): number {
    return this.#left;
  }

  /** Where the next record begins, and its number. */
  get at(): number {
    return this.#at;
  }

  get seq(): number {
    return this.#seq;
  }

  /** The next record was taken, up to a place. */
  skip(end: number): void {
    this.#at = end;
    this.#seq += 1;
    this.#left -= 1;
  }

  /** Whether the next record could be of a call, whatever its arguments are; also when it is none of a call. */
  mayName(front: CallFront): boolean {
    const body = this.#body;
    const kind = body[this.#at + 1];
    if (kind === KIND.time) return true;
    const at = afterNumber(body, this.#at, kind as number, this.#seq);
    return at >= 0 && front.isNamedAt(body, at);
  }

  /** Take the records of a call (TP1); the outcome is {@link value}. `once`: its intent comes first. */
  take(front: CallFront, once: boolean, clock: TapeClock): boolean {
    const body = this.#body;
    let at = this.#at;
    let seq = this.#seq;
    if (once) {
      at = this.#frontEnd(front, at, KIND.intent, seq++);
      if (at < 0 || body[at++] !== SIMPLE.null) return false;
    }
    let passes = false;
    for (; at >= 0 && body[at + 1] === KIND.time; passes = true) at = this.#timeEnd(at, seq++);
    at = this.#frontEnd(front, at, KIND.resume, seq++);
    if (at < 0 || seq - this.#seq > this.#left) return false;
    const value = valueAt(body, at);
    const end = valueEnd();
    if (end < 0 || (passes && !clock.pass(this.#time))) return false;
    this.value = value;
    this.#left -= seq - this.#seq;
    this.#seq = seq;
    this.#at = end;
    return true;
  }

  #frontEnd(front: CallFront, at: number, kind: number, seq: number): number {
    const after = afterNumber(this.#body, at, kind, seq);
    if (after < 0) return -1;
    const { buffer, byteOffset, length } = this.#body;
    this.#view ??= new DataView(buffer, byteOffset, length);
    return front.endAt(this.#view, after);
  }

  /** Where a record of the time ends, which is kept in {@link #time}; -1 for none. */
  #timeEnd(at: number, seq: number): number {
    const body = this.#body;
    const after = afterNumber(body, at, KIND.time, seq);
    // No path, no syscall, no hash.
    if (after < 0 || body[after] !== MAJOR.array || body[after + 1] !== 0 || body[after + 2] !== SIMPLE.null)
      return -1;
    const nowMs = valueAt(body, after + 3);
    if (typeof nowMs !== "number") return -1;
    this.#time = nowMs;
    return valueEnd();
  }
}

/** Where the number of a record ends that has this kind and number; -1 for another. The number has its shortest form. */
function afterNumber(body: Uint8Array, at: number, kind: number, seq: number): number {
  if (at < 0 || body[at] !== RECORD || body[at + 1] !== kind) return -1;
  const first = body[at + 2] as number;
  if (seq < 24) return first === seq ? at + 3 : -1;
  if (seq < 256) return first === 24 && body[at + 3] === seq ? at + 4 : -1;
  const low = ((body[at + 3] as number) << 8) | (body[at + 4] as number);
  if (seq < 65_536) return first === 25 && low === seq ? at + 5 : -1;
  if (seq > 0x7fffffff) return -1;
  const all = (low << 16) | ((body[at + 5] as number) << 8) | (body[at + 6] as number);
  return first === 26 && all === seq ? at + 7 : -1;
}
