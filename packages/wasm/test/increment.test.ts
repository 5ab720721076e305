/** Increments (I1 to I3 of increment.ts): a base and what changed give the same image as a whole snapshot. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isGliaError } from "@glia-os/abi/errors";
import type { InstanceImage } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  applyIncrement,
  type Checkpoint,
  checkpointOf,
  decodeSnapshot,
  encodeIncrement,
  restoreIncrements,
  SnapshotCorruptError,
  SnapshotMismatchError,
  SnapshotTooBigError,
  SnapshotVersionError,
} from "../src/snapshot/index.ts";
import { encodeZeroRuns, readZeroRuns } from "../src/snapshot/zero-runs.ts";
import { instance, SUMMING, u32 } from "./guest.ts";
import { type VectorImage, vectorImage } from "./snapshot-vectors.ts";

interface Vectors {
  readonly base: { readonly state: VectorImage; readonly name: string };
  readonly accepted: readonly {
    readonly what: string;
    readonly state: VectorImage;
    readonly raw: string;
    readonly runs: string;
  }[];
  readonly chain: {
    readonly increments: readonly string[];
    readonly state: VectorImage;
    readonly name: string;
  };
  readonly refused: readonly { readonly what: string; readonly code: string; readonly hex: string }[];
}

const vectors = JSON.parse(
  readFileSync(
    join(import.meta.dirname, "..", "..", "..", "conformance", "vectors", "increment.json"),
    "utf8",
  ),
) as Vectors;

/** The content of a form, or undefined when it is none of so many bytes. */
function decodeZeroRuns(form: Uint8Array, size: number): Uint8Array | undefined {
  const content = new Uint8Array(size);
  const read = readZeroRuns(form, size, (to, from, count) =>
    content.set(form.subarray(from, from + count), to),
  );
  return read ? content : undefined;
}

const PAGE = 4096;
const HASH = "3c".repeat(32);

function imageOf(sections: Record<string, Uint8Array>, requestId = 1): InstanceImage {
  return {
    moduleHash: HASH,
    profile: "cooperative",
    pending: { requestId, op: "receive", args: [0, 64] },
    sections,
  };
}

function memory(pages: number, ...writes: readonly (readonly [at: number, byte: number])[]): Uint8Array {
  const bytes = new Uint8Array(pages * PAGE);
  for (const [at, byte] of writes) bytes[at] = byte;
  return bytes;
}

/** Sections that grow, shrink and change in places. */
const content = fc
  .tuple(fc.nat({ max: 4 * PAGE }), fc.array(fc.tuple(fc.nat({ max: 4 * PAGE - 1 }), fc.nat({ max: 255 }))))
  .map(([length, writes]) => {
    const bytes = new Uint8Array(length);
    for (const [at, byte] of writes) if (at < length) bytes[at] = byte;
    return bytes;
  });
const image = fc
  .tuple(fc.record({ memory: content, stack: content }), fc.option(content), fc.integer({ min: 1, max: 9 }))
  .map(([sections, host, requestId]) => imageOf(host === null ? sections : { ...sections, host }, requestId));

describe("stretches between zeros", () => {
  const sparse = fc.array(fc.oneof(fc.constant(0), fc.constant(0), fc.nat({ max: 255 })), { maxLength: 400 });

  it("give back every content, in one form (ZR1)", () => {
    fc.assert(
      fc.property(sparse, fc.nat({ max: 5000 }), (bytes, zeros) => {
        const content = Uint8Array.from([...bytes, ...new Uint8Array(zeros), 7, ...new Uint8Array(zeros)]);
        const form = encodeZeroRuns(content, Number.POSITIVE_INFINITY) as Uint8Array;
        expect(decodeZeroRuns(form, content.length)).toEqual(content);
        expect(encodeZeroRuns(content, form.length)).toEqual(form);
        expect(encodeZeroRuns(content, form.length - 1)).toBeUndefined();
      }),
    );
  });

  it("read nothing and write nothing outside, whatever the bytes (ZR2)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 300 }), (form, size) => {
        const content = decodeZeroRuns(form, size);
        if (content !== undefined) expect(content).toHaveLength(size);
      }),
    );
    for (const form of [[0], [0, 0], [0, 2, 1], [5, 1, 1], [0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 1]])
      expect(decodeZeroRuns(Uint8Array.from(form), 5)).toBeUndefined();
    expect(decodeZeroRuns(Uint8Array.from([4, 1, 9]), 5)).toEqual(Uint8Array.of(0, 0, 0, 0, 9));
  });
});

