import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeSegment, journalVectors } from "../reference/journal.ts";

const committed = JSON.parse(
  readFileSync(new URL("../vectors/journal.json", import.meta.url), "utf8"),
) as ReturnType<typeof journalVectors>;
const segments = committed.segments.map(({ hex }) => new Uint8Array(Buffer.from(hex, "hex")));
const [first, second] = segments as [Uint8Array, Uint8Array];

test("the reference writer makes the committed journal vectors byte for byte", () => {
  expect(journalVectors()).toEqual(committed);
});

test("J1: the second segment is chained to the first by hash, epoch and seq", () => {
  const a = decodeSegment(first);
  const b = decodeSegment(second);
  expect(Buffer.from(b.header.prevHash).toString("hex")).toBe(committed.segments[0]?.sha256);
  expect(b.header.epoch).toBeGreaterThanOrEqual(a.header.epoch);
  expect(b.header.firstSeq).toBe(a.rows.at(-1)![1] + 1);
});

test("J3: a segment cut anywhere in its last batch loses that batch and nothing else", () => {
  const whole = decodeSegment(first);
  for (let length = first.length - 1; length > first.length - 20; length--) {
    const cut = decodeSegment(first.subarray(0, length));
    expect([cut.torn, cut.rows]).toEqual([true, whole.rows.slice(0, 2)]);
  }
});

test("J3: a flipped bit before the last batch is corruption, not a torn tail", () => {
  const flipped = first.slice();
  flipped[56 + 8 + 13]! ^= 1;
  expect(() => decodeSegment(flipped)).toThrow(/corrupt/);
});
