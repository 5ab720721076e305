/**
 * The XOR metric over 256-bit keys (Maymounkov and Mazieres, "Kademlia", 2002, section 2.1). A key is eight 32-bit words, big-endian.
 */
import type { Random } from "@glia-os/abi/ports";

/** Words of one key. */
export const KEY_WORDS = 8;
/** Bits of one key. */
export const KEY_BITS = 256;

/** A key or node id as words. */
export type KeyWords = Uint32Array;

/** The words of 64 hexadecimal digits. O(1). */
export function wordsOf(hex: string): KeyWords {
  const words = new Uint32Array(KEY_WORDS);
  for (let i = 0; i < KEY_WORDS; i++) words[i] = Number.parseInt(hex.slice(8 * i, 8 * i + 8), 16);
  return words;
}

/** The 64 hexadecimal digits of a key. */
export function hexOf(words: KeyWords): string {
  let hex = "";
  for (const word of words) hex += word.toString(16).padStart(8, "0");
  return hex;
}

/** Negative, zero or positive as `a` is nearer to `target` than `b`, equal, or farther. */
export function compareDistance(target: KeyWords, a: KeyWords, b: KeyWords): number {
  for (let i = 0; i < KEY_WORDS; i++) {
    const to = target[i] as number;
    const left = ((a[i] as number) ^ to) >>> 0;
    const right = ((b[i] as number) ^ to) >>> 0;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Leading bits that two keys share: 0 to 256. */
export function sharedPrefixBits(a: KeyWords, b: KeyWords): number {
  for (let i = 0; i < KEY_WORDS; i++) {
    const differ = (a[i] as number) ^ (b[i] as number);
    if (differ !== 0) return 32 * i + Math.clz32(differ);
  }
  return KEY_BITS;
}

/** A random key that shares exactly `bits` (0 to 255) leading bits with `self`. */
export function randomKeySharing(self: KeyWords, bits: number, random: Random): KeyWords {
  const key = new Uint32Array(KEY_WORDS);
  const word = bits >>> 5;
  const bit = 31 - (bits & 31);
  for (let i = 0; i < KEY_WORDS; i++) key[i] = i < word ? (self[i] as number) : random.uint32();
  const kept = bit === 31 ? 0 : (0xffff_ffff << (bit + 1)) >>> 0;
  const flipped = (~(self[word] as number) & (1 << bit)) >>> 0;
  const below = (1 << bit) - 1;
  const free = (key[word] as number) & (bit === 31 ? 0x7fff_ffff : below);
  key[word] = (((self[word] as number) & kept) | flipped | free) >>> 0;
  return key;
}
