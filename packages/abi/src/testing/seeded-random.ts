/**
 * Reproducible random numbers: xoshiro128** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2018), its state
 * filled by FNV-1a over the label path and finished by the 32-bit mixer of MurmurHash3. Not for secrets.
 *
 * F1. A fork depends on the seed and the labels on the way, not on how much was drawn before: a new consumer disturbs no other.
 */
import type { Random } from "../ports/random.ts";

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const GOLDEN = 0x9e3779b9;

/** A seeded source. */
export class SeededRandom implements Random {
  readonly #path: string;
  readonly #state: Uint32Array = new Uint32Array(4);

  /** The source of a seed: a number or a text. */
  constructor(seed: number | string) {
    this.#path = String(seed);
    let hash = FNV_OFFSET;
    for (let i = 0; i < this.#path.length; i++)
      hash = Math.imul(hash ^ this.#path.charCodeAt(i), FNV_PRIME) >>> 0;
    for (let i = 0; i < 4; i++) {
      hash = (hash + GOLDEN) >>> 0;
      this.#state[i] = mix(hash);
    }
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  uint32(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  bytes(target: Uint8Array): Uint8Array {
    for (let i = 0; i < target.length; i += 4) {
      const word = this.uint32();
      for (let j = i; j < Math.min(i + 4, target.length); j++) target[j] = word >>> (8 * (j - i));
    }
    return target;
  }

  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.#path}\u0000${label}`);
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
