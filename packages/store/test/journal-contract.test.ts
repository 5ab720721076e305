import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Journal } from "@glia-os/abi/ports";
import { describe, it } from "vitest";
import { openFileJournal } from "../src/journal/file/file-journal.ts";
import { createMemoryJournal } from "../src/journal/memory.ts";
import { openSqliteJournal } from "../src/journal/sqlite/sqlite-journal.ts";
import { type JournalHarness, journalContract } from "../src/journal/testing.ts";
import { temporaryFolder } from "./fixtures/harness.ts";

interface DisposableHarness extends JournalHarness {
  dispose(): Promise<void>;
}

function memoryHarness(): DisposableHarness {
  return { open: async (limits = {}) => createMemoryJournal({ limits }), dispose: async () => {} };
}

function fileHarness(fileBytes: number): DisposableHarness {
  const folder = temporaryFolder();
  const opened: Journal[] = [];
  return {
    async open(limits = {}) {
      const journal = await openFileJournal({ folder: join(folder, `${opened.length}`), limits, fileBytes });
      opened.push(journal);
      return journal;
    },
    async dispose() {
      await Promise.all(opened.map((journal) => journal.close()));
      rmSync(folder, { recursive: true });
    },
  };
}

function sqliteHarness(): DisposableHarness {
  const folder = temporaryFolder();
  const opened: Journal[] = [];
  return {
    async open(limits = {}) {
      const journal = await openSqliteJournal({ path: join(folder, `${opened.length}.db`), limits });
      opened.push(journal);
      return journal;
    },
    async dispose() {
      await Promise.all(opened.map((journal) => journal.close()));
      rmSync(folder, { recursive: true });
    },
  };
}

describe.each([
  ["memory", memoryHarness],
  ["files of 64 KiB", () => fileHarness(64 * 1024)],
  ["files of 4 MiB", () => fileHarness(4 * 2 ** 20)],
  ["sqlite", sqliteHarness],
] as const)("the journal contract on %s", (_name, harnessOf) => {
  it.each(journalContract.map(({ title, run }) => [title, run] as const))("%s", async (_title, run) => {
    const harness = harnessOf();
    try {
      await run(harness);
    } finally {
      await harness.dispose();
    }
  });
});
