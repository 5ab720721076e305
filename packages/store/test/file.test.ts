import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { GliaError } from "@glia-os/abi/errors";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COORDINATION_DATABASE } from "../src/coordination-schema.ts";
import * as errors from "../src/errors.ts";
import { openSqliteCoordination } from "../src/sqlite.ts";
import { openDatabase } from "../src/sqlite-file.ts";
import { agentNamed, newAgent, nodeNamed } from "../src/testing.ts";
import { temporaryFolder } from "./fixtures/harness.ts";

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A closed store with some agents in it. */
async function filledStore(name: string, agents = 3): Promise<string> {
  const path = join(folder, name);
  const store = await openSqliteCoordination({ path });
  const session = await store.openSession(nodeNamed("a"), 60_000, "open");
  for (let i = 0; i < agents; i++) {
    const id = i.toString(16).padStart(32, "0") as never;
    await store.createAgent(newAgent(id, session, `agent ${i} ${"x".repeat(200)}`), `create-${i}`);
  }
  await store.close();
  return path;
}

async function refusal(path: string): Promise<GliaError> {
  const error: unknown = await openSqliteCoordination({ path }).then(
    (store) => store.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GliaError);
  const { message, fix, changed } = error as GliaError;
  expect(message).toContain(path);
  expect(fix).not.toBe("");
  expect(changed).not.toBe("");
  return error as GliaError;
}

it("rows, names, fences and outcomes are there after close and open", async () => {
  const path = await filledStore("a.db");
  const store = await openSqliteCoordination({ path });
  expect((await store.listAgents()).length).toBe(3);
  expect((await store.openSession(nodeNamed("a"), 60_000, "open")).fence).toBe(1);
  expect((await store.openSession(nodeNamed("a"), 60_000, "next")).fence).toBe(2);
  await store.close();
});

/** Every byte of the files of a store. */
const bytesOf = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("base64")]),
  );

it("a renewal writes nothing, so nodes at rest leave the disk alone", async () => {
  const store = await openSqliteCoordination({ path: join(folder, "a.db") });
  const { sessionId } = await store.openSession(nodeNamed("a"), 60_000, "open");
  const before = bytesOf();
  for (let i = 0; i < 20; i++) await store.renewSession(sessionId);
  expect(bytesOf()).toEqual(before);
  await store.openSession(nodeNamed("b"), 60_000, "open-b");
  expect(bytesOf()).not.toEqual(before);
  await store.close();
});

it("a file that another store of the same process has open is refused as in use", async () => {
  const path = join(folder, "a.db");
  const store = await openSqliteCoordination({ path });
  expect(await refusal(path)).toBeInstanceOf(errors.InUseError);
  await store.close();
  await (await openSqliteCoordination({ path })).close();
});

const opener = fileURLToPath(new URL("./fixtures/opening-child.ts", import.meta.url));

function openInChild(
  path: string,
  options: { readonly uid?: number } = {},
): { code: string; status: number | null } {
  const args = ["--conditions=@glia-os/source", opener, path];
  const child = spawnSync(process.execPath, args, { encoding: "utf8", ...options });
  return { code: child.stdout.trim() || child.stderr, status: child.status };
}

it("a file that another process has open is refused as in use, in both directions", async () => {
  const path = join(folder, "a.db");
  const store = await openSqliteCoordination({ path });
  expect(openInChild(path)).toEqual({ code: "store.in-use", status: 0 });
  await store.close();
  expect(openInChild(path)).toEqual({ code: "opened", status: 0 });
});

it.skipIf(process.platform === "win32")(
  "a folder and a file without the right to write are refused as not writable (needs POSIX rights) (needs POSIX file modes)",
  async () => {
    const path = await filledStore("a.db");
    const locked = join(folder, "locked");
    mkdirSync(locked);
    copyFileSync(path, join(locked, "there.db"));
    chmodSync(join(locked, "there.db"), 0o444);
    chmodSync(locked, 0o555);
    chmodSync(folder, 0o755);
    // Rights do not bind root, so the process that tries is nobody's.
    const someone = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    expect(openInChild(join(locked, "new.db"), someone)).toEqual({ code: "store.not-writable", status: 0 });
    expect(openInChild(join(locked, "there.db"), someone)).toEqual({ code: "store.not-writable", status: 0 });
    chmodSync(locked, 0o755);
  },
);

