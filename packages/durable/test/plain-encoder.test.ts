import { encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { expect, it } from "vitest";
import { encodePlain } from "../src/plain-encoder.ts";

function general(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

const key = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.constantFrom("a", "b", "ab", "__proto__", "constructor", "0", "10", "9"),
  fc.string({ unit: fc.constantFrom("x", "y"), minLength: 20, maxLength: 300 }),
);
const leaf = fc.oneof(
  fc.string({ maxLength: 400 }),
  fc.string({ unit: "binary", maxLength: 5 }),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    23,
    24,
    255,
    256,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
    -1,
    -25,
    -(2 ** 32),
    2 ** 53,
  ),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.uint8Array({ maxLength: 300 }),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 30 }),
    fc.dictionary(key, tie("value"), { maxKeys: 30, noNullPrototype: true }),
  ),
}));

it("PE1: what is encoded has the bytes of the general encoder", () => {
  let encoded = 0;
  fc.assert(
    fc.property(value, (each) => {
      const bytes = encodePlain(each);
      if (bytes === undefined) return;
      encoded += 1;
      expect(Buffer.compare(bytes, general(each))).toBe(0);
    }),
    { numRuns: 500 },
  );
  expect(encoded).toBeGreaterThan(100);
});

it("PE1: requests of calls are encoded here; other values are left to the general encoder", () => {
  const requests = [
    ["files", { operation: "read", path: "page-1", limitBytes: 16_777_216 }],
    ["api", { method: "GET", url: "https://example.com/", headers: { accept: "*/*" } }],
    ["files", { operation: "write", path: "a", content: new Uint8Array(40) }],
  ];
  for (const request of requests) expect(encodePlain(request)?.slice()).toEqual(general(request));
  class Point {
    x = 1;
  }
  const deep = Array.from({ length: 20 }).reduce((inner) => [inner], null);
  const left = [1.5, -0, "ä", "x".repeat(257), new Map(), new Point(), Object.create(null), deep];
  for (const other of [...left, new Uint8Array(70_000), () => 1, Symbol("s"), new Date(0), 10n])
    expect(encodePlain([other])).toBeUndefined();
});

it("PE2: a getter that encodes something itself changes no byte", () => {
  const tricky = {
    a: 1,
    get b() {
      expect(encodePlain(["inner"])).toBeUndefined();
      return "b";
    },
    c: "c",
  };
  expect(encodePlain(tricky)?.slice()).toEqual(general({ a: 1, b: "b", c: "c" }));
  const failing = {
    get a(): never {
      throw new RangeError("not now");
    },
  };
  expect(() => encodePlain(failing)).toThrow("not now");
  expect(encodePlain(1)?.slice()).toEqual(general(1));
});
