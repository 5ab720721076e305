import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CorruptError } from "../src/errors.ts";
import type { JournalReply, JournalRequest } from "../src/journal/request.ts";
import { openSqliteJournalStore } from "../src/journal/sqlite/journal-store.ts";
import { openSqliteJournal } from "../src/journal/sqlite/sqlite-journal.ts";
import { batchOf, readAll } from "../src/journal/testing.ts";
import { openSqliteKeyValue } from "../src/key-value/sqlite/sqlite-key-value.ts";
import type { SynchronousStore } from "../src/serve.ts";
import { temporaryFolder } from "./fixtures/harness.ts";
import { childArguments, expectAcknowledged, killAfter } from "./fixtures/journal-kills.ts";
import {
  contentOf,
  limits,
  performer,
  performOn,
  randomRequest,
  twinAfter,
} from "./fixtures/journal-twin.ts";
import { everySeed } from "./fixtures/seeds.ts";
import { tracedCalls } from "./fixtures/traced-calls.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const SEEDS = soak ? 1_000 : 20;
const killPoints = soak ? Array.from({ length: 60 }, (_, i) => 1 + ((i * 811) % 9_000)) : [1, 40, 700, 2_500];

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function openStore(path: string, maxBytes = 2 ** 30): SynchronousStore<JournalRequest, JournalReply> {
  return openSqliteJournalStore({ path, maxBytes, limits });
}

it(`T1: a journal on SQLite answers and holds the same as its rules alone, also after each reopening, ${SEEDS} seeds`, () => {
  everySeed(SEEDS, (chance) => {
    const path = join(folder, `${chance()}.db`);
    const history: JournalRequest[] = [];
    for (let opening = 0; opening < 3; opening++) {
      const store = openStore(path);
      expect(contentOf(performer(store))).toBe(contentOf(twinAfter(history)));
      const twin = twinAfter(history);
      for (let group = 0; group < 12; group++) {
        const requests = Array.from({ length: 1 + Math.floor(chance() * 5) }, () =>
          randomRequest(twin, chance),
        );
        const replies = requests.map((request) => performOn(twin, request));
        const answers = store.perform(requests);
        expect(answers.map((answer) => ("reply" in answer ? answer.reply : answer.refused.code))).toEqual(
          replies,
        );
        history.push(...requests);
      }
      expect(contentOf(performer(store))).toBe(contentOf(twinAfter(history)));
      store.close();
    }
  });
}, 240_000);

it("G2: a group that the full file refuses leaves nothing, and the journal goes on with what it had", () => {
  const path = join(folder, "small.db");
  const store = openStore(path, 256 * 1024);
  const history: JournalRequest[] = [];
  const large = (seq: number): JournalRequest => ({
    op: "append",
    domain: "d0",
    epoch: 1,
    firstSeq: seq,
    count: 1,
    body: new Uint8Array(30_000).fill(seq),
  });
  for (let seq = 1; ; seq += 2) {
    const requests = [large(seq), large(seq + 1)];
    const answers = store.perform(requests);
    if (answers.some((answer) => "refused" in answer)) {
      expect(answers).toMatchObject([
        { refused: { code: "store.full" } },
        { refused: { code: "store.full" } },
      ]);
      break;
    }
    history.push(...requests);
  }
  expect(contentOf(performer(store))).toBe(contentOf(twinAfter(history)));
  history.push({ op: "seal", domain: "d0" }, { op: "truncate", domain: "d0", beforeSeq: 2 ** 40 });
  store.perform(history.slice(-2));
  history.push(large(history.length - 1));
  expect(store.perform(history.slice(-1))).toEqual([{ reply: undefined }]);
  expect(contentOf(performer(store))).toBe(contentOf(twinAfter(history)));
  store.close();
});

it("J3: after kill -9 at any moment every acknowledged batch is there with its bytes, and writing goes on", async () => {
  const path = join(folder, "journal.db");
  const all = new Map<string, number>();
  for (const point of killPoints) {
    for (const [domain, next] of await killAfter(point, path)) all.set(domain, next);
    const journal = await openSqliteJournal({ path });
    await expectAcknowledged(journal, all);
    await journal.close();
  }
}, 240_000);

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

