/** How a worker thread writes what a job came to, and says that it did. */
import { toErrorRecord } from "@glia-os/abi/errors";
import { encode, writeValue } from "./codec.ts";
import { JobNotSerialisableError } from "./errors.ts";
import * as at from "./job-memory.ts";
import type { WorkerLink } from "./worker-link.ts";

function finish(link: WorkerLink, slot: number, value: unknown, flags: number): void {
  const { memory, mine, self, payloadBytes } = link;
  const { words } = memory;
  const base = memory.slot(slot);
  const coded = encode(value, "the result");
  const { length } = coded;
  if (length > payloadBytes)
    throw new JobNotSerialisableError("the result", `it has ${length} bytes; ${payloadBytes} is the most`);
  const fits = length <= memory.slotBytes;
  const block = !fits && length <= at.BLOCK_BYTES ? link.takeBlock() : -1;
  if (fits) writeValue(memory.bytes, memory.resultAt(slot), coded);
  else if (block >= 0) writeValue(memory.bytes, memory.blockAt(block), coded);
  else {
    const bytes = new SharedArrayBuffer(length);
    writeValue(new Uint8Array(bytes), 0, coded);
    link.tell({ kind: "result", slot, bytes });
  }
  words[base + at.RESULT_FORM] = coded.form;
  words[base + at.RESULT_LENGTH] = length;
  words[base + at.RESULT_FLAGS] = flags | (fits ? 0 : block < 0 ? at.LARGE : at.BLOCKED);
  words[base + at.RESULT_BLOCK] = block;
  memory.numbers[(base + at.RESULT_NUMBER) >> 1] = coded.number;
  Atomics.store(words, base + at.STATE, at.DONE | (self << 3));
  const tail = Atomics.load(words, mine + at.DONE_TAIL);
  Atomics.store(words, memory.doneEntry(self, tail), slot);
  Atomics.store(words, mine + at.DONE_TAIL, (tail + 1) | 0);
  link.ring();
}

/** The job failed. */
export function fail(link: WorkerLink, slot: number, error: unknown): void {
  const { code, message, changed, fix, retryable, details } = toErrorRecord(error);
  const record = { code, message, changed, fix, retryable };
  try {
    finish(link, slot, { ...record, details }, at.FAILED);
  } catch {
    // Details that cannot be passed on are left out; the message may not be left out.
    finish(link, slot, { ...record, message: message.slice(0, 1000) }, at.FAILED);
  }
}

/** The job gave a value; one that cannot be passed on is a failure. */
export function succeed(link: WorkerLink, slot: number, value: unknown): void {
  try {
    finish(link, slot, value, 0);
  } catch (error) {
    fail(link, slot, error);
  }
}
