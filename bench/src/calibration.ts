/**
 * Three operations whose cost everybody knows, measured in every round of every suite: what the engine, the memory and the
 * disk of this machine did at that moment. A result is read beside them.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contestant, RowDefinition } from "./suite.ts";

const MIB = 2 ** 20;
const PAGE_BYTES = 4_096;
/** The file is written round and round within this size. */
const FILE_BYTES = 64 * PAGE_BYTES;

function* counter(): Generator<number, never> {
  for (let i = 0; ; i++) yield i;
}

function generatorStep(): Contestant {
  const steps = counter();
  let last = 0;
  return {
    run(times) {
      for (let i = 0; i < times; i++) last = steps.next().value;
    },
    close() {
      if (last < 0) throw new RangeError("the counter went back");
    },
  };
}

function memcpy(): Contestant {
  const source = new Uint8Array(MIB).fill(7);
  const target = new Uint8Array(MIB);
  return {
    run(times) {
      for (let i = 0; i < times; i++) target.set(source);
    },
  };
}

function fdatasync(): Contestant {
  const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  const file = openSync(join(folder, "page"), "w");
  const page = new Uint8Array(PAGE_BYTES).fill(7);
  for (let at = 0; at < FILE_BYTES; at += PAGE_BYTES) writeSync(file, page, 0, PAGE_BYTES, at);
  let at = 0;
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        writeSync(file, page, 0, PAGE_BYTES, at);
        fdatasyncSync(file);
        at = (at + PAGE_BYTES) % FILE_BYTES;
      }
    },
    close() {
      closeSync(file);
      rmSync(folder, { recursive: true });
    },
  };
}

/** The calibration rows with their names in a result's `calibration`. */
export const CALIBRATION: Readonly<Record<string, RowDefinition>> = {
  generatorStepNs: {
    id: "generator-step",
    what: "one next() of a generator that yields a counter",
    unit: "ns",
    better: "lower",
    excludes: "creating the generator",
    glia: generatorStep,
    peers: {},
  },
  memcpyMiBNs: {
    id: "memcpy",
    what: "copying 1 MiB between two typed arrays",
    unit: "ns",
    better: "lower",
    excludes: "allocating them; both fit in the caches of most machines",
    glia: memcpy,
    peers: {},
  },
  fdatasyncUs: {
    id: "fdatasync",
    what: "writing 4 KiB into a file of 256 KiB and fdatasync, in the temporary folder",
    unit: "us",
    better: "lower",
    excludes: "growing the file",
    glia: fdatasync,
    peers: {},
  },
};