describe.skipIf(!hasStrace)("under strace (needs Linux with strace)", () => {
  it("J3: the write-ahead log is flushed after the last write of a batch and before its acknowledgement", () => {
    const log = join(folder, "strace.log");
    const node = [process.execPath, ...childArguments(join(folder, "journal.db"), 1, 5)];
    const args = ["-f", "-y", "-s", "64", "-o", log, "-e", "trace=fdatasync,fsync,write,pwrite64", ...node];
    expect(spawnSync("strace", args, { encoding: "utf8", timeout: 50_000 }).stderr).toBe("");
    const calls = tracedCalls(log);
    const acknowledgements = calls.flatMap((call, i) => (call.includes('"acknowledged') ? [i] : []));
    expect(acknowledgements.length).toBe(5);
    for (const [k, at] of acknowledgements.entries()) {
      const since = calls.slice(k === 0 ? 0 : acknowledgements[k - 1], at);
      const lastWrite = since.findLastIndex((call) => /pwrite64\(.*-wal>/.test(call));
      const flush = since.findLastIndex((call) => /f(data)?sync\(.*-wal>/.test(call));
      expect(lastWrite).toBeGreaterThanOrEqual(0);
      expect(flush).toBeGreaterThan(lastWrite);
    }
  });
});

describe("a file of a journal", () => {
  async function refusalOf(options: Parameters<typeof openSqliteJournal>[0]): Promise<string | undefined> {
    return openSqliteJournal(options).then(
      async (journal) => void (await journal.close()),
      (error: unknown) => errorCodeOf(error),
    );
  }

  async function filled(): Promise<string> {
    const path = join(folder, "a.db");
    const journal = await openSqliteJournal({ path });
    for (const firstSeq of [1, 3, 5]) {
      await journal.append(batchOf("a", 1, firstSeq, 2));
      await journal.seal("a");
    }
    await journal.append({ ...batchOf("a", 2, 7), body: new Uint8Array(1_000).fill(0xaa) });
    await journal.close();
    return path;
  }

  it("T2: whose bytes rotted under SQLite's eyes refuses the batch and gives the others", async () => {
    const path = await filled();
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.alloc(900, 0xaa));
    bytes[at + 450] = 0xab;
    writeFileSync(path, bytes);
    const journal = await openSqliteJournal({ path });
    await expect(readAll(journal, "a", 7)).rejects.toMatchObject({ code: "store.corrupt" });
    await expect(journal.seal("a")).rejects.toMatchObject({ code: "store.corrupt" });
    expect((await journal.head("a"))?.nextSeq).toBe(8);
    await journal.close();
  });

  it.each([
    "DELETE FROM batch WHERE first_seq = 3",
    "DELETE FROM batch WHERE first_seq = 7",
    "UPDATE batch SET first_seq = 4 WHERE first_seq = 3",
    "UPDATE batch SET count = 9 WHERE first_seq = 1",
    "INSERT INTO batch (domain, epoch, first_seq, count, sum, body) VALUES (1, 1, 5, 2, 0, x'00')",
    "DELETE FROM segment WHERE first_seq = 3",
    "UPDATE segment SET last_seq = 9 WHERE first_seq = 5",
    "UPDATE domain SET first_seq = 3",
    "UPDATE domain SET next_seq = 9",
  ])("T3: with missing or doubled records is refused and left as it was: %s", async (damage) => {
    const path = await filled();
    const db = new DatabaseSync(path);
    db.exec(damage);
    db.close();
    const before = readFileSync(path);
    expect(await refusalOf({ path })).toBe("store.corrupt");
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(() => openStore(path)).toThrow(CorruptError);
  });

  it("that another store has, of another kind, or later is refused", async () => {
    const path = await filled();
    const journal = await openSqliteJournal({ path });
    expect(await refusalOf({ path })).toBe("store.in-use");
    await journal.close();
    await (await openSqliteKeyValue({ path: join(folder, "k.db") })).close();
    expect(await refusalOf({ path: join(folder, "k.db") })).toBe("store.foreign-database");
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 2");
    db.close();
    expect(await refusalOf({ path })).toBe("store.schema-newer");
    expect(await refusalOf({ path: join(folder, "none", "a.db") })).toBe("store.cannot-open");
  });

  it.each([
    [{ path: "" }],
    [{ path: ":memory:" }],
    [{ path: "x", queueLimit: 65_537 }],
    [{ path: "x", maxBytes: 1 }],
    [{ path: "x", limits: { segmentBytes: 1 } }],
  ])("is not opened under the bad option %o", async (options) => {
    expect(await refusalOf(options)).toBe("abi.malformed");
  });
});
