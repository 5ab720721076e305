/**
 * The counters: one record per distinct word, found through an open-addressing hash table.
 *
 * T1. Up to the limit, and while memory lasts, every word has a counter and counts are exact.
 * T2. After that the counters follow Space-Saving (Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k
 *     elements in data streams, 2005): a new word takes over a counter with the least count and goes on from there. A count is
 *     then never too low, and too high by at most `floor`, the highest count ever taken over.
 * T3. A least counter is found by a cursor over the records. A word that takes over continues above the least count, so the
 *     cursor meets each counter of a level once. A full pass raises the level by at least one; since all counts are at least
 *     the level, passes cost O(1) per word read.
 * T4. Words of up to 64 bytes are compared byte by byte. Longer ones are the same word when their length, their first 40 bytes
 *     and a 128-bit hash agree; the hash is seeded at random and is not cryptographic.
 *
 * Record: count u64; hash u32; size in 8-byte units u8; kind u8 (0 free, 1 short, 2 long); stored bytes u8; zero u8; then a
 * short word padded with zeros to 8 bytes, or a long word's two hashes (u64), length (u64) and first 40 bytes. A free record
 * holds the address of the next one of its size at offset 16. Slots hold (address - RECORDS) / 8 + 1; 0 is empty.
 */
import { FIRST_SLOTS, FREE, MOST_SLOTS, MOST_WORDS, RECORDS, reach, SLOTS, WORD } from "./layout";

const HEAD: usize = 16;
const LONG_UNITS: u32 = 10;
const FREE_KIND: u8 = 0;
export const SHORT: u8 = 1;
export const LONG: u8 = 2;

let slots: u32 = FIRST_SLOTS;
export let end: usize = RECORDS;
export let live: u32 = 0;
export let limit: u32 = MOST_WORDS;
export let approximate: bool = false;
/** Highest count that was taken over (T2). */
export let floor: u64 = 0;
/** The level and place of the cursor (T3). */
let level: u64 = 0;
let cursor: usize = RECORDS;

/** Lower the limit; only before the first word. */
export function setLimit(words: u32): void {
  limit = words;
}

// @ts-ignore: decorator
@inline
export function countOf(record: usize): u64 {
  return load<u64>(record);
}

// @ts-ignore: decorator
@inline
function hashOf(record: usize): u32 {
  return load<u32>(record, 8);
}

// @ts-ignore: decorator
@inline
export function bytesOf(record: usize): usize {
  return <usize>load<u8>(record, 12) << 3;
}

// @ts-ignore: decorator
@inline
export function kindOf(record: usize): u8 {
  return load<u8>(record, 13);
}

/** Bytes of the word that are stored. */
export function storedOf(record: usize): u32 {
  return load<u8>(record, 14);
}

/** Where the stored bytes are. */
export function textOf(record: usize): usize {
  return record + (kindOf(record) == LONG ? HEAD + 24 : HEAD);
}

/** Count the short word in WORD, of `length` bytes, padded with zeros. */
export function countShort(length: u32, hash: u32): void {
  const mask = slots - 1;
  let slot = hash & mask;
  while (true) {
    const entry = load<u32>(SLOTS + (<usize>slot << 2));
    if (entry == 0) break;
    const record = RECORDS + (<usize>(entry - 1) << 3);
    if (hashOf(record) == hash && load<u8>(record, 13) == SHORT && load<u8>(record, 14) == <u8>length && sameText(record, length)) {
      store<u64>(record, countOf(record) + 1);
      return;
    }
    slot = (slot + 1) & mask;
  }
  const units = 2 + ((length + 7) >> 3);
  const record = admit(units);
  store<u8>(record, SHORT, 13);
  store<u8>(record, <u8>length, 14);
  for (let at: usize = 0; at < <usize>length; at += 8) store<u64>(record + HEAD + at, load<u64>(WORD + at));
  index(record, hash);
}

/** Count a long word by its hashes and length; `stored` bytes of it are in WORD. */
export function countLong(h1: u64, h2: u64, length: u64, stored: u32): void {
  const mask = slots - 1;
  const hash = <u32>(h1 >> 32);
  let slot = hash & mask;
  while (true) {
    const entry = load<u32>(SLOTS + (<usize>slot << 2));
    if (entry == 0) break;
    const record = RECORDS + (<usize>(entry - 1) << 3);
    if (
      hashOf(record) == hash && kindOf(record) == LONG && load<u64>(record, 16) == h1 && load<u64>(record, 24) == h2 &&
      load<u64>(record, 32) == length && storedOf(record) == stored && memory.compare(textOf(record), WORD, stored) == 0
    ) {
      store<u64>(record, countOf(record) + 1);
      return;
    }
    slot = (slot + 1) & mask;
  }
  const record = admit(LONG_UNITS);
  store<u8>(record, LONG, 13);
  store<u8>(record, <u8>stored, 14);
  store<u64>(record, h1, 16);
  store<u64>(record, h2, 24);
  store<u64>(record, length, 32);
  memory.fill(record + HEAD + 24, 0, 40);
  memory.copy(record + HEAD + 24, WORD, stored);
  index(record, hash);
}