describe("increments", () => {
  it("give the last image, byte for byte, whatever changed, grew or shrank in between (I2)", () => {
    fc.assert(
      fc.property(fc.array(image, { minLength: 2, maxLength: 5 }), fc.boolean(), (images, compress) => {
        const base = checkpointOf(images[0] as InstanceImage);
        let at: Checkpoint = base;
        const increments: Uint8Array[] = [];
        for (const next of images.slice(1)) {
          const increment = encodeIncrement(at, next, { compress });
          increments.push(increment.bytes);
          at = increment.next;
        }
        const restored = restoreIncrements(base, increments);
        expect(restored.image).toEqual(images.at(-1));
        expect(restored.id).toBe(at.id);
      }),
    );
  });

  it("hold only the pages that changed", () => {
    const base = checkpointOf(imageOf({ memory: memory(256, [5, 1], [9 * PAGE, 2]) }));
    const next = imageOf({ memory: memory(256, [5, 1], [9 * PAGE, 2], [40 * PAGE, 3]) });
    const raw = encodeIncrement(base, next, { compress: false }).bytes.length;
    expect(raw).toBeGreaterThan(PAGE);
    expect(raw).toBeLessThan(PAGE + 400);
    expect(encodeIncrement(base, next).bytes.length).toBeLessThan(400);
  });

  it("refuse every base but the one they were made for, also the same pages in another state (I1)", () => {
    const first = checkpointOf(imageOf({ memory: memory(2, [1, 1]) }));
    const second = encodeIncrement(first, imageOf({ memory: memory(2, [1, 2]) }));
    const third = encodeIncrement(second.next, imageOf({ memory: memory(2, [1, 3]) }));
    expect(() => applyIncrement(first, third.bytes)).toThrow(SnapshotMismatchError);
    expect(() => applyIncrement(checkpointOf(second.next.image), third.bytes)).toThrow(/the base/);
    const other = { ...first, image: { ...first.image, moduleHash: "4d".repeat(32) } };
    expect(() => applyIncrement(other, second.bytes)).toThrow(/the module/);
    const profile = { ...first, image: { ...first.image, profile: "metered" } };
    expect(() => applyIncrement(profile, second.bytes)).toThrow(/the profile/);
  });

  it("are refused with a typed error when a byte is flipped, missing or added, and the base is left as it was", () => {
    const before = memory(3, [1, 1], [2 * PAGE, 7]);
    const base = checkpointOf(imageOf({ memory: before }));
    const { bytes } = encodeIncrement(base, imageOf({ memory: memory(4, [1, 9], [3 * PAGE + 5, 8]) }));
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ 0x10;
      expect(() => applyIncrement(base, flipped), `byte ${at}`).toThrowError(
        expect.toSatisfy((error: unknown) => isGliaError(error)),
      );
      expect(() => applyIncrement(base, bytes.subarray(0, at))).toThrow(SnapshotCorruptError);
    }
    expect(() => applyIncrement(base, Uint8Array.of(...bytes, 0))).toThrow(SnapshotCorruptError);
    expect(before).toEqual(memory(3, [1, 1], [2 * PAGE, 7]));
  });

  it("are no snapshots, and snapshots no increments; another version is named", () => {
    const base = checkpointOf(imageOf({ memory: memory(1) }));
    const { bytes } = encodeIncrement(base, imageOf({ memory: memory(1, [0, 1]) }));
    expect(() => decodeSnapshot(bytes)).toThrow(/as a snapshot does/);
    expect(() => applyIncrement(base, Uint8Array.from([0x47, 0x4c, 0x53, 0x4e, ...bytes.slice(4)]))).toThrow(
      /as an increment does/,
    );
    const newer = bytes.slice();
    newer[4] = 2;
    expect(() => applyIncrement(base, newer)).toThrow(SnapshotVersionError);
  });

  it("may not grow the state over the limit of the reader", () => {
    const base = checkpointOf(imageOf({ memory: memory(1) }));
    const { bytes } = encodeIncrement(base, imageOf({ memory: memory(8) }));
    expect(() => applyIncrement(base, bytes, { imageBytes: 8 * PAGE - 1 })).toThrow(SnapshotTooBigError);
    expect(applyIncrement(base, bytes, { imageBytes: 8 * PAGE }).image.sections["memory"]).toHaveLength(
      8 * PAGE,
    );
  });

  it("continue a guest that was suspended in a recursion, after each of its messages", async () => {
    const { it: source, program, host } = await instance(SUMMING);
    source.step();
    const base = checkpointOf(source.snapshot());
    const increments: Uint8Array[] = [];
    let at = base;
    for (const value of [5, 6, 7]) {
      source.step({ value: 4, payload: u32(value) });
      const increment = encodeIncrement(at, source.snapshot());
      increments.push(increment.bytes);
      at = increment.next;
    }
    const { image: last } = restoreIncrements(base, increments);
    const moved = program.restore(last, {}, host);
    expect(moved.step({ value: 4, payload: u32(8) })).toEqual({ kind: "finished", status: 7 });
    expect(source.step({ value: 4, payload: u32(8) })).toEqual({ kind: "finished", status: 7 });
    expect(host.replies[0]).toEqual(host.replies[1]);
  });
});

describe("the golden vectors of increments", () => {
  const base = checkpointOf(vectorImage(vectors.base.state));

  it("name the base, and are what is written and read, raw and as zero runs", () => {
    expect(base.id).toBe(vectors.base.name);
    expect(vectors.accepted.length).toBeGreaterThan(4);
    for (const { what, state, raw, runs } of vectors.accepted) {
      const image = vectorImage(state);
      const written = (compress: boolean): string =>
        Buffer.from(encodeIncrement(base, image, { compress }).bytes).toString("hex");
      expect([written(false), written(true)], what).toEqual([raw, runs]);
      for (const hex of [raw, runs])
        expect(applyIncrement(base, Buffer.from(hex, "hex")).image, what).toEqual(image);
    }
  });

  it("chain, each on the state after the one before", () => {
    const { increments, state, name } = vectors.chain;
    const last = restoreIncrements(
      base,
      increments.map((hex) => Buffer.from(hex, "hex")),
    );
    expect([last.id, last.image]).toEqual([name, vectorImage(state)]);
    expect(() => applyIncrement(base, Buffer.from(increments[1] ?? "", "hex"))).toThrow(/the base/);
  });

  it("are refused with the code they state", () => {
    expect(vectors.refused.length).toBeGreaterThan(5);
    for (const { what, code, hex } of vectors.refused)
      expect(() => applyIncrement(base, Buffer.from(hex, "hex")), what).toThrowError(
        expect.objectContaining({ code }),
      );
  });
});
