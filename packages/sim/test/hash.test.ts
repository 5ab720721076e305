import { digestOf, Fnv1a64 } from "@glia-os/sim";
import fc from "fast-check";
import { expect, test } from "vitest";

// Vectors of the reference code that draft-eastlake-fnv publishes.
test.each([
  ["", "cbf29ce484222325"],
  ["a", "af63dc4c8601ec8c"],
  ["b", "af63df4c8601f1a5"],
  ["foobar", "85944171f73967e8"],
])("FN1: FNV-1a of %j is %s", (text, expected) => {
  const hash = new Fnv1a64();
  for (let i = 0; i < text.length; i++) hash.byte(text.charCodeAt(i));
  expect(hash.hex()).toBe(expected);
});

test("FN1: the two-word arithmetic is the arithmetic of 64 bits", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const hash = new Fnv1a64();
      let expected = 0xcbf29ce484222325n;
      for (const byte of bytes) {
        hash.byte(byte);
        expected = BigInt.asUintN(64, (expected ^ BigInt(byte)) * 0x100000001b3n);
      }
      expect(hash.hex()).toBe(expected.toString(16).padStart(16, "0"));
    }),
  );
});

test("FN2: a text is its length and its units, high byte first", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const [whole, parts] = [new Fnv1a64(), new Fnv1a64()];
      whole.text(text);
      parts.number(text.length);
      for (let i = 0; i < text.length; i++) {
        parts.byte(text.charCodeAt(i) >> 8);
        parts.byte(text.charCodeAt(i));
      }
      expect(whole.hex()).toBe(parts.hex());
    }),
  );
});

test("FN2: texts that meet at another place are not the same input, and every NaN is one", () => {
  const of = (...texts: string[]): string => {
    const hash = new Fnv1a64();
    for (const text of texts) hash.text(text);
    return hash.hex();
  };
  expect(of("ab", "c")).not.toBe(of("a", "bc"));
  expect(of("a")).not.toBe(of("a", ""));
  const [quiet, other] = [new Fnv1a64(), new Fnv1a64()];
  quiet.number(Number.NaN);
  other.number(new Float64Array(new BigUint64Array([0xfff8000000000001n]).buffer)[0]!);
  expect(quiet.hex()).toBe(other.hex());
});

test("VD1: the digest is a function of the content, whatever the order of an object's keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const turned = Object.fromEntries(Object.entries(object).reverse());
      expect(digestOf(turned)).toBe(digestOf(object));
      expect(digestOf(structuredClone(object))).toBe(digestOf(object));
    }),
  );
});

test("VD1: different contents have different digests", () => {
  const values: unknown[] = [
    undefined,
    null,
    0,
    -0,
    "0",
    0n,
    false,
    "",
    [],
    {},
    [0],
    { 0: 0 },
    [[], []],
    [[[]]],
    new Map([[0, 1]]),
    new Set([0, 1]),
    new Uint8Array([0]),
    new Uint16Array([0]),
    new Uint16Array([1]),
    new ArrayBuffer(1),
    Symbol("x"),
    () => {},
    new (class A {})(),
    new Error("a"),
    new Error("b"),
    new TypeError("a"),
    Object.assign(new Error("a"), { code: "x" }),
  ];
  const digests = values.map(digestOf);
  expect(new Set(digests).size).toBe(values.length);
});

test("VD1: the wording of the language's own errors does not count", () => {
  expect(digestOf(new TypeError("x is not a function"))).toBe(
    digestOf(new TypeError("x.y is not a function")),
  );
});

test("VD3: endless, deep and huge values end, and no accessor is called", () => {
  const loop: unknown[] = [];
  loop.push(loop, loop);
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  let called = 0;
  const trap = {
    get x() {
      called++;
      return 1;
    },
  };
  for (const value of [loop, deep, new Array(1_000_000).fill({}), trap])
    expect(digestOf(value)).toHaveLength(16);
  expect(called).toBe(0);
});
