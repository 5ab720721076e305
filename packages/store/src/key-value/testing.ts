/**
 * The contract every `KeyValue` keeps, as cases any test runner can run:
 * `for (const { title, run } of keyValueContract) it(title, () => run(harness))`. Titles cite KV1-KV3 of the port.
 */
import assert from "node:assert/strict";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { KeyValue } from "@glia-os/abi/ports";
import type { KeyValueLimits } from "./limits.ts";

/** What an implementation brings to run the contract. */
export interface KeyValueHarness {
  /** An empty store with these limits; the harness disposes of what it opened. */
  open(limits?: Partial<KeyValueLimits>): Promise<KeyValue>;
}

/** One promise of the contract. */
export interface KeyValueCase {
  readonly title: string;
  readonly run: (harness: KeyValueHarness) => Promise<void>;
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

async function refusedWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.equal(errorCodeOf(error), code);
    return true;
  });
}

/** Write a key that must be writable under this version, and return the new one. */
async function written(store: KeyValue, key: string, value: Uint8Array, expected = 0): Promise<number> {
  const version = await store.put(key, value, expected);
  assert.ok(version !== undefined);
  return version;
}

async function keysOf(store: KeyValue, prefix: string, after = "", limit = 100): Promise<readonly string[]> {
  return (await store.list(prefix, after, limit)).map(({ key }) => key);
}

const changing: readonly KeyValueCase[] = [
  {
    title: "KV1: a key is made, changed and removed only under the version that is stored",
    async run(harness) {
      const store = await harness.open();
      assert.equal(await store.get("a"), undefined);
      assert.equal(await store.put("a", bytes(1), 1), undefined);
      const first = await written(store, "a", bytes(1));
      assert.equal(await store.put("a", bytes(2), 0), undefined);
      assert.equal(await store.put("a", bytes(2), first + 1), undefined);
      assert.deepEqual(await store.get("a"), { value: bytes(1), version: first });
      const second = await written(store, "a", bytes(2, 2), first);
      assert.equal(await store.delete("a", first), false);
      assert.deepEqual(await store.get("a"), { value: bytes(2, 2), version: second });
      assert.equal(await store.delete("a", second), true);
      assert.equal(await store.delete("a", second), false);
      assert.equal(await store.get("a"), undefined);
    },
  },
  {
    title: "KV1: of many writers that expect the same version exactly one succeeds",
    async run(harness) {
      const store = await harness.open();
      const version = await written(store, "a", bytes(0));
      const puts = Array.from({ length: 50 }, (_, i) => store.put("a", bytes(i), version));
      const won = (await Promise.all(puts)).flatMap((given, i) =>
        given === undefined ? [] : [{ given, i }],
      );
      assert.equal(won.length, 1);
      assert.deepEqual(await store.get("a"), { value: bytes(won[0]?.i ?? -1), version: won[0]?.given });
    },
  },
  {
    title:
      "KV2: versions grow over all keys and never repeat, also for a key that was removed and made again",
    async run(harness) {
      const store = await harness.open();
      const versions = [await written(store, "a", bytes(1)), await written(store, "b", bytes(1))];
      await store.delete("a", versions[0] ?? 0);
      versions.push(await written(store, "a", bytes(1)));
      versions.push(await written(store, "b", bytes(2), versions[1]));
      assert.deepEqual(
        versions,
        [...new Set(versions)].toSorted((x, y) => x - y),
      );
      assert.equal(await store.put("a", bytes(9), versions[0] ?? 0), undefined);
      assert.equal(await store.delete("a", versions[0] ?? 0), false);
    },
  },
  {
    title: "what the caller does with the bytes after put returned, or with those of get, changes no value",
    async run(harness) {
      const store = await harness.open();
      const value = bytes(1, 2, 3, 4);
      const put = store.put("a", value.subarray(1, 3), 0);
      value.fill(9);
      await put;
      (await store.get("a"))?.value.fill(8);
      assert.deepEqual((await store.get("a"))?.value, bytes(2, 3));
      await store.put("none", bytes(), 0);
      assert.deepEqual((await store.get("none"))?.value, bytes());
    },
  },
];