// @ts-ignore: decorator
@inline
function sameText(record: usize, length: u32): bool {
  for (let at: usize = 0; at < <usize>length; at += 8) {
    if (load<u64>(record + at, HEAD) != load<u64>(WORD + at)) return false;
  }
  return true;
}

/** A record of `units` with its first count set: from space not used yet, or taken over from others. */
function admit(units: u32): usize {
  if (!approximate) {
    const record = live < limit ? append(units) : 0;
    if (record != 0) return begin(record, units, 1);
    approximate = true;
    // Memory ran out before the limit: what is held now is all there will be.
    if (live < limit && live > 0) limit = live;
  }
  while (live >= limit) evictLeast();
  while (true) {
    let record = takeFree(units);
    if (record == 0) record = append(units);
    if (record == 0) {
      compact();
      record = append(units);
    }
    if (record != 0) return begin(record, units, floor + 1);
    // Too little in one piece even so: the new word is longer than the ones that went. Make room for many at once.
    for (let left = (live >> 4) + 1; left > 0 && live > 0; left--) evictLeast();
  }
}

function begin(record: usize, units: u32, count: u64): usize {
  store<u64>(record, count);
  store<u8>(record, <u8>units, 12);
  store<u8>(record, 0, 15);
  live++;
  return record;
}

function append(units: u32): usize {
  const record = end;
  const next = record + (<usize>units << 3);
  if (!reach(next)) return 0;
  end = next;
  return record;
}

function takeFree(units: u32): usize {
  const head = FREE + (<usize>units << 2);
  const record = <usize>load<u32>(head);
  if (record != 0) store<u32>(head, load<u32>(record, 16));
  return record;
}

/** Enter a record in the table, which doubles when it is half full. */
function index(record: usize, hash: u32): void {
  store<u32>(record, hash, 8);
  if (live * 2 > slots && slots < MOST_SLOTS) {
    slots *= 2;
    reindex();
  } else enter(record, hash);
}

function enter(record: usize, hash: u32): void {
  const mask = slots - 1;
  let slot = hash & mask;
  while (load<u32>(SLOTS + (<usize>slot << 2)) != 0) slot = (slot + 1) & mask;
  store<u32>(SLOTS + (<usize>slot << 2), <u32>((record - RECORDS) >> 3) + 1);
}

/** Build the table anew from the records; it lies at a fixed place, so no second table is needed. */
function reindex(): void {
  memory.fill(SLOTS, 0, <usize>slots << 2);
  for (let record = RECORDS; record < end; record += bytesOf(record)) {
    if (kindOf(record) != FREE_KIND) enter(record, hashOf(record));
  }
}

/** Take the counter with the least count away (T3). At least one is live. */
function evictLeast(): void {
  while (true) {
    while (cursor < end) {
      const record = cursor;
      cursor += bytesOf(record);
      if (kindOf(record) != FREE_KIND && countOf(record) == level) {
        evict(record);
        return;
      }
    }
    level = leastCount();
    cursor = RECORDS;
  }
}

function leastCount(): u64 {
  let least = u64.MAX_VALUE;
  for (let record = RECORDS; record < end; record += bytesOf(record)) {
    if (kindOf(record) != FREE_KIND && countOf(record) < least) least = countOf(record);
  }
  return least;
}

function evict(record: usize): void {
  floor = max(floor, countOf(record));
  unindex(record);
  const head = FREE + (<usize>load<u8>(record, 12) << 2);
  store<u8>(record, FREE_KIND, 13);
  store<u32>(record, load<u32>(head), 16);
  store<u32>(head, <u32>record);
  live--;
}

/** Remove from the table, moving later entries back over the gap (Knuth, The Art of Computer Programming 3, 6.4, algorithm R). */
function unindex(record: usize): void {
  const mask = slots - 1;
  const wanted = <u32>((record - RECORDS) >> 3) + 1;
  let gap = hashOf(record) & mask;
  while (load<u32>(SLOTS + (<usize>gap << 2)) != wanted) gap = (gap + 1) & mask;
  let slot = gap;
  while (true) {
    slot = (slot + 1) & mask;
    const entry = load<u32>(SLOTS + (<usize>slot << 2));
    if (entry == 0) break;
    const home = hashOf(RECORDS + (<usize>(entry - 1) << 3)) & mask;
    if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
    store<u32>(SLOTS + (<usize>gap << 2), entry);
    gap = slot;
  }
  store<u32>(SLOTS + (<usize>gap << 2), 0);
}

/** Close the gaps of free records. */
function compact(): void {
  let to = RECORDS;
  for (let from = RECORDS; from < end; ) {
    const bytes = bytesOf(from);
    if (kindOf(from) != FREE_KIND) {
      if (to != from) memory.copy(to, from, bytes);
      to += bytes;
    }
    from += bytes;
  }
  end = to;
  memory.fill(FREE, 0, 64);
  cursor = RECORDS;
  reindex();
}
