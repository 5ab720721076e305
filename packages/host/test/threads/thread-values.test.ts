import fc from "fast-check";
import { expect, test } from "vitest";
import { DEPTH_MOST, ValueReader, ValueWriter } from "../../src/threads/thread-values.ts";

const ROOM = 4096;
const writer = new ValueWriter(ROOM);

function through(value: unknown): unknown {
  const bytes = writer.write(value);
  if (bytes === undefined) return "declined";
  const memory = new SharedArrayBuffer(bytes.length + 3);
  new Uint8Array(memory).set(bytes, 3);
  return new ValueReader(memory).read(3);
}

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, false, -0, 0, 2 ** 31, -(2 ** 31), Number.NaN, Infinity),
    fc.integer(),
    fc.double(),
    fc.string({ unit: "grapheme" }),
    fc.string({ minLength: 60, maxLength: 70 }),
    fc.uint8Array(),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.string({ unit: "grapheme" }), tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

test("TV1: plain values come back as structured clone gives them", () => {
  fc.assert(
    fc.property(plain.value, (value) => {
      const back = through(value);
      if (back === "declined") return;
      expect(back).toStrictEqual(structuredClone(value));
    }),
    { numRuns: 500 },
  );
});

test("TV1: what is no plain data is declined, wherever it is", () => {
  class Own {
    readonly n = 1;
  }
  const circle: unknown[] = [];
  circle.push(circle);
  const bad = [
    new Own(),
    new Map(),
    new Date(0),
    new Error("no"),
    10n,
    Symbol("s"),
    () => 1,
    "\ud800",
    new Float64Array(1),
    new Uint8Array(new SharedArrayBuffer(1)),
    JSON.parse('{"__proto__":{"polluted":1}}'),
    circle,
  ];
  for (const value of bad) {
    expect(through(value)).toBe("declined");
    expect(through({ deep: [value] })).toBe("declined");
  }
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("TV1: the deepest value that is taken is taken, one level more is declined", () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
  expect(through(nested(DEPTH_MOST))).toEqual(nested(DEPTH_MOST));
  expect(through(nested(DEPTH_MOST + 1))).toBe("declined");
});

test("TV2: bytes have memory of their own, and of a view only its own cross", () => {
  const source = new Uint8Array([1, 2, 3, 4]);
  const back = through({ bytes: source.subarray(1, 3) }) as { readonly bytes: Uint8Array };
  source.fill(9);
  expect(back.bytes).toEqual(new Uint8Array([2, 3]));
  expect(back.bytes.buffer.byteLength).toBe(2);
});

test("TV3: a value that does not fit is declined at every size around the limit, and what follows is written whole", () => {
  let taken = 0;
  for (let length = ROOM - 40; length <= ROOM + 2; length++) {
    const value = { a: 1, bytes: new Uint8Array(length).fill(7) };
    const back = through(value);
    if (back === "declined") continue;
    taken++;
    expect(back).toEqual(value);
  }
  expect(taken).toBeGreaterThan(0);
  for (let count = 0; count < ROOM; count += 61) {
    const list = Array.from({ length: count }, (_, i) => `text ${i}`);
    const back = through(list);
    if (back !== "declined") expect(back).toEqual(list);
  }
  expect(through("x".repeat(ROOM))).toBe("declined");
  expect(through({ ok: true })).toEqual({ ok: true });
});
