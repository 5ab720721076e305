import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isGliaError } from "@glia-os/abi/errors";
import type { InstanceImage } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeSnapshot,
  encodeSnapshot,
  SnapshotCorruptError,
  SnapshotDecoder,
  SnapshotMismatchError,
  SnapshotTooBigError,
  SnapshotVersionError,
} from "../src/snapshot/index.ts";
import { type VectorImage, vectorImage } from "./snapshot-vectors.ts";

const PAGE = 4096;

interface Vectors {
  readonly accepted: readonly {
    readonly what: string;
    readonly image: VectorImage;
    readonly raw: string;
    readonly zstd: string;
  }[];
  readonly refused: readonly { readonly what: string; readonly code: string; readonly hex: string }[];
}

const vectors = JSON.parse(
  readFileSync(
    join(import.meta.dirname, "..", "..", "..", "conformance", "vectors", "snapshot.json"),
    "utf8",
  ),
) as Vectors;

function whole(image: InstanceImage, compress = true): Buffer {
  return Buffer.concat([...encodeSnapshot(image, { compress })]);
}

/** Sections with zero pages, short last pages, repeated and random content. */
const section = fc
  .array(
    fc.oneof(
      fc.nat({ max: 5 }).map((pages) => new Uint8Array(pages * PAGE)),
      fc
        .tuple(fc.nat({ max: 255 }), fc.nat({ max: 3 * PAGE }))
        .map(([byte, length]) => new Uint8Array(length).fill(byte)),
      fc.uint8Array({ maxLength: 300 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts)));

const image: fc.Arbitrary<InstanceImage> = fc.record({
  moduleHash: fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString("hex")),
  profile: fc.constantFrom("cooperative", "x"),
  sections: fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,6}$/), section, {
    maxKeys: 5,
    noNullPrototype: true,
  }),
  pending: fc.record({
    requestId: fc.integer({ min: 1 }),
    op: fc.constantFrom("receive", "sleep"),
    args: fc.array(fc.maxSafeInteger(), { maxLength: 3 }),
  }),
});

describe("the byte form", () => {
  it("gives back every image, whatever the pieces it arrives in", () => {
    fc.assert(
      fc.property(
        image,
        fc.boolean(),
        fc.infiniteStream(fc.integer({ min: 1, max: 5000 })),
        (one, compress, sizes) => {
          const bytes = whole(one, compress);
          const decoder = new SnapshotDecoder();
          for (let at = 0; at < bytes.length; ) {
            const size = sizes.next().value as number;
            decoder.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(decoder.finish()).toEqual(one);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("leaves pages of zeros out and writes pieces of at most 1 MiB and a header", () => {
    const memory = new Uint8Array(64 * 1024 * 1024);
    memory.fill(1, 5 * PAGE, 6 * PAGE);
    const one = {
      moduleHash: "00".repeat(32),
      profile: "cooperative",
      sections: { memory },
      pending: { requestId: 1, op: "yield", args: [] },
    };
    expect(whole(one, false).length).toBeLessThan(PAGE + 300);
    expect(decodeSnapshot(whole(one))).toEqual(one);
    for (let at = 0; at < memory.length; at += 8) memory[at] = at % 251;
    for (const piece of encodeSnapshot(one, { compress: false }))
      expect(piece.length).toBeLessThanOrEqual(1024 * 1024 + 64);
  });

  it("takes every golden vector, and writes the uncompressed ones byte for byte", () => {
    expect(vectors.accepted.length).toBeGreaterThan(2);
    for (const { what, image: described, raw, zstd } of vectors.accepted) {
      const one = vectorImage(described);
      expect(whole(one, false).toString("hex"), what).toBe(raw);
      expect(decodeSnapshot(Buffer.from(raw, "hex")), what).toEqual(one);
      expect(decodeSnapshot(Buffer.from(zstd, "hex")), what).toEqual(one);
    }
  });

  it("refuses every refused vector with its code", () => {
    expect(vectors.refused.length).toBeGreaterThan(10);
    for (const { what, code, hex } of vectors.refused) {
      const refusal = refusalOf(() => decodeSnapshot(Buffer.from(hex, "hex"), { imageBytes: 1 << 20 }));
      expect(isGliaError(refusal) && refusal.code, what).toBe(code);
    }
  });
});

function refusalOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a snapshot that was not made so is refused:", () => {
  const bytes = whole(vectorImage(vectors.accepted[0]?.image as VectorImage));

  it("cut short at any place", () => {
    for (let length = 0; length < bytes.length; length++) {
      const refusal = refusalOf(() => decodeSnapshot(bytes.subarray(0, length)));
      expect(refusal, `at ${length}`).toBeInstanceOf(SnapshotCorruptError);
    }
  });

  it("with any bit flipped", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Uint8Array.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      const refusal = refusalOf(() => decodeSnapshot(damaged, { imageBytes: 1 << 24 }));
      expect(isGliaError(refusal), `bit ${bit}: ${String(refusal)}`).toBe(true);
    }
  });

  it("with bytes after its end", () => {
    expect(() => decodeSnapshot(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(SnapshotCorruptError);
  });

  it("of another version", () => {
    const other = Uint8Array.from(bytes);
    other[4] = 2;
    expect(() => decodeSnapshot(other)).toThrow(SnapshotVersionError);
  });

  it("that claims more than the limit, before memory is set aside", () => {
    const memory = new Uint8Array(4096);
    const one = {
      moduleHash: "00".repeat(32),
      profile: "x",
      sections: { memory },
      pending: { requestId: 1, op: "yield", args: [] },
    };
    const small = whole(one, false);
    expect(() => decodeSnapshot(small, { imageBytes: 4095 })).toThrow(SnapshotTooBigError);
    // The same header with a length of 8 PiB: refused although nothing near that follows.
    const at = small.indexOf(Buffer.of(0x19, 0x10, 0x00));
    const header = Buffer.concat([
      small.subarray(9, at),
      Buffer.from("1b0020000000000000".replace("1b0020", "1b001f"), "hex"),
      small.subarray(at + 3),
    ]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(small.readUInt32LE(5) + 6);
    const huge = Buffer.concat([small.subarray(0, 5), length, header]);
    expect(() => decodeSnapshot(huge)).toThrow(SnapshotTooBigError);
  });

  it("of random bytes, with or without a true beginning", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: bytes.length }), (noise, kept) => {
        const refusal = refusalOf(() => decodeSnapshot(Buffer.concat([bytes.subarray(0, kept), noise])));
        const same = Buffer.concat([bytes.subarray(0, kept), noise]).equals(bytes);
        expect(same || isGliaError(refusal), String(refusal)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("and after a refusal the decoder takes nothing more and gives nothing out", () => {
    const decoder = new SnapshotDecoder();
    expect(() => decoder.push(Buffer.from("not a snapshot at all"))).toThrow(SnapshotCorruptError);
    expect(() => decoder.push(bytes)).toThrow(SnapshotCorruptError);
    expect(() => decoder.finish()).toThrow(SnapshotCorruptError);
  });

  it("an image no snapshot can hold is not written", () => {
    const one = vectorImage(vectors.accepted[0]?.image as VectorImage);
    expect(() => whole({ ...one, moduleHash: "zz" })).toThrow(SnapshotMismatchError);
    const many = Object.fromEntries(
      Array.from({ length: 17 }, (_, at) => [`s${"abcdefghijklmnopq"[at]}`, new Uint8Array()]),
    );
    expect(() => whole({ ...one, sections: many })).toThrow(SnapshotMismatchError);
  });
});
