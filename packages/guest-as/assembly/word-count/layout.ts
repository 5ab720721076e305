/**
 * Where the guest keeps things: everything at fixed places, the word records last so that they can grow to the end of memory.
 *
 * L1. No allocation happens after start but growing the records' space.
 */

/**
 * Longest message taken, in bytes: the host's default limit. A chunk is far shorter; the rest is there so that a message that is
 * too long to be one can be taken and counted as malformed. Pages that are never written cost nothing.
 */
export const INBOX_BYTES: usize = 1048576;
export const OUTBOX_BYTES: usize = 4096;
/** Words longer than this many bytes of lower-cased UTF-8 are told apart by hash. */
export const WORD_BYTES: u32 = 64;
/** Bytes of a longer word that are kept. */
export const PREFIX_BYTES: u32 = 40;
/** Most distinct words counted exactly, whatever a CONFIG message asks for. */
export const MOST_WORDS: u32 = 1000000;
/** Slots of the hash table at most: the power of two that keeps a million words under half full. */
export const MOST_SLOTS: u32 = 2097152;
export const FIRST_SLOTS: u32 = 4096;

export const INBOX: usize = (__heap_base + 15) & ~15;
export const OUTBOX: usize = INBOX + INBOX_BYTES;
/** The word being read, and 8 bytes of padding so that it can be read in 8-byte steps. */
export const WORD: usize = OUTBOX + OUTBOX_BYTES;
/** The last bytes of a long word that are not hashed yet. */
export const TAIL: usize = WORD + 72;
/** Lower-case form of each ASCII letter and digit; 0 for every other byte. */
export const ASCII: usize = TAIL + 8;
/** Heads of the lists of free records, by size in 8-byte units. */
export const FREE: usize = ASCII + 256;
/** The ten best records, as addresses. */
export const TOP: usize = FREE + 64;
export const SLOTS: usize = (TOP + 64 + 15) & ~15;
export const RECORDS: usize = SLOTS + (<usize>MOST_SLOTS << 2);

/** Make sure memory reaches to `end`. False when it cannot grow so far. */
export function reach(end: usize): bool {
  const have = <usize>memory.size() << 16;
  if (end <= have) return true;
  // In steps of 1 MiB; the last pages one by one, so that all memory that is allowed gets used.
  const pages = <i32>((end - have + 0xffff) >> 16);
  return memory.grow(max(pages, 16)) >= 0 || memory.grow(pages) >= 0;
}
