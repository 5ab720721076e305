import { describe, expect, it } from "vitest";
import { FileBlobStore } from "../src/blobs/file/file-store.ts";
import { blobLimits } from "../src/blobs/limits.ts";
import type { BlobReply, BlobRequest } from "../src/blobs/request.ts";
import { blobOf, nameOf } from "../src/blobs/testing.ts";
import type { Answer } from "../src/serve.ts";
import { everySeedAsync } from "./fixtures/seeds.ts";
import { type DiskCall, UnreliableBlobDisk } from "./fixtures/unreliable-blob-disk.ts";

const SEEDS = process.env["GLIA_SOAK"] === "1" ? 30_000 : 600;
const limits = blobLimits();

/** Blobs that tests put: few, so that puts, deletions and repairs of the same ones meet. */
const BLOBS: readonly Uint8Array[] = Array.from({ length: 12 }, (_, i) => blobOf(i, i * 37));
const NAMES: readonly string[] = BLOBS.map(nameOf);

async function ask(store: FileBlobStore, request: BlobRequest): Promise<Answer<BlobReply>> {
  const [answer] = await store.perform([request]);
  return answer ?? expect.fail("no answer");
}

function codeOf(answer: Answer<BlobReply>): string | undefined {
  return "refused" in answer ? answer.refused.code : undefined;
}

async function stampOf(store: FileBlobStore, hash: string): Promise<number> {
  const answer = await ask(store, { op: "list", after: "", limit: 100 });
  const listed = "reply" in answer ? (answer.reply as readonly { hash: string; stamp: number }[]) : [];
  return listed.find((blob) => blob.hash === hash)?.stamp ?? 1;
}

/** What must be there and what may be. */
interface Promises {
  /** Put and acknowledged, and not deleted since. */
  readonly kept: Set<string>;
}

/** Give a store random puts and deletions until it refuses one, and note what it promised. */
async function run(
  store: FileBlobStore,
  promises: Promises,
  chance: () => number,
  groups: number,
): Promise<void> {
  for (let i = 0; i < groups; i++) {
    const picked = Array.from({ length: 1 + Math.floor(chance() * 3) }, () =>
      Math.floor(chance() * BLOBS.length),
    );
    const requests: BlobRequest[] = [];
    for (const at of picked) {
      const hash = NAMES[at] as string;
      const request = { op: "put", bytes: BLOBS[at] as Uint8Array } as const;
      requests.push(chance() < 0.25 ? { op: "delete", hash, stamp: await stampOf(store, hash) } : request);
    }
    // A deletion that was refused may have happened all the same.
    for (const request of requests) if (request.op === "delete") promises.kept.delete(request.hash);
    const answers = await store.perform(requests);
    for (const [k, request] of requests.entries()) {
      const answer = answers[k] ?? expect.fail("an answer is missing");
      if ("refused" in answer) continue;
      if (request.op === "put") promises.kept.add(answer.reply as string);
      else if (request.op === "delete" && answer.reply === true) promises.kept.delete(request.hash);
    }
    if (answers.some((answer) => codeOf(answer) === "store.write-failed")) return;
  }
}

/** Every blob is right or not there, and every promised one is there. */
async function expectSound(store: FileBlobStore, { kept }: Promises): Promise<void> {
  for (const [i, hash] of NAMES.entries()) {
    const answer = await ask(store, { op: "get", hash });
    if ("refused" in answer) expect.fail(`${hash} is refused: ${answer.refused.code}`);
    if (answer.reply === undefined) expect(kept, `blob ${i}`).not.toContain(hash);
    else expect(answer.reply).toEqual(BLOBS[i]);
  }
}

function failingFrom(disk: UnreliableBlobDisk, chance: () => number): void {
  const first = disk.calls + 1 + Math.floor(chance() * 80);
  disk.faultAt = (call) => (call >= first ? "EIO" : undefined);
}

