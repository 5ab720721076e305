import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileJournal } from "../src/journal/file/file-journal.ts";
import { openJournalReader } from "../src/journal/file/journal-reader.ts";
import { batchOf, readAll } from "../src/journal/testing.ts";
import { temporaryFolder } from "./fixtures/harness.ts";
import { childArguments, expectAcknowledged, killAfter } from "./fixtures/journal-kills.ts";
import { tracedCalls } from "./fixtures/traced-calls.ts";

const killPoints =
  process.env["GLIA_SOAK"] === "1"
    ? Array.from({ length: 60 }, (_, i) => 1 + ((i * 811) % 9_000))
    : [1, 40, 700, 2_500];

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it("J3: after kill -9 at any moment every acknowledged batch is there with its bytes, and writing goes on", async () => {
  const path = join(folder, "journal");
  const all = new Map<string, number>();
  for (const point of killPoints) {
    for (const [domain, next] of await killAfter(point, path)) all.set(domain, next);
    const journal = await openFileJournal({ folder: path });
    await expectAcknowledged(journal, all);
    await journal.close();
  }
}, 240_000);

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

describe.skipIf(!hasStrace)("under strace (needs Linux with strace)", () => {
  it("W1: the file is flushed after the last write of a batch and before its acknowledgement", () => {
    const log = join(folder, "strace.log");
    const node = [process.execPath, ...childArguments(join(folder, "journal"), 1, 5)];
    const args = ["-f", "-y", "-s", "64", "-o", log, "-e", "trace=fdatasync,fsync,write,pwrite64", ...node];
    expect(spawnSync("strace", args, { encoding: "utf8", timeout: 50_000 }).stderr).toBe("");
    const calls = tracedCalls(log);
    const acknowledgements = calls.flatMap((call, i) => (call.includes('"acknowledged') ? [i] : []));
    expect(acknowledgements.length).toBe(5);
    for (const [k, at] of acknowledgements.entries()) {
      const since = calls.slice(k === 0 ? 0 : acknowledgements[k - 1], at);
      const lastWrite = since.findLastIndex((call) => /pwrite64\(.*\.journal>/.test(call));
      const flush = since.findLastIndex((call) => /f(data)?sync\(.*\.journal>/.test(call));
      expect(lastWrite).toBeGreaterThanOrEqual(0);
      expect(flush).toBeGreaterThan(lastWrite);
    }
  });
});

describe("a folder", () => {
  async function refusalOf(options: Parameters<typeof openFileJournal>[0]): Promise<string | undefined> {
    return openFileJournal(options).then(
      async (journal) => void (await journal.close()),
      (error: unknown) => errorCodeOf(error),
    );
  }

  it("is made when it is missing, and its records are there after close and open", async () => {
    const path = join(folder, "a", "b");
    const journal = await openFileJournal({ folder: path });
    await journal.append(batchOf("a", 1, 1, 3));
    await journal.close();
    const again = await openFileJournal({ folder: path });
    expect(await readAll(again, "a")).toEqual([batchOf("a", 1, 1, 3)]);
    await again.close();
  });

  it("that a journal of this or another process has is refused as in use", async () => {
    const journal = await openFileJournal({ folder });
    expect(await refusalOf({ folder })).toBe("store.in-use");
    const child = spawnSync(process.execPath, childArguments(folder, 1, 1), { encoding: "utf8" });
    expect(child.stderr).toContain("store.in-use");
    await journal.close();
    expect(await refusalOf({ folder })).toBeUndefined();
  });

  it("whose files are gone is refused, never taken for an empty one", async () => {
    const journal = await openFileJournal({ folder });
    await journal.append(batchOf("a", 1, 1));
    await journal.close();
    for (const name of readdirSync(folder)) if (name.endsWith(".journal")) rmSync(join(folder, name));
    expect(await refusalOf({ folder })).toBe("store.journal-corrupt");
  });

  it("with a file of a later format is refused and left as it was", async () => {
    await (await openFileJournal({ folder, fileBytes: 65_536 })).close();
    const path = join(folder, "00000001.journal");
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(2, 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    writeFileSync(path, bytes);
    expect(await refusalOf({ folder })).toBe("store.journal-newer");
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it("in place of which there is a file is refused as not openable", async () => {
    writeFileSync(join(folder, "file"), "text");
    expect(await refusalOf({ folder: join(folder, "file") })).toBe("store.cannot-open");
  });

  it.skipIf(process.platform === "win32")(
    "without the right to write is refused as not writable (needs POSIX file modes)",
    () => {
      const locked = join(folder, "locked");
      mkdirSync(locked);
      chmodSync(locked, 0o555);
      chmodSync(folder, 0o755);
      // Rights do not bind root, so the process that tries is nobody's.
      const someone = process.getuid?.() === 0 ? { uid: 65_534 } : {};
      const child = spawnSync(process.execPath, childArguments(locked, 1, 1), {
        encoding: "utf8",
        ...someone,
      });
      expect(child.stderr).toContain("store.not-writable");
      chmodSync(locked, 0o755);
    },
  );

  it.each([
    [{ folder: "" }],
    [{ folder: "a\0b" }],
    [{ folder: "x", fileBytes: 1 }],
    [{ folder: "x", fileBytes: 2 ** 31 }],
    [{ folder: "x", queueLimit: 0 }],
    [{ folder: "x", limits: { maxDomains: 0 } }],
    [{ folder: "x", limits: { segmentBytes: 1.5 } }],
    [{ folder: "x", limits: { maxBytes: Number.NaN } }],
  ])("is not opened under the bad option %o", async (options) => {
    expect(await refusalOf(options)).toBe("abi.malformed");
  });
});

it("a reader sees what was durable when it was opened, beside the process that writes", async () => {
  const journal = await openFileJournal({ folder, fileBytes: 65_536 });
  for (let seq = 1; seq <= 40_000; seq += 4_000) await journal.append(batchOf("a", 1, seq, 4_000));
  const reader = openJournalReader(folder);
  expect(await readAll(reader, "a")).toEqual(await readAll(journal, "a"));
  expect(await reader.domains("", 10)).toEqual(await journal.domains("", 10));
  expect(await reader.segments("a")).toEqual(await journal.segments("a"));
  await journal.append(batchOf("a", 1, 40_001));
  expect((await reader.head("a"))?.nextSeq).toBe(40_001);
  await reader.close();
  expect(await reader.head("a").catch(errorCodeOf)).toBe("store.closed");
  await journal.close();
  const again = openJournalReader(folder);
  expect((await again.head("a"))?.nextSeq).toBe(40_002);
  await again.close();
  expect(() => openJournalReader(join(folder, "none"))).toThrow(/cannot be opened/);
});

it("RD1: reading a journal that nobody writes leaves every byte as it was", async () => {
  const journal = await openFileJournal({ folder, fileBytes: 65_536 });
  await journal.append(batchOf("a", 1, 1, 3));
  await journal.close();
  const before = snapshotOf(folder);
  const reader = openJournalReader(folder);
  expect(await readAll(reader, "a")).toEqual([batchOf("a", 1, 1, 3)]);
  await reader.close();
  expect(snapshotOf(folder)).toEqual(before);
});

/** Names and bytes of all files. */
function snapshotOf(path: string): readonly (readonly [string, string])[] {
  return readdirSync(path)
    .sort()
    .map((name) => [name, readFileSync(join(path, name)).toString("base64")] as const);
}

it("more requests than the queue holds are refused, and the others are answered", async () => {
  const journal = await openFileJournal({ folder, queueLimit: 3 });
  const asked = [1, 2, 3, 4].map((seq) => journal.append(batchOf("a", 1, seq)).catch(errorCodeOf));
  expect(await Promise.all(asked)).toEqual([undefined, undefined, undefined, "store.queue-full"]);
  await journal.close();
});
