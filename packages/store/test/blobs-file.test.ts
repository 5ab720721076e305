import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileBlobs } from "../src/blobs/file/file-blobs.ts";
import { blobOf, nameOf } from "../src/blobs/testing.ts";
import { openFileJournal } from "../src/journal/file/file-journal.ts";
import { QUEUE_BYTES } from "../src/worker-link.ts";
import { temporaryFolder } from "./fixtures/harness.ts";
import { tracedCalls } from "./fixtures/traced-calls.ts";

const childFile = fileURLToPath(new URL("./fixtures/blobs-child.ts", import.meta.url));
const killPoints =
  process.env["GLIA_SOAK"] === "1"
    ? Array.from({ length: 60 }, (_, i) => 1 + ((i * 37) % 500))
    : [1, 30, 300];

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function childArguments(blobs: string, first: number, count: number, atOnce: number): readonly string[] {
  return ["--conditions=@glia-os/source", childFile, blobs, ...[first, count, atOnce].map(String)];
}

function pathOf(root: string, hash: string): string {
  return join(root, hash.slice(0, 2), hash);
}

/** Run a child until it acknowledged `count` blobs, kill -9 it, and return the seeds it acknowledged. */
async function killAfter(count: number, blobs: string, first: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, childArguments(blobs, first, 100_000, 16), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const seeds: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    seeds.push(Number(line.split(" ")[1]));
    if (seeds.length === count) child.kill("SIGKILL");
  }
  expect((await exited)[1]).toBe("SIGKILL");
  return seeds;
}

it("B2: after kill -9 at any moment every acknowledged blob is there, and nothing under the name of a hash is anything else", async () => {
  const root = join(folder, "blobs");
  const acknowledged: number[] = [];
  for (const [round, point] of killPoints.entries()) {
    acknowledged.push(...(await killAfter(point, root, round * 100_000)));
    const blobs = await openFileBlobs({ folder: root });
    for (const seed of acknowledged) {
      const bytes = blobOf(seed, (seed * 7_919) % 40_000);
      expect(await blobs.get(nameOf(bytes))).toEqual(bytes);
    }
    for (const { hash } of await blobs.list("", 10_000)) expect(await blobs.get(hash)).toBeDefined();
    await blobs.close();
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
  }
}, 240_000);

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

