import fc from "fast-check";
import { expect, test } from "vitest";
import {
  RECORD_BYTES,
  RING_BYTES,
  RING_MEMORY_BYTES,
  RingReader,
  RingWriter,
} from "../../src/threads/thread-ring.ts";

const AT = 64;

function pair(): { readonly out: RingWriter; take(): readonly [number, number, number] | undefined } {
  const memory = new SharedArrayBuffer(AT + RING_MEMORY_BYTES);
  const out = new RingWriter(memory, AT);
  const from = new RingReader(memory, AT);
  const bytes = new Uint8Array(memory);
  return {
    out,
    take() {
      const at = from.first(AT);
      if (at < 0) return undefined;
      const record = [from.sequence, bytes[at]!, bytes[at + 1]!] as const;
      from.done();
      return record;
    },
  };
}

function record(length: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0);
  bytes[0] = sequence;
  bytes[1] = length;
  return bytes;
}

test("TR2, TR3: records of any lengths come out as they went in, around the end and again and again", () => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 2, max: RECORD_BYTES }), fc.integer({ min: 0, max: 3 })),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const ring = pair();
      const expected: [number, number, number][] = [];
      let sequence = 0;
      for (const [length, reads] of all) {
        if (ring.out.write(++sequence, record(length, sequence)))
          expected.push([sequence, sequence & 255, length & 255]);
        for (let i = 0; i < reads; i++) expect(ring.take()).toEqual(expected.shift());
      }
      while (expected.length > 0) expect(ring.take()).toEqual(expected.shift());
      expect(ring.take()).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});

test("a full ring refuses a record and changes nothing; when it is read there is room again", () => {
  const ring = pair();
  let written = 0;
  while (ring.out.write(written + 1, record(1000, written + 1))) written++;
  expect(written).toBe(Math.floor(RING_BYTES / 1008));
  expect(ring.out.write(999, record(1000, 999))).toBe(false);
  for (let i = 1; i <= written; i++) expect(ring.take()?.[0]).toBe(i);
  expect(ring.take()).toBeUndefined();
  expect(ring.out.write(7, record(1000, 7))).toBe(true);
  expect(ring.take()?.[0]).toBe(7);
});

test("TR4: a reader that sleeps is woken by one writer, once, until it says again that it sleeps", () => {
  const memory = new SharedArrayBuffer(RING_MEMORY_BYTES);
  const out = new RingWriter(memory, 0);
  const from = new RingReader(memory, 0);
  expect(out.mustWake()).toBe(false);
  from.asleep = true;
  expect([out.mustWake(), out.mustWake()]).toEqual([true, false]);
  from.asleep = true;
  from.asleep = false;
  expect(out.mustWake()).toBe(false);
});
