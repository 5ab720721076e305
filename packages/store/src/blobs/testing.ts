/**
 * The contract every `Blobs` keeps, as cases any test runner can run:
 * `for (const { title, run } of blobsContract) it(title, () => run(harness))`. Titles cite B1-B4 of the port.
 */
import assert from "node:assert/strict";
import { hash as digest } from "node:crypto";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Blobs } from "@glia-os/abi/ports";
import type { BlobLimits } from "./limits.ts";

/** What an implementation brings to run the contract. */
export interface BlobsHarness {
  /** An empty store with these limits; the harness disposes of what it opened. */
  open(limits?: Partial<BlobLimits>): Promise<Blobs>;
}

/** One promise of the contract. */
export interface BlobsCase {
  readonly title: string;
  readonly run: (harness: BlobsHarness) => Promise<void>;
}

/** A blob of `length` bytes that a seed fixes. */
export function blobOf(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7 + (i >> 8)) % 256);
}

/** The name of some bytes. */
export function nameOf(bytes: Uint8Array): string {
  return digest("sha256", bytes, "hex");
}

async function refusedWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.equal(errorCodeOf(error), code);
    return true;
  });
}

const storing: readonly BlobsCase[] = [
  {
    title: "B1: a blob is found under its SHA-256, whatever its size, and nothing else is",
    async run(harness) {
      const blobs = await harness.open();
      for (const length of [0, 1, 64, 4_096, 65_537, 2 ** 20 + 1]) {
        const bytes = blobOf(length, length);
        const hash = await blobs.put(bytes);
        assert.equal(hash, nameOf(bytes));
        assert.equal(await blobs.has(hash), true);
        assert.deepEqual(await blobs.get(hash), bytes);
      }
      assert.equal(await blobs.get(nameOf(blobOf(1, 3))), undefined);
      assert.equal(await blobs.has(nameOf(blobOf(1, 3))), false);
    },
  },
  {
    title: "B1: the same bytes put twice are one blob, also at the same time",
    async run(harness) {
      const blobs = await harness.open();
      const names = await Promise.all(Array.from({ length: 50 }, (_, i) => blobs.put(blobOf(i % 5, 100))));
      assert.equal(new Set(names).size, 5);
      assert.equal((await blobs.list("", 100)).length, 5);
    },
  },
  {
    title:
      "B2: what the caller does with the bytes after put returned, or with those of get, changes no blob",
    async run(harness) {
      const blobs = await harness.open();
      const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(3);
      const bytes = blobOf(1, 1_000);
      const put = blobs.put(bytes.subarray(100, 200));
      const putShared = blobs.put(shared);
      bytes.fill(0);
      shared.fill(0);
      assert.equal(await put, nameOf(blobOf(1, 1_000).subarray(100, 200)));
      assert.equal(await putShared, nameOf(new Uint8Array(64).fill(3)));
      (await blobs.get(await put))?.fill(9);
      assert.deepEqual(await blobs.get(await put), blobOf(1, 1_000).subarray(100, 200));
    },
  },
];

const collecting: readonly BlobsCase[] = [
  {
    title: "blobs are listed by hash with their sizes, a page at a time",
    async run(harness) {
      const blobs = await harness.open();
      const names: string[] = [];
      for (let i = 0; i < 20; i++) names.push(await blobs.put(blobOf(i, i)));
      names.sort();
      const first = await blobs.list("", 12);
      const rest = await blobs.list(first.at(-1)?.hash ?? "", 12);
      assert.deepEqual(
        [...first, ...rest].map(({ hash }) => hash),
        names,
      );
      for (const { hash, bytes } of first) assert.equal((await blobs.get(hash))?.length, bytes);
      assert.deepEqual(await blobs.list(names.at(-1) ?? "", 1), []);
    },
  },
  {
    title: "B4: a blob is deleted under the stamp it was listed with, and not once it was put again",
    async run(harness) {
      const blobs = await harness.open();
      const kept = await blobs.put(blobOf(1, 10));
      const gone = await blobs.put(blobOf(2, 10));
      const stamps = new Map((await blobs.list("", 10)).map(({ hash, stamp }) => [hash, stamp]));
      await blobs.put(blobOf(1, 10));
      assert.equal(await blobs.delete(kept, stamps.get(kept) ?? 0), false);
      assert.equal(await blobs.delete(gone, stamps.get(gone) ?? 0), true);
      assert.equal(await blobs.delete(gone, stamps.get(gone) ?? 0), false);
      assert.deepEqual(await blobs.get(kept), blobOf(1, 10));
      assert.equal(await blobs.get(gone), undefined);
      assert.equal(await blobs.has(gone), false);
      await blobs.put(blobOf(2, 10));
      assert.equal(await blobs.delete(gone, stamps.get(gone) ?? 0), false);
      assert.deepEqual(await blobs.get(gone), blobOf(2, 10));
    },
  },
];