describe.skipIf(!hasStrace)("under strace (needs Linux with strace)", () => {
  it("F1, F2: the file is flushed before it is renamed, and its folder after that and before the acknowledgement", () => {
    const log = join(folder, "strace.log");
    const node = [process.execPath, ...childArguments(join(folder, "blobs"), 1, 5, 1)];
    const trace = "trace=fdatasync,fsync,write,pwrite64,rename,renameat,renameat2";
    const args = ["-f", "-y", "-s", "200", "-o", log, "-e", trace, ...node];
    expect(spawnSync("strace", args, { encoding: "utf8", timeout: 50_000 }).stderr).toBe("");
    const calls = tracedCalls(log);
    const acknowledgements = calls.flatMap((call, i) => (call.includes('"acknowledged') ? [i] : []));
    expect(acknowledgements.length).toBe(5);
    for (const [k, at] of acknowledgements.entries()) {
      const since = calls.slice(k === 0 ? 0 : acknowledgements[k - 1], at);
      const write = since.findLastIndex((call) => /write(64)?\(\d+<[^>]*\/tmp\/\d+>/.test(call));
      const flush = since.findLastIndex((call) => /fsync\(\d+<[^>]*\/tmp\/\d+>/.test(call));
      const rename = since.findLastIndex((call) => /rename/.test(call));
      const folderFlush = since.findLastIndex((call) => /fsync\(\d+<[^>]*\/[0-9a-f]{2}>/.test(call));
      expect([write, flush, rename, folderFlush]).toEqual(
        [write, flush, rename, folderFlush].toSorted((a, b) => a - b),
      );
      expect(write).toBeGreaterThanOrEqual(0);
      expect(new Set([write, flush, rename, folderFlush]).size).toBe(4);
    }
  });
});

describe("a folder of blobs", () => {
  async function refusalOf(options: Parameters<typeof openFileBlobs>[0]): Promise<string | undefined> {
    return openFileBlobs(options).then(
      async (blobs) => void (await blobs.close()),
      (error: unknown) => errorCodeOf(error),
    );
  }

  it("is made when it is missing, and keeps its blobs as plain files over close and open", async () => {
    const root = join(folder, "a", "b");
    const blobs = await openFileBlobs({ folder: root });
    const hash = await blobs.put(blobOf(1, 5_000));
    await blobs.close();
    expect(new Uint8Array(readFileSync(pathOf(root, hash)))).toEqual(blobOf(1, 5_000));
    const again = await openFileBlobs({ folder: root });
    expect(await again.get(hash)).toEqual(blobOf(1, 5_000));
    expect(await again.list("", 10)).toMatchObject([{ hash, bytes: 5_000 }]);
    await again.close();
  });

  it("counts what it found against its limits", async () => {
    const blobs = await openFileBlobs({ folder });
    await blobs.put(blobOf(1, 100));
    await blobs.close();
    const small = await openFileBlobs({ folder, limits: { maxBytes: 150 } });
    await expect(small.put(blobOf(2, 51))).rejects.toMatchObject({ code: "store.full" });
    await small.put(blobOf(2, 50));
    await small.close();
  });

  it("B3: refuses a blob whose file rotted by name, and repairs it by a put", async () => {
    const blobs = await openFileBlobs({ folder });
    const hash = await blobs.put(blobOf(1, 5_000));
    const rotten = readFileSync(pathOf(folder, hash));
    rotten[4_000] = (rotten[4_000] as number) ^ 1;
    writeFileSync(pathOf(folder, hash), rotten);
    await expect(blobs.get(hash)).rejects.toMatchObject({ code: "store.blob-corrupt", details: { hash } });
    expect(await blobs.has(hash)).toBe(false);
    await blobs.put(blobOf(1, 5_000));
    expect(await blobs.get(hash)).toEqual(blobOf(1, 5_000));
    rmSync(pathOf(folder, hash));
    await expect(blobs.get(hash)).rejects.toThrow("its file is gone");
    await blobs.close();
  });

  it("leaves alone what is none of its files, and takes it for no blob", async () => {
    mkdirSync(join(folder, "ab"));
    const strangers = [
      join(folder, "notes.txt"),
      join(folder, "ab", "x"),
      join(folder, "ab", "0".repeat(64)),
    ];
    for (const path of strangers) writeFileSync(path, "mine");
    const blobs = await openFileBlobs({ folder });
    expect(await blobs.list("", 10)).toEqual([]);
    await blobs.close();
    expect(strangers.every((path) => existsSync(path))).toBe(true);
  });

  it("that a store of this or another process has is refused as in use", async () => {
    const blobs = await openFileBlobs({ folder });
    expect(await refusalOf({ folder })).toBe("store.in-use");
    const child = spawnSync(process.execPath, childArguments(folder, 1, 1, 1), { encoding: "utf8" });
    expect(child.stderr).toContain("store.in-use");
    await blobs.close();
    expect(await refusalOf({ folder })).toBeUndefined();
  });

  it("that holds a journal is refused, and a journal in a folder of blobs too", async () => {
    await (await openFileJournal({ folder: join(folder, "j") })).close();
    expect(await refusalOf({ folder: join(folder, "j") })).toBe("store.cannot-open");
    await (await openFileBlobs({ folder: join(folder, "b") })).close();
    await expect(openFileJournal({ folder: join(folder, "b") })).rejects.toMatchObject({
      code: "store.cannot-open",
    });
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
      const child = spawnSync(process.execPath, childArguments(locked, 1, 1, 1), {
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
    [{ folder: 7 as never }],
    [{ folder: "x", queueLimit: 0 }],
    [{ folder: "x", queueLimit: 65_537 }],
    [{ folder: "x", limits: { maxBlobs: 0 } }],
    [{ folder: "x", limits: { blobBytes: 2 ** 31 } }],
    [{ folder: "x", limits: { maxBytes: Number.NaN } }],
  ])("is not opened under the bad option %o", async (options) => {
    expect(await refusalOf(options)).toBe("abi.malformed");
  });
});

it("L1: more requests, or more bytes in them, than the queue holds are refused, and the others are answered", async () => {
  const few = await openFileBlobs({ folder, queueLimit: 3 });
  const asked = [1, 2, 3, 4].map((seed) => few.put(blobOf(seed, 10)).then(() => "there", errorCodeOf));
  expect(await Promise.all(asked)).toEqual(["there", "there", "there", "store.queue-full"]);
  await few.close();
  const blobs = await openFileBlobs({ folder });
  const large = new Uint8Array(QUEUE_BYTES / 4);
  const puts = [1, 2, 3, 4].map((first) => {
    large[0] = first;
    return blobs.put(large).then(() => "there", errorCodeOf);
  });
  const refused = blobs.put(new Uint8Array(1));
  await expect(refused).rejects.toMatchObject({
    code: "store.queue-full",
    message: expect.stringContaining("bytes"),
  });
  expect(await Promise.all(puts)).toEqual(["there", "there", "there", "there"]);
  await blobs.put(new Uint8Array(1));
  await blobs.close();
}, 120_000);
