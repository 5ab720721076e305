import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { KeyValue } from "@glia-os/abi/ports";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareCodePoints, endOfPrefix } from "../src/code-points.ts";
import { createMemoryKeyValue } from "../src/key-value/memory.ts";
import { openSqliteKeyValue } from "../src/key-value/sqlite/sqlite-key-value.ts";
import { type KeyValueHarness, keyValueContract } from "../src/key-value/testing.ts";
import { openSqliteCoordination } from "../src/sqlite.ts";
import { temporaryFolder } from "./fixtures/harness.ts";
import { tracedCalls } from "./fixtures/traced-calls.ts";

const childFile = fileURLToPath(new URL("./fixtures/key-value-child.ts", import.meta.url));
const killPoints =
  process.env["GLIA_SOAK"] === "1"
    ? Array.from({ length: 60 }, (_, i) => 1 + ((i * 211) % 3_000))
    : [1, 90, 900];

let folder: string;
let opened: KeyValue[];

beforeEach(() => {
  folder = temporaryFolder();
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

const harnesses: readonly (readonly [string, KeyValueHarness])[] = [
  ["memory", { open: async (limits = {}) => createMemoryKeyValue({ limits }) }],
  [
    "sqlite",
    {
      async open(limits = {}) {
        const store = await openSqliteKeyValue({ path: join(folder, `${opened.length}.db`), limits });
        opened.push(store);
        return store;
      },
    },
  ],
];

describe.each(harnesses)("the key-value contract on %s", (_name, harness) => {
  it.each(keyValueContract.map(({ title, run }) => [title, run] as const))("%s", (_title, run) =>
    run(harness),
  );
});

const text = fc.string({ unit: "binary", maxLength: 6 });

it("order by code points is the order of UTF-8 bytes, and the end of a prefix is the first text after all that start with it", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const order = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(Math.sign(compareCodePoints(a, b))).toBe(order);
      const end = endOfPrefix(a);
      const after = end !== undefined && compareCodePoints(b, end) >= 0;
      expect(b.startsWith(a)).toBe(compareCodePoints(b, a) >= 0 && !after);
    }),
    { numRuns: 20_000 },
  );
});

function childArguments(path: string, keys: number, far: number): readonly string[] {
  return ["--conditions=@glia-os/source", childFile, path, String(keys), String(far)];
}

/** Run a child until it acknowledged `count` changes, kill -9 it, and return the last version of every key it acknowledged. */
async function killAfter(count: number, path: string): Promise<ReadonlyMap<string, number>> {
  const child = spawn(process.execPath, childArguments(path, 32, 1_000_000), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const versions = new Map<string, number>();
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, key = "", version] = line.split(" ");
    versions.set(key, Number(version));
    lines += 1;
    if (lines === count) child.kill("SIGKILL");
  }
  expect((await exited)[1]).toBe("SIGKILL");
  return versions;
}

it("KV2, KV3: after kill -9 at any moment every acknowledged change is there, and no version comes back", async () => {
  const path = join(folder, "keys.db");
  let newest = 0;
  for (const point of killPoints) {
    const versions = await killAfter(point, path);
    expect(Math.min(...versions.values())).toBeGreaterThan(newest);
    const store = await openSqliteKeyValue({ path });
    for (const [key, version] of versions) {
      const stored = await store.get(key);
      expect(stored?.version).toBeGreaterThanOrEqual(version);
      newest = Math.max(newest, stored?.version ?? 0);
    }
    const probe = (await store.get("probe"))?.version ?? 0;
    const next = (await store.put("probe", Uint8Array.of(1), probe)) ?? 0;
    expect(next).toBeGreaterThan(newest);
    newest = next;
    await store.close();
  }
}, 240_000);

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