const listing: readonly KeyValueCase[] = [
  {
    title: "keys are listed by code points with version and size, by prefix, a page at a time",
    async run(harness) {
      const store = await harness.open();
      const keys = [
        "\u{1f600}",
        "b",
        "a/2",
        "\ufb01",
        "a",
        "a/1",
        "a/\u{10ffff}x",
        "a0",
        "B",
        "\u{10ffff}",
        "\u{10ffff}z",
      ];
      for (const [i, key] of keys.entries()) await written(store, key, new Uint8Array(i));
      const sorted = [
        "B",
        "a",
        "a/1",
        "a/2",
        "a/\u{10ffff}x",
        "a0",
        "b",
        "\ufb01",
        "\u{1f600}",
        "\u{10ffff}",
        "\u{10ffff}z",
      ];
      assert.deepEqual(await keysOf(store, ""), sorted);
      assert.deepEqual(await keysOf(store, "", "a/2", 3), ["a/\u{10ffff}x", "a0", "b"]);
      assert.deepEqual(await keysOf(store, "a/"), ["a/1", "a/2", "a/\u{10ffff}x"]);
      assert.deepEqual(await keysOf(store, "a/", "a/1", 1), ["a/2"]);
      assert.deepEqual(await keysOf(store, "a/\u{10ffff}"), ["a/\u{10ffff}x"]);
      assert.deepEqual(await keysOf(store, "\u{10ffff}"), ["\u{10ffff}", "\u{10ffff}z"]);
      assert.deepEqual(await keysOf(store, "\ud7ff"), []);
      assert.deepEqual(await keysOf(store, "a", "b"), []);
      for (const { key, version, bytes: size } of await store.list("", "", 100)) {
        const stored = await store.get(key);
        assert.deepEqual([stored?.version, stored?.value.length], [version, size]);
      }
    },
  },
];

const bounds: readonly KeyValueCase[] = [
  {
    title:
      "every limit holds: the size of a value, the number of keys, the bytes of all; a refused change leaves nothing",
    async run(harness) {
      const store = await harness.open({ maxKeys: 2, valueBytes: 10, maxBytes: 15 });
      await refusedWith("store.value-too-large", store.put("a", new Uint8Array(11), 0));
      const version = await written(store, "a", new Uint8Array(10));
      await refusedWith("store.full", store.put("b", new Uint8Array(6), 0));
      const other = await written(store, "b", new Uint8Array(5));
      await refusedWith("store.full", store.put("b", new Uint8Array(6), other));
      await refusedWith("store.too-many-keys", store.put("c", bytes(), 0));
      assert.equal((await store.get("b"))?.version, other);
      const smaller = await written(store, "a", new Uint8Array(9), version);
      await written(store, "b", new Uint8Array(6), other);
      assert.equal(await store.delete("a", smaller), true);
      await written(store, "c", new Uint8Array(9));
    },
  },
  {
    title:
      "keys of 512 bytes are kept, and a key that is empty, longer, ill-formed or has control characters is refused",
    async run(harness) {
      const store = await harness.open();
      const longest = "\u00e9".repeat(256);
      const version = await written(store, longest, bytes(1));
      assert.equal((await store.get(longest))?.version, version);
      for (const key of ["", `${longest}x`, "a\0", "a\nb", "\u007f", "\ud800", undefined, 7, null]) {
        await refusedWith("abi.malformed", store.get(key as never));
        await refusedWith("abi.malformed", store.put(key as never, bytes(1), 0));
        await refusedWith("abi.malformed", store.delete(key as never, 1));
        if (key !== "") await refusedWith("abi.malformed", store.list(key as never, "", 1));
        if (key !== "") await refusedWith("abi.malformed", store.list("", key as never, 1));
      }
    },
  },
  {
    title: "a value, version or limit of the wrong form rejects the promise and changes nothing",
    async run(harness) {
      const store = await harness.open();
      for (const value of [undefined, "text", [1], new ArrayBuffer(1), new Float64Array(1)])
        await refusedWith("abi.malformed", store.put("a", value as never, 0));
      for (const expected of [-1, 0.5, Number.NaN, 2 ** 53, "0", undefined]) {
        await refusedWith("abi.malformed", store.put("a", bytes(1), expected as never));
        await refusedWith("abi.malformed", store.delete("a", expected as never));
      }
      await refusedWith("abi.malformed", store.delete("a", 0));
      for (const limit of [0, 10_001, 0.5, Number.NaN, undefined])
        await refusedWith("abi.malformed", store.list("", "", limit as never));
      assert.deepEqual(await store.list("", "", 1), []);
    },
  },
  {
    title:
      "after close every call is refused, what was asked before is answered, and closing twice is no error",
    async run(harness) {
      const store = await harness.open();
      const last = store.put("a", bytes(1), 0);
      const closing = [store.close(), store.close()];
      assert.ok((await last) !== undefined);
      await Promise.all(closing);
      await refusedWith("store.closed", store.get("a"));
      await refusedWith("store.closed", store.put("a", bytes(1), 0));
    },
  },
];

/** Every case. */
export const keyValueContract: readonly KeyValueCase[] = [...changing, ...listing, ...bounds];