const bounds: readonly BlobsCase[] = [
  {
    title:
      "every limit holds: the size of one, the number and the bytes of all, and a refused blob is not there",
    async run(harness) {
      const blobs = await harness.open({ maxBlobs: 3, blobBytes: 100, maxBytes: 210 });
      await refusedWith("store.blob-too-large", blobs.put(new Uint8Array(101)));
      await blobs.put(blobOf(1, 100));
      await blobs.put(blobOf(2, 100));
      await refusedWith("store.full", blobs.put(blobOf(3, 11)));
      await blobs.put(blobOf(3, 10));
      await refusedWith("store.too-many-blobs", blobs.put(new Uint8Array()));
      await blobs.put(blobOf(2, 100));
      assert.equal(await blobs.has(nameOf(blobOf(3, 11))), false);
      const [first] = await blobs.list("", 1);
      await blobs.delete(first?.hash ?? "", first?.stamp ?? 0);
      await blobs.put(new Uint8Array());
      assert.equal((await blobs.list("", 10)).length, 3);
    },
  },
  {
    title: "an argument of the wrong form rejects the promise and changes nothing",
    async run(harness) {
      const blobs = await harness.open();
      const hash = await blobs.put(blobOf(1, 10));
      const stamp = (await blobs.list("", 1))[0]?.stamp ?? 0;
      for (const bytes of [undefined, null, "text", [1], new ArrayBuffer(3), new Uint16Array(2)])
        await refusedWith("abi.malformed", blobs.put(bytes as never));
      for (const bad of [
        "",
        "x",
        hash.toUpperCase(),
        `${hash}0`,
        `${hash}\n`,
        `../${hash.slice(3)}`,
        undefined,
        7,
      ]) {
        await refusedWith("abi.malformed", blobs.get(bad as never));
        await refusedWith("abi.malformed", blobs.has(bad as never));
        await refusedWith("abi.malformed", blobs.delete(bad as never, stamp));
        if (bad !== "") await refusedWith("abi.malformed", blobs.list(bad as never, 1));
      }
      for (const limit of [0, 10_001, 0.5, Number.NaN, "1"])
        await refusedWith("abi.malformed", blobs.list("", limit as never));
      for (const bad of [0, -1, 0.5, Number.NaN, undefined])
        await refusedWith("abi.malformed", blobs.delete(hash, bad as never));
      assert.equal((await blobs.list("", 10)).length, 1);
    },
  },
  {
    title:
      "after close every call is refused, what was asked before is answered, and closing twice is no error",
    async run(harness) {
      const blobs = await harness.open();
      const last = blobs.put(blobOf(1, 10));
      const closing = [blobs.close(), blobs.close()];
      assert.equal(await last, nameOf(blobOf(1, 10)));
      await Promise.all(closing);
      await refusedWith("store.closed", blobs.get(await last));
      await refusedWith("store.closed", blobs.put(blobOf(2, 10)));
    },
  },
];

/** Every case. */
export const blobsContract: readonly BlobsCase[] = [...storing, ...collecting, ...bounds];