describe.skipIf(!hasStrace)("under strace (needs Linux with strace)", () => {
  it("KV3: the write-ahead log is flushed before each acknowledgement", () => {
    const log = join(folder, "strace.log");
    const node = [process.execPath, ...childArguments(join(folder, "a.db"), 1, 5)];
    const args = ["-f", "-y", "-s", "64", "-o", log, "-e", "trace=fdatasync,fsync,write,pwrite64", ...node];
    expect(spawnSync("strace", args, { encoding: "utf8", timeout: 50_000 }).stderr).toBe("");
    const calls = tracedCalls(log);
    const acknowledgements = calls.flatMap((call, i) => (call.includes('"acknowledged') ? [i] : []));
    expect(acknowledgements.length).toBe(5);
    for (const [k, at] of acknowledgements.entries()) {
      const since = calls.slice(k === 0 ? 0 : acknowledgements[k - 1], at);
      const lastLogWrite = since.findLastIndex((call) => /pwrite64\(.*-wal>/.test(call));
      const flush = since.findLastIndex((call) => /f(data)?sync\(.*-wal>/.test(call));
      expect(lastLogWrite).toBeGreaterThanOrEqual(0);
      expect(flush).toBeGreaterThan(lastLogWrite);
    }
  });
});

describe("a file of keys", () => {
  async function refusalOf(options: Parameters<typeof openSqliteKeyValue>[0]): Promise<string | undefined> {
    return openSqliteKeyValue(options).then(
      async (store) => void (await store.close()),
      (error: unknown) => errorCodeOf(error),
    );
  }

  it("keeps values and versions over close and open, and counts them against its limits", async () => {
    const path = join(folder, "a.db");
    const store = await openSqliteKeyValue({ path });
    const version = await store.put("a", Uint8Array.of(1, 2, 3), 0);
    await store.close();
    const again = await openSqliteKeyValue({ path, limits: { maxKeys: 1 } });
    expect(await again.get("a")).toEqual({ value: Uint8Array.of(1, 2, 3), version });
    await expect(again.put("b", Uint8Array.of(1), 0)).rejects.toMatchObject({ code: "store.too-many-keys" });
    expect(await again.delete("a", version ?? 0)).toBe(true);
    expect(await again.put("b", Uint8Array.of(1), 0)).toBeGreaterThan(version ?? 0);
    await again.close();
  });

  it("whose bytes rotted under SQLite's eyes refuses the value and names its key", async () => {
    const path = join(folder, "a.db");
    const store = await openSqliteKeyValue({ path });
    await store.put("fine", new Uint8Array(1_000).fill(0x55), 0);
    await store.put("hurt", new Uint8Array(1_000).fill(0xaa), 0);
    await store.close();
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.alloc(900, 0xaa));
    bytes[at + 450] = 0xab;
    writeFileSync(path, bytes);
    const again = await openSqliteKeyValue({ path });
    await expect(again.get("hurt")).rejects.toMatchObject({
      code: "store.corrupt",
      message: expect.stringContaining('"hurt"'),
    });
    expect((await again.get("fine"))?.value.length).toBe(1_000);
    await again.close();
  });

  it("that another store has, of another kind, damaged or later is refused", async () => {
    const path = join(folder, "a.db");
    const store = await openSqliteKeyValue({ path });
    expect(await refusalOf({ path })).toBe("store.in-use");
    await store.close();
    await (await openSqliteCoordination({ path: join(folder, "c.db") })).close();
    expect(await refusalOf({ path: join(folder, "c.db") })).toBe("store.foreign-database");
    writeFileSync(join(folder, "text"), "no database\n".repeat(100));
    expect(await refusalOf({ path: join(folder, "text") })).toBe("store.not-a-database");
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 2");
    db.close();
    expect(await refusalOf({ path })).toBe("store.schema-newer");
    expect(await refusalOf({ path: join(folder, "none", "a.db") })).toBe("store.cannot-open");
  });

  it("at its size limit refuses with store.full and keeps what it has", async () => {
    const path = join(folder, "small.db");
    const store = await openSqliteKeyValue({ path, maxBytes: 256 * 1024 });
    let kept = 0;
    const fill = async (): Promise<void> => {
      for (; kept < 1_000; kept++) await store.put(`key ${kept}`, new Uint8Array(4_000), 0);
    };
    await expect(fill()).rejects.toMatchObject({ code: "store.full" });
    expect((await store.list("", "", 10_000)).length).toBe(kept);
    const { version = 0 } = (await store.get("key 0")) ?? {};
    await store.delete("key 0", version);
    await store.put("again", new Uint8Array(3_000), 0);
    await store.close();
  });

  it.each([
    [{ path: "" }],
    [{ path: ":memory:" }],
    [{ path: "a\0" }],
    [{ path: "x", queueLimit: 0 }],
    [{ path: "x", maxBytes: 1 }],
    [{ path: "x", limits: { maxKeys: 0 } }],
    [{ path: "x", limits: { valueBytes: 2 ** 30 } }],
    [{ path: "x", limits: { maxBytes: 0.5 } }],
  ])("is not opened under the bad option %o", async (options) => {
    expect(await refusalOf(options)).toBe("abi.malformed");
  });
});
