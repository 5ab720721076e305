/**
 * Counts bytes, lines and words of files that arrive in chunks, and keeps the most frequent words.
 *
 * Messages (integers little-endian):
 *   CHUNK   kind u8 = 1; flags u8 (1 first of its file, 2 last); zero u16; file index u32; sequence u64; then up to 65,536 bytes
 *   REPORT  kind u8 = 2                                    -> one JSON object as the reply
 *   CONFIG  kind u8 = 3; zero u8; zero u16; limit u32      distinct words counted exactly, 1 to 1,000,000; only before a chunk
 *
 * W1. Sequence numbers count from 1. A chunk whose number was passed already is not applied and counts as duplicated; numbers
 *     that were jumped over count as lost.
 * W2. bytes and lines are what `wc -c` and `wc -l` print. A word is a maximal run of code points of category L* or Nd, compared
 *     by simple lower-casing; it goes on over chunk boundaries and never over the end of a file or a gap.
 * W3. A message that is none of these counts as malformed and changes nothing else.
 */
import * as host from "../host";
import { FREE, INBOX, INBOX_BYTES, MOST_WORDS, OUTBOX, RECORDS, reach } from "../word-count/layout";
import { setLimit } from "../word-count/records";
import { close, field, open } from "../word-count/report";
import { endOfFile, lines, prepare, read, words } from "../word-count/words";

const CHUNK: u8 = 1;
const REPORT: u8 = 2;
const CONFIG: u8 = 3;
const CHUNK_HEAD: u32 = 16;
const MOST_CHUNK: u32 = 65536;
const FIRST: u8 = 1;
const LAST: u8 = 2;

let bytes: u64 = 0;
let files: u64 = 0;
let applied: u64 = 0;
let lost: u64 = 0;
let duplicated: u64 = 0;
let malformed: u64 = 0;
let next: u64 = 1;
let currentFile: u32 = u32.MAX_VALUE;

export function glia_main(): i32 {
  // Room for some records from the start: a guest without any could count nothing, not even approximately.
  if (!reach(RECORDS + 65536)) return 2;
  host.random(FREE, 16);
  prepare(load<u64>(FREE), load<u64>(FREE, 8));
  memory.fill(FREE, 0, 16);
  while (true) {
    const length = host.receive(INBOX, INBOX_BYTES);
    if (length < 0) return 1;
    handle(<u32>length);
  }
}

function handle(length: u32): void {
  const kind: u8 = length > 0 ? load<u8>(INBOX) : 0;
  if (kind == CHUNK && length >= CHUNK_HEAD && length <= CHUNK_HEAD + MOST_CHUNK) chunk(length - CHUNK_HEAD);
  else if (kind == REPORT && length == 1) report();
  else if (kind == CONFIG && length == 8 && next == 1) configure(load<u32>(INBOX, 4));
  else malformed++;
}

function configure(limit: u32): void {
  if (limit >= 1 && limit <= MOST_WORDS) setLimit(limit);
  else malformed++;
}

function chunk(length: u32): void {
  const flags = load<u8>(INBOX, 1);
  const file = load<u32>(INBOX, 4);
  const sequence = load<u64>(INBOX, 8);
  if (sequence < next) {
    if (sequence == 0) malformed++;
    else duplicated++;
    return;
  }
  const gap = sequence - next;
  lost += gap;
  next = sequence + 1;
  applied++;
  if (gap > 0 || (flags & FIRST) != 0 || file != currentFile) endOfFile();
  currentFile = file;
  if ((flags & FIRST) != 0) files++;
  bytes += length;
  read(INBOX + CHUNK_HEAD, INBOX + CHUNK_HEAD + length);
  if ((flags & LAST) != 0) endOfFile();
}

function report(): void {
  open();
  field("files", files);
  field("bytes", bytes);
  field("lines", lines);
  field("words", words);
  field("applied", applied);
  field("lost", lost);
  field("duplicated", duplicated);
  field("malformed", malformed);
  host.reply(OUTBOX, close());
}
