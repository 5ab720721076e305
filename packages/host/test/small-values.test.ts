import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decode, encode, FORM_CLONE, FORM_PACKED, writeValue } from "../src/engines/codec.ts";
import { PACKED_LIMIT, pack, unpack } from "../src/engines/small-values.ts";

const seed = Number(process.env["GLIA_SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}: repeat with GLIA_SEED=${seed}`);

const leaf = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, Number.NaN, 2 ** 31, -(2 ** 31), 127, 128, -128, -129),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 5 }),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.bigInt(),
  fc.date(),
);
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.sparseArray(tie("value"), { maxNumElements: 3, maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string({ maxLength: 12 }), fc.constant("__proto__")), tie("value"), {
      maxKeys: 6,
    }),
  ),
}));

test("V1: a value that is packed is read back as V8's serializer gives it, whatever lies around it", () => {
  let packed = 0;
  fc.assert(
    fc.property(anything, fc.nat(64), (value, from) => {
      const bytes = pack(value);
      if (bytes === undefined) return;
      packed++;
      const around = new Uint8Array(from + bytes.length + 3).fill(255);
      around.set(bytes, from);
      expect(unpack(around, from)).toStrictEqual(deserialize(serialize(value)));
    }),
    { seed, numRuns: 5000 },
  );
  expect(packed).toBeGreaterThan(1000);
});

test("every value goes through the codec as through V8's serializer", () => {
  fc.assert(
    fc.property(anything, (value) => {
      const coded = encode(value, "it");
      const bytes = new Uint8Array(coded.length + 9);
      writeValue(bytes, 9, coded);
      const { form, number, length } = coded;
      expect(decode({ form, number, length }, bytes, 9)).toStrictEqual(deserialize(serialize(value)));
    }),
    { seed, numRuns: 5000 },
  );
});

test("V1: what V8 would give otherwise is declined: cycles, one object twice, instances, holes, named parts of arrays", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const twice = {};
  const holed: unknown[] = [1];
  holed[2] = 3;
  const named = Object.assign([1], { name: 1 });
  const own = JSON.parse('{"__proto__":1}') as unknown;
  for (const value of [cycle, [twice, twice], new Map(), new (class Point {})(), holed, named, own, "ä", 1n])
    expect(pack(value)).toBeUndefined();
});

test("V2: the longest value that fits is packed, one byte more is declined", () => {
  const fits = "x".repeat(PACKED_LIMIT - 2 - 2);
  expect(pack([fits])?.length).toBe(PACKED_LIMIT);
  expect(pack([`${fits}x`])).toBeUndefined();
  expect(encode([fits], "it").form).toBe(FORM_PACKED);
  expect(encode([`${fits}x`], "it").form).toBe(FORM_CLONE);
});

test("V2: more than 32 objects, or 9 levels, are declined", () => {
  expect(pack(Array.from({ length: 31 }, () => []))).toBeDefined();
  expect(pack(Array.from({ length: 32 }, () => []))).toBeUndefined();
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
  expect(pack(nested(9))).toBeDefined();
  expect(pack(nested(10))).toBeUndefined();
});

test("a getter that encodes another value, or throws, does not spoil this one or the next", () => {
  const sly = {
    get inner() {
      return pack([7]) === undefined ? "declined" : "packed";
    },
  };
  expect(unpack(pack(sly)!, 0)).toEqual({ inner: "declined" });
  const broken = {
    get inner() {
      throw new RangeError("no");
    },
  };
  expect(() => encode(broken, "the payload")).toThrowError(
    expect.objectContaining({ code: "host.job-not-serialisable" }),
  );
  expect(unpack(pack({ a: [1, "b"] })!, 0)).toEqual({ a: [1, "b"] });
});