it("a missing folder and a folder in place of the file are refused as not openable", async () => {
  const missing = await refusal(join(folder, "none", "a.db"));
  expect(missing).toBeInstanceOf(errors.CannotOpenError);
  expect(missing.message).toContain("folder does not exist");
  expect(await refusal(folder)).toBeInstanceOf(errors.CannotOpenError);
});

it.each([
  ["two bytes", Buffer.from("he")],
  ["text", Buffer.from("hello, this is not a database\n".repeat(400))],
  ["zeros", Buffer.alloc(8192)],
])("a file of %s is refused as not a database and left as it was", async (_name, bytes) => {
  const path = join(folder, "x.db");
  writeFileSync(path, bytes);
  expect(await refusal(path)).toBeInstanceOf(errors.NotADatabaseError);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

it("an empty file is a new store", async () => {
  const path = join(folder, "empty.db");
  writeFileSync(path, "");
  const store = await openSqliteCoordination({ path });
  expect(await store.listAgents()).toEqual([]);
  await store.close();
});

it("a SQLite database of another program is refused and left as it was", async () => {
  const path = join(folder, "other.db");
  const db = new DatabaseSync(path);
  db.exec("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')");
  db.close();
  const before = readFileSync(path);
  expect(await refusal(path)).toBeInstanceOf(errors.ForeignDatabaseError);
  expect(readFileSync(path).equals(before)).toBe(true);
});

it("a file of a newer schema is refused and left as it was", async () => {
  const path = await filledStore("a.db");
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 3");
  db.close();
  const before = readFileSync(path);
  const error = await refusal(path);
  expect(error).toBeInstanceOf(errors.SchemaNewerError);
  expect(error.details).toEqual({ path, found: 3, known: 2 });
  expect(readFileSync(path).equals(before)).toBe(true);
});

it("a damaged file is refused as corrupt wherever the damage is", async () => {
  const path = await filledStore("a.db", 60);
  const good = readFileSync(path);
  const pages = good.length / 4096;
  const hurt = join(folder, "hurt.db");
  for (let page = 1; page < pages; page++) {
    const bytes = Buffer.from(good);
    bytes.fill(0xa5, page * 4096, page * 4096 + 2048);
    writeFileSync(hurt, bytes);
    expect(
      () => openDatabase({ path: hurt, maxBytes: 2 ** 30 }, COORDINATION_DATABASE),
      `page ${page}`,
    ).toThrow(errors.CorruptError);
  }
  writeFileSync(hurt, good.subarray(0, good.length - 4096));
  expect(await refusal(hurt)).toBeInstanceOf(errors.CorruptError);
});

it.each(["", ":memory:", "a\0b", 7 as never])("the path %j is refused", async (path) => {
  await expect(openSqliteCoordination({ path })).rejects.toMatchObject({ code: "abi.malformed" });
});

it.each([
  { queueLimit: 0 },
  { queueLimit: 65_537 },
  { queueLimit: Number.NaN },
  { maxBytes: 1 },
  { maxBytes: 2 ** 41 },
  { limits: { sessions: 0 } },
  { limits: { liveAgents: 10_001 } },
  { limits: { changes: 1.5 } },
])("the option %j is refused", async (option) => {
  const opening = openSqliteCoordination({ path: join(folder, "a.db"), ...option });
  await expect(opening).rejects.toMatchObject({ code: "abi.malformed" });
});

it("a file at its size limit refuses with store.full, keeps what it has and goes on reading", async () => {
  const path = join(folder, "small.db");
  const store = await openSqliteCoordination({ path, maxBytes: 256 * 1024 });
  const session = await store.openSession(nodeNamed("a"), 60_000, "open");
  const first = await store.createAgent(newAgent(agentNamed("1"), session, "first"), "first");
  let acknowledged = 1;
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 2_000; i++) {
      const id = (i + 16).toString(16).padStart(32, "0") as never;
      await store.createAgent(newAgent(id, session, `agent ${i} ${"x".repeat(200)}`), `create-${i}`);
      acknowledged += 1;
    }
  };
  await expect(fill()).rejects.toBeInstanceOf(errors.StoreFullError);
  expect(await store.getAgent(first.agent)).toEqual(first);
  expect((await store.listAgents()).length).toBe(acknowledged);
  await store.close();
  const bigger = await openSqliteCoordination({ path });
  expect((await bigger.listAgents()).length).toBe(acknowledged);
  const next = await bigger.createAgent(newAgent(agentNamed("2"), session, "room again"), "room");
  expect(next.revision).toBe(acknowledged + 1);
  await bigger.close();
});
