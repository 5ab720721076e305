/**
 * FNV-1a with 64 bits (Fowler, Noll and Vo; draft-eastlake-fnv), in integer arithmetic only. Not for secrets: collisions can be made.
 *
 * FN1. The state is two 32-bit words. The prime is 2^40 + 0x1b3, so a step is one product below 2^42 and one shift: exact in doubles.
 * FN2. Numbers go in as their 8 bytes of IEEE 754, big-endian, every NaN as one; texts as their length and UTF-16 units. So no two
 *      sequences of inputs of the same kinds are the same bytes.
 */
const OFFSET_HIGH = 0xcbf29ce4;
const OFFSET_LOW = 0x84222325;
const PRIME_LOW = 0x1b3;
const WORD = 0x1_0000_0000;
const QUIET_NAN = 0x7ff8000000000000n;

const eight = new DataView(new ArrayBuffer(8));

/** A running hash. */
export class Fnv1a64 {
  #high = OFFSET_HIGH;
  #low = OFFSET_LOW;

  /** Add one byte. */
  byte(value: number): void {
    const low = (this.#low ^ (value & 0xff)) >>> 0;
    const product = low * PRIME_LOW;
    // Below 2^10, so the integer part is exact.
    const carry = (product / WORD) | 0;
    this.#high = (Math.imul(this.#high, PRIME_LOW) + carry + (low << 8)) >>> 0;
    this.#low = product >>> 0;
  }

  /** Add a number (FN2). */
  number(value: number): void {
    // The bits of a NaN are the engine's own choice; this one is the usual quiet NaN.
    if (Number.isNaN(value)) eight.setBigUint64(0, QUIET_NAN);
    else eight.setFloat64(0, value);
    for (let i = 0; i < 8; i++) this.byte(eight.getUint8(i));
  }

  /** Add a text (FN2). */
  text(value: string): void {
    this.number(value.length);
    // As `byte` does, with the state in variables: most of what is hashed is text.
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      low = (low ^ (unit >>> 8)) >>> 0;
      let product = low * PRIME_LOW;
      high = (Math.imul(high, PRIME_LOW) + ((product / WORD) | 0) + (low << 8)) | 0;
      low = ((product >>> 0) ^ (unit & 0xff)) >>> 0;
      product = low * PRIME_LOW;
      high = (Math.imul(high, PRIME_LOW) + ((product / WORD) | 0) + (low << 8)) | 0;
      low = product >>> 0;
    }
    this.#high = high >>> 0;
    this.#low = low;
  }

  /** The hash of everything added so far: 16 hexadecimal digits. */
  hex(): string {
    return this.#high.toString(16).padStart(8, "0") + this.#low.toString(16).padStart(8, "0");
  }
}
