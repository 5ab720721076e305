/**
 * From bytes to words.
 *
 * D1. Bytes are decoded as the WHATWG Encoding Standard decodes UTF-8: each maximal invalid part is one U+FFFD. U+FFFD belongs
 *     to no word, so here it only ends one.
 * D2. The state of the decoder and the word being read survive between chunks. `endOfFile` and `startOfFile` end both.
 * D3. Memory does not grow with the length of a word.
 */
import { ASCII, PREFIX_BYTES, TAIL, WORD, WORD_BYTES } from "./layout";
import { countLong, countShort } from "./records";
import { classOf, lowered } from "./unicode";

const K1: u64 = 0x9e3779b97f4a7c15;
const K2: u64 = 0xc2b2ae3d27d4eb4f;

export let lines: u64 = 0;
export let words: u64 = 0;

/** Bytes of the word in WORD; more than WORD_BYTES only while `long` counts the rest. */
let length: u32 = 0;
let long: bool = false;
let longLength: u64 = 0;
let h1: u64 = 0;
let h2: u64 = 0;

let needed: u32 = 0;
let point: u32 = 0;
let lower: u32 = 0x80;
let upper: u32 = 0xbf;

/** Hash seeds, random per guest. */
let seed1: u64 = K1;
let seed2: u64 = K2;

/** Set the seeds and the ASCII table. */
export function prepare(first: u64, second: u64): void {
  seed1 = first;
  seed2 = second;
  for (let byte: u32 = 0; byte < 128; byte++) {
    const kind = classOf(byte);
    store<u8>(ASCII + byte, kind == 0 ? 0 : <u8>lowered(byte, kind));
  }
}

/** Read the bytes in [from, to). */
export function read(from: usize, to: usize): void {
  let at = from;
  let breaks: u64 = 0;
  while (at < to) {
    const byte = <u32>load<u8>(at);
    if (needed != 0) {
      // A byte that does not continue the sequence ends it and is looked at again as a first byte.
      if (continued(byte)) at++;
      continue;
    }
    if (byte >= 0x80) {
      first(byte);
      at++;
      continue;
    }
    const letter = load<u8>(ASCII + byte);
    if (letter == 0) {
      if (length != 0) finish();
      breaks += u64(byte == 10);
      at++;
      continue;
    }
    at = ascii(at, to);
  }
  lines += breaks;
}

/** Take letters and digits of ASCII as far as they go; the first one is there. */
// @ts-ignore: decorator
@inline
function ascii(from: usize, to: usize): usize {
  let at = from;
  let have = length;
  while (at < to && have < WORD_BYTES) {
    const letter = load<u8>(ASCII + <usize>load<u8>(at));
    if (letter == 0) break;
    store<u8>(WORD + have, letter);
    have++;
    at++;
  }
  length = have;
  if (have == WORD_BYTES) {
    while (at < to) {
      const letter = load<u8>(ASCII + <usize>load<u8>(at));
      if (letter == 0) break;
      put(letter);
      at++;
    }
  }
  return at;
}


/** End the sequence and the word being read. */
export function endOfFile(): void {
  needed = 0;
  lower = 0x80;
  upper = 0xbf;
  if (length != 0) finish();
}

/** A byte from 0x80 where a sequence may start. */
function first(byte: u32): void {
  if (byte >= 0xc2 && byte <= 0xdf) {
    needed = 1;
    point = byte & 0x1f;
  } else if (byte >= 0xe0 && byte <= 0xef) {
    if (byte == 0xe0) lower = 0xa0;
    if (byte == 0xed) upper = 0x9f;
    needed = 2;
    point = byte & 0x0f;
  } else if (byte >= 0xf0 && byte <= 0xf4) {
    if (byte == 0xf0) lower = 0x90;
    if (byte == 0xf4) upper = 0x8f;
    needed = 3;
    point = byte & 0x07;
  } else if (length != 0) finish();
}

/** Whether the byte continued the sequence; if not, the sequence was invalid and is over. */
function continued(byte: u32): bool {
  if (byte < lower || byte > upper) {
    endOfFile();
    return false;
  }
  lower = 0x80;
  upper = 0xbf;
  point = (point << 6) | (byte & 0x3f);
  if (--needed == 0) decoded(point);
  return true;
}

function decoded(found: u32): void {
  const kind = classOf(found);
  if (kind == 0) {
    if (length != 0) finish();
    return;
  }
  const small = lowered(found, kind);
  if (small < 0x80) put(<u8>small);
  else if (small < 0x800) {
    put(<u8>(0xc0 | (small >> 6)));
    put(<u8>(0x80 | (small & 0x3f)));
  } else if (small < 0x10000) {
    put(<u8>(0xe0 | (small >> 12)));
    put(<u8>(0x80 | ((small >> 6) & 0x3f)));
    put(<u8>(0x80 | (small & 0x3f)));
  } else {
    put(<u8>(0xf0 | (small >> 18)));
    put(<u8>(0x80 | ((small >> 12) & 0x3f)));
    put(<u8>(0x80 | ((small >> 6) & 0x3f)));
    put(<u8>(0x80 | (small & 0x3f)));
  }
}

function put(byte: u8): void {
  if (length < WORD_BYTES) {
    store<u8>(WORD + length, byte);
    length++;
    return;
  }
  if (!long) {
    long = true;
    longLength = WORD_BYTES;
    h1 = seed1;
    h2 = seed2;
    for (let at: usize = 0; at < <usize>WORD_BYTES; at += 8) fold(load<u64>(WORD + at));
  }
  store<u8>(TAIL + (<usize>longLength & 7), byte);
  longLength++;
  if ((longLength & 7) == 0) fold(load<u64>(TAIL));
}

// @ts-ignore: decorator
@inline
function fold(block: u64): void {
  h1 = (h1 ^ block) * K1;
  h1 ^= h1 >> 29;
  h2 = (rotl<u64>(h2, 23) + block) * K2;
  h2 ^= h2 >> 31;
}

function finish(): void {
  words++;
  if (long) finishLong();
  else {
    store<u64>(WORD + length, 0);
    let hash = seed1 ^ <u64>length;
    for (let at: usize = 0; at < <usize>length; at += 8) {
      hash = (hash ^ load<u64>(WORD + at)) * K1;
      hash ^= hash >> 32;
    }
    hash = (hash ^ seed2) * K2;
    countShort(length, <u32>(hash >> 32));
  }
  length = 0;
}

function finishLong(): void {
  const rest = <usize>longLength & 7;
  if (rest != 0) {
    for (let at = rest; at < 8; at++) store<u8>(TAIL + at, 0);
    fold(load<u64>(TAIL));
  }
  fold(longLength);
  fold(seed2);
  // The part that is kept ends between two code points.
  let stored = PREFIX_BYTES;
  while ((load<u8>(WORD + stored) & 0xc0) == 0x80) stored--;
  countLong(h1, h2, longLength, stored);
  long = false;
}
