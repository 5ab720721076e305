/**
 * Records from one thread to another in shared memory.
 *
 * TR1. One thread writes and one reads. A record is written before TAIL moves past it, so a writer that ends in the middle has written
 *      nothing.
 * TR2. No record goes around the end: a filler takes what is too short there.
 * TR3. Positions only grow, modulo 2^32; the place is their low bits. The reader gives room back when it has read.
 * TR4. A reader that sleeps says so and looks once more; a writer that finds it asleep takes that word away and sends what it has another way,
 *      which wakes it. All of that is sequentially consistent (`Atomics`), so at least one of them sees the other.
 */

/** Room for records of one direction. */
export const RING_BYTES = 262_144;
/** Longest record, without its head. What is longer goes by the port. */
export const RECORD_BYTES = 65_536;
/** Words of a line of the processor's cache: what different threads write lies in different lines. */
const LINE = 16;
const TAIL = 0;
const HEAD = LINE;
const ASLEEP = 2 * LINE;
const LOOKING = 2 * LINE + 1;
const CONTROL_BYTES = 4 * 3 * LINE;
/** Length and sequence number. */
const HEAD_BYTES = 8;
/** The length of a filler. */
const FILLER = -1;

/** Bytes of one direction's memory. */
export const RING_MEMORY_BYTES: number = CONTROL_BYTES + RING_BYTES;

function aligned(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** The end that writes. */
export class RingWriter {
  readonly #words: Int32Array;
  readonly #records: Int32Array;
  readonly #bytes: Uint8Array;
  #tail: number;
  /** The reader's position, as far as it is known. */
  #head: number;

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.#words = new Int32Array(memory, byteOffset, 3 * LINE);
    this.#records = new Int32Array(memory, byteOffset + CONTROL_BYTES, RING_BYTES / 4);
    this.#bytes = new Uint8Array(memory, byteOffset + CONTROL_BYTES, RING_BYTES);
    this.#tail = Atomics.load(this.#words, TAIL);
    this.#head = Atomics.load(this.#words, HEAD);
  }

  /** Write a record of at most {@link RECORD_BYTES}. False when there is no room. A reader that sleeps does not see it. */
  write(sequence: number, bytes: Uint8Array): boolean {
    const size = HEAD_BYTES + aligned(bytes.length);
    let at = this.#tail & (RING_BYTES - 1);
    const rest = RING_BYTES - at;
    if (!this.#fits(rest < size ? rest + size : size)) return false;
    if (rest < size) {
      this.#records[at >> 2] = FILLER;
      this.#tail = (this.#tail + rest) | 0;
      at = 0;
    }
    this.#records[at >> 2] = bytes.length;
    this.#records[(at >> 2) + 1] = sequence;
    this.#bytes.set(bytes, at + HEAD_BYTES);
    this.#tail = (this.#tail + size) | 0;
    Atomics.store(this.#words, TAIL, this.#tail);
    return true;
  }

  #fits(size: number): boolean {
    if (((this.#tail - this.#head) | 0) + size <= RING_BYTES) return true;
    this.#head = Atomics.load(this.#words, HEAD);
    return ((this.#tail - this.#head) | 0) + size <= RING_BYTES;
  }

  /** Whether the reader may look by itself, as this end sees it. */
  set looking(looking: boolean) {
    Atomics.store(this.#words, LOOKING, looking ? 1 : 0);
  }

  /** Whether the reader sleeps and the caller is the one to wake it (TR4). The first look spares the reader a cache line while it is awake. */
  mustWake(): boolean {
    const words = this.#words;
    return Atomics.load(words, ASLEEP) === 1 && Atomics.exchange(words, ASLEEP, 0) === 1;
  }
}

/** The end that reads. */
export class RingReader {
  readonly #words: Int32Array;
  readonly #records: Int32Array;
  #head: number;
  /** The writer's position, as far as it is known. */
  #tail: number;

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.#words = new Int32Array(memory, byteOffset, 3 * LINE);
    this.#records = new Int32Array(memory, byteOffset + CONTROL_BYTES, RING_BYTES / 4);
    this.#head = Atomics.load(this.#words, HEAD);
    this.#tail = this.#head;
  }

  /** Whether this end may look by itself, as the writer sees it. */
  get looking(): boolean {
    return Atomics.load(this.#words, LOOKING) === 1;
  }

  /** Where the oldest record's bytes begin, in the memory; -1 when there is none. */
  first(byteOffset: number): number {
    if (this.#tail === this.#head) {
      this.#tail = Atomics.load(this.#words, TAIL);
      if (this.#tail === this.#head) return -1;
    }
    const at = this.#head & (RING_BYTES - 1);
    if (this.#records[at >> 2] !== FILLER) return byteOffset + CONTROL_BYTES + at + HEAD_BYTES;
    this.#head = (this.#head + RING_BYTES - at) | 0;
    return this.first(byteOffset);
  }

  /** The sequence number of the oldest record. */
  get sequence(): number {
    return this.#records[((this.#head & (RING_BYTES - 1)) >> 2) + 1]!;
  }

  /** The oldest record has been read: its room is the writer's again. */
  done(): void {
    const length = this.#records[(this.#head & (RING_BYTES - 1)) >> 2]!;
    this.#head = (this.#head + HEAD_BYTES + aligned(length)) | 0;
    Atomics.store(this.#words, HEAD, this.#head);
  }

  /** Say whether this end is to be woken. Look once more after saying that it is (TR4). */
  set asleep(asleep: boolean) {
    Atomics.store(this.#words, ASLEEP, asleep ? 1 : 0);
  }
}
