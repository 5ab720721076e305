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

test("LK1: who is to be rung for is rung for once, and a ring before the wait is not slept through", async () => {
  const memory = new SharedArrayBuffer(RING_MEMORY_BYTES);
  const out = new RingWriter(memory, 0);
  const from = new RingReader(memory, 0);
  const rung = from.listen(true, false);
  out.write(1, record(8, 1));
  out.ring();
  out.ring();
  await rung;
  from.listen(false, false);
  out.ring();
  const again = from.listen(true, false);
  let woken = false;
  void again?.then(() => {
    woken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(woken).toBe(false);
  from.wake();
  await again;
});