describe(`files of blobs on an unreliable disk, ${SEEDS} seeds`, () => {
  it("F1, F2: after a loss of power at any call every acknowledged blob is there whole, and no blob is there in part", async () => {
    await everySeedAsync(SEEDS, async (chance) => {
      const disk = new UnreliableBlobDisk();
      const promises: Promises = { kept: new Set() };
      for (let crash = 0; crash < 4; crash++) {
        const store = new FileBlobStore(disk, limits);
        failingFrom(disk, chance);
        await run(store, promises, chance, 40);
        disk.faultAt = () => undefined;
        disk.crash(chance);
        await expectSound(new FileBlobStore(disk, limits), promises);
      }
    });
  });

  it("F4: what a killed process named without a flush is flushed by the next one before it counts as there", async () => {
    await everySeedAsync(SEEDS, async (chance) => {
      const disk = new UnreliableBlobDisk();
      const promises: Promises = { kept: new Set() };
      const store = new FileBlobStore(disk, limits);
      failingFrom(disk, chance);
      await run(store, promises, chance, 40);
      // The process ends and the machine goes on: all names are visible, few are durable.
      disk.faultAt = () => undefined;
      const next = new FileBlobStore(disk, limits);
      for (const [i, hash] of NAMES.entries()) {
        if (chance() < 0.5) continue;
        const there = await ask(next, { op: "has", hash });
        if ("reply" in there && there.reply === true) promises.kept.add(hash);
        else if (codeOf(await ask(next, { op: "put", bytes: BLOBS[i] as Uint8Array })) === undefined)
          promises.kept.add(hash);
      }
      disk.crash(chance);
      await expectSound(new FileBlobStore(disk, limits), promises);
    });
  });

  it("F3: after a name could not be given or flushed everything is refused until the folder is opened again", async () => {
    await everySeedAsync(SEEDS, async (chance) => {
      const disk = new UnreliableBlobDisk();
      const store = new FileBlobStore(disk, limits);
      const failing: DiskCall = chance() < 0.5 ? "rename" : "syncFolder";
      let left = 1 + Math.floor(chance() * 10);
      disk.faultAt = (_call, what) => (what === failing && --left === 0 ? "EIO" : undefined);
      const promises: Promises = { kept: new Set() };
      await run(store, promises, chance, 60);
      if (left > 0) return;
      for (const [i, hash] of NAMES.entries()) {
        expect(codeOf(await ask(store, { op: "put", bytes: BLOBS[i] as Uint8Array }))).toBe(
          "store.write-failed",
        );
        expect(codeOf(await ask(store, { op: "get", hash }))).toBe("store.write-failed");
      }
      disk.crash(chance);
      await expectSound(new FileBlobStore(disk, limits), promises);
    });
  });

  it.each(["ENOSPC", "EIO"])(
    "a disk that answers %s refuses the blob, keeps the others and leaves no file behind",
    async (code) => {
      await everySeedAsync(SEEDS / 10, async (chance) => {
        const disk = new UnreliableBlobDisk();
        const store = new FileBlobStore(disk, limits);
        await ask(store, { op: "put", bytes: BLOBS[1] as Uint8Array });
        const failing = (["create", "write", "sync"] as const)[Math.floor(chance() * 3)];
        disk.faultAt = (_call, what) => (what === failing ? code : undefined);
        const refused = codeOf(await ask(store, { op: "put", bytes: BLOBS[2] as Uint8Array }));
        expect(refused).toBe(code === "ENOSPC" ? "store.full" : "store.cannot-open");
        expect(disk.files("tmp")).toEqual([]);
        disk.faultAt = () => undefined;
        expect(await ask(store, { op: "has", hash: NAMES[2] as string })).toEqual({ reply: false });
        expect(await ask(store, { op: "put", bytes: BLOBS[2] as Uint8Array })).toEqual({ reply: NAMES[2] });
        await expectSound(store, { kept: new Set([NAMES[1] as string, NAMES[2] as string]) });
      });
    },
  );

  it("B3: a flipped bit, a shorter, longer or missing file is refused by name, and a put repairs it", async () => {
    await everySeedAsync(SEEDS, async (chance) => {
      const disk = new UnreliableBlobDisk();
      const store = new FileBlobStore(disk, limits);
      const at = 1 + Math.floor(chance() * (BLOBS.length - 1));
      const [bytes, hash] = [BLOBS[at] as Uint8Array, NAMES[at] as string];
      await ask(store, { op: "put", bytes });
      disk.damage(`${hash.slice(0, 2)}/${hash}`, (stored) => damaged(stored, chance));
      const answer = await ask(store, { op: "get", hash });
      expect(answer).toMatchObject({ refused: { code: "store.blob-corrupt", details: { hash } } });
      expect(await ask(store, { op: "has", hash })).toEqual({ reply: false });
      expect(codeOf(await ask(store, { op: "get", hash }))).toBe("store.blob-corrupt");
      expect(await ask(store, { op: "put", bytes })).toEqual({ reply: hash });
      disk.crash(chance);
      await expectSound(new FileBlobStore(disk, limits), { kept: new Set([hash]) });
    });
  });
});

function damaged(stored: Uint8Array, chance: () => number): Uint8Array | undefined {
  const way = chance();
  if (way < 0.2) return undefined;
  if (way < 0.4) return stored.subarray(0, Math.floor(chance() * stored.length));
  if (way < 0.6) return Uint8Array.from([...stored, 0]);
  const at = Math.floor(chance() * stored.length);
  stored[at] = (stored[at] as number) ^ (1 << Math.floor(chance() * 8));
  return stored;
}
