import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeSegment, encodeSegment, segmentHash } from "../src/journal/segment.ts";

interface Vectors {
  readonly segments: readonly { readonly hex: string; readonly sha256: string }[];
}

const file = new URL("../../../conformance/vectors/journal.json", import.meta.url);
const { segments } = JSON.parse(readFileSync(file, "utf8")) as Vectors;

describe.each(segments.map(({ hex, sha256 }, i) => [i, Buffer.from(hex, "hex"), sha256] as const))(
  "golden segment %i",
  (_i, bytes, sha256) => {
    it("is read, has its hash, and is written again byte for byte", () => {
      expect(segmentHash(bytes)).toBe(sha256);
      expect(Buffer.from(encodeSegment(decodeSegment(bytes))).equals(bytes)).toBe(true);
    });

    it("with any one bit flipped is refused, or says something else than before", () => {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        let again: Uint8Array | undefined;
        try {
          again = encodeSegment(decodeSegment(damaged));
        } catch (error) {
          expect(error).toMatchObject({ code: "store.segment-refused" });
          continue;
        }
        expect(segmentHash(again)).not.toBe(sha256);
      }
    });

    it("cut off anywhere is refused", () => {
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        const whole = segments.some(({ hex }) => hex === cut.toString("hex"));
        const batchEnd = batchEnds(bytes).includes(length);
        if (!whole && !batchEnd) expect(() => decodeSegment(cut)).toThrow(/^the segment was refused/);
      }
    });
  },
);

/** Where batches of a segment end: a segment cut there is a shorter sound one, which its hash gives away. */
function batchEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  for (let at = 56 + bytes.readUInt16LE(6); at < bytes.length; ends.push(at))
    at += 12 + bytes.readUInt32LE(at);
  return ends;
}
