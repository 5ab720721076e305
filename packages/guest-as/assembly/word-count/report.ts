/** The answer to a REPORT: one JSON object (see src/word-count.ts for its fields). Words hold letters and digits only, so they need no escapes. */
import { OUTBOX, TOP } from "./layout";
import { approximate, bytesOf, countOf, end, floor, kindOf, live, LONG, storedOf, textOf } from "./records";
import { RECORDS } from "./layout";

const BEST: u32 = 10;
let at: usize = OUTBOX;
let found: u32 = 0;

/** Begin an object. */
export function open(): void {
  at = OUTBOX;
  character(0x7b);
}

/** A field with a whole number. */
export function field(name: string, value: u64): void {
  key(name);
  decimal(value);
}

/** The fields that come from the counters, and the end. Returns the length in bytes. */
export function close(): u32 {
  field("distinct", live);
  key("topApproximate");
  text(approximate ? "true" : "false");
  field("topError", floor);
  key("top");
  character(0x5b);
  select();
  for (let rank: u32 = 0; rank < found; rank++) {
    if (rank > 0) character(0x2c);
    entry(<usize>load<u32>(TOP + (<usize>rank << 2)));
  }
  character(0x5d);
  character(0x7d);
  return <u32>(at - OUTBOX);
}

function entry(record: usize): void {
  character(0x5b);
  character(0x22);
  const stored = storedOf(record);
  memory.copy(at, textOf(record), stored);
  at += stored;
  character(0x22);
  character(0x2c);
  decimal(countOf(record));
  if (kindOf(record) == LONG) {
    character(0x2c);
    decimal(load<u64>(record, 32));
  }
  character(0x5d);
}

/** The ten records with the highest counts, ties by code point order, into TOP. O(records). */
function select(): void {
  found = 0;
  for (let record = RECORDS; record < end; record += bytesOf(record)) {
    if (kindOf(record) == 0) continue;
    if (found == BEST && !precedes(record, <usize>load<u32>(TOP + (<usize>(BEST - 1) << 2)))) continue;
    if (found < BEST) found++;
    let rank = found - 1;
    while (rank > 0 && precedes(record, <usize>load<u32>(TOP + (<usize>(rank - 1) << 2)))) {
      store<u32>(TOP + (<usize>rank << 2), load<u32>(TOP + (<usize>(rank - 1) << 2)));
      rank--;
    }
    store<u32>(TOP + (<usize>rank << 2), <u32>record);
  }
}

/**
 * Bytes of UTF-8 sort as code points do. Ties go by the text that is shown, then by the length of the word; entries that agree
 * in both look the same in the report, so their order is never seen.
 */
function precedes(a: usize, b: usize): bool {
  if (countOf(a) != countOf(b)) return countOf(a) > countOf(b);
  const shorter = min(storedOf(a), storedOf(b));
  const order = memory.compare(textOf(a), textOf(b), shorter);
  if (order != 0) return order < 0;
  if (storedOf(a) != storedOf(b)) return storedOf(a) < storedOf(b);
  return lengthOf(a) < lengthOf(b);
}

function lengthOf(record: usize): u64 {
  return kindOf(record) == LONG ? load<u64>(record, 32) : <u64>storedOf(record);
}

function key(name: string): void {
  if (at != OUTBOX + 1) character(0x2c);
  character(0x22);
  text(name);
  text("\":");
}

function character(code: u8): void {
  store<u8>(at++, code);
}

function text(ascii: string): void {
  for (let i = 0; i < ascii.length; i++) character(<u8>ascii.charCodeAt(i));
}

function decimal(value: u64): void {
  let digits = 1;
  for (let rest = value / 10; rest != 0; rest /= 10) digits++;
  let rest = value;
  for (let i = digits - 1; i >= 0; i--) {
    store<u8>(at + i, <u8>(0x30 + rest % 10));
    rest /= 10;
  }
  at += digits;
}
