/**
 * What a journal cannot be faster than: records of the same size written to a file that has its room already, and flushed. Synchronous, in a
 * process of its own, with nothing that could read them back.
 */
import { closeSync, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contestant, ContestantFactory } from "../src/suite.ts";
import { loopDelay } from "./loop-delay.ts";

/** About what one durable step takes in a journal file, its headers included. */
const RECORD_BYTES = 160;
const ONE_BY_ONE = 300;
const THOUSANDS = 300;
const FILE_BYTES = 16 * 2 ** 20;

/** A file with room, written round and round. */
class Log {
  readonly #folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  readonly #fd = openSync(join(this.#folder, "log"), "w");
  #at = 0;

  constructor() {
    const zeros = new Uint8Array(2 ** 20);
    for (let at = 0; at < FILE_BYTES; at += zeros.length) writeSync(this.#fd, zeros, 0, zeros.length, at);
    fsyncSync(this.#fd);
  }

  append(bytes: Uint8Array): void {
    if (this.#at + bytes.length > FILE_BYTES) this.#at = 0;
    writeSync(this.#fd, bytes, 0, bytes.length, this.#at);
    fdatasyncSync(this.#fd);
    this.#at += bytes.length;
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.#folder, { recursive: true });
  }
}

/** Microseconds per record, each flushed. */
function one(): Contestant {
  const log = new Log();
  const record = new Uint8Array(RECORD_BYTES).fill(7);
  return {
    value() {
      const begin = performance.now();
      for (let i = 0; i < ONE_BY_ONE; i++) log.append(record);
      return ((performance.now() - begin) * 1_000) / ONE_BY_ONE;
    },
    close: () => log.close(),
  };
}

/** Records per second, each thousand written and flushed together. */
function thousands(): Contestant {
  const log = new Log();
  const records = new Uint8Array(1_000 * RECORD_BYTES).fill(7);
  return {
    value() {
      const begin = performance.now();
      for (let i = 0; i < THOUSANDS; i++) log.append(records);
      return (THOUSANDS * 1_000) / ((performance.now() - begin) / 1_000);
    },
    close: () => log.close(),
  };
}

function delaying(): Contestant {
  const log = new Log();
  const record = new Uint8Array(RECORD_BYTES).fill(7);
  let going = true;
  const step = (): void => {
    if (!going) return;
    log.append(record);
    setImmediate(step);
  };
  step();
  return {
    value: loopDelay,
    close() {
      going = false;
      log.close();
    },
  };
}

/** By name, for a process of their own. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  one,
  thousands,
  delay: delaying,
};
