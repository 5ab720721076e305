import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { payloadHash } from "../src/jobs/payload-hash.ts";
import { sha256 } from "../src/jobs/sha256.ts";
import { codeOf } from "./run.ts";

test("SHA-256 agrees with Node's on every length around the block boundary and on random bytes", () => {
  const check = (bytes: Uint8Array): void => {
    expect(sha256(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
  };
  for (let length = 0; length < 200; length++) check(new Uint8Array(length).fill(length));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), check));
});

test("the order of keys does not matter, everything else does", () => {
  const hash = (payload: unknown) => payloadHash("q", payload);
  expect(hash({ a: 1, b: { c: 2, d: undefined } })).toBe(hash({ b: { c: 2 }, a: 1 }));
  const different = [
    undefined,
    null,
    false,
    true,
    0,
    -0,
    1,
    Number.NaN,
    1n,
    "",
    "1",
    "1n",
    "null",
    "undefined",
    [],
    {},
    [[]],
    [1],
    ["1"],
    [1, 2],
    [[1], 2],
    [1, [2]],
    { a: 1 },
    { a: "1" },
    { a: { b: 1 } },
    { ab: 1 },
    { a: null },
    ["a", 1],
    "bytes 0",
    new Uint8Array(0),
    new Uint8Array(1),
    [0],
    "\ud800",
    "\ud801",
  ];
  expect(new Set(different.map(hash)).size).toBe(different.length);
  expect(payloadHash("other", 1)).not.toBe(hash(1));
});

test("P2: payloads of equal hash are equal data", () => {
  const plain = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      const canonical = (value: unknown): string =>
        JSON.stringify(value, (_, part: unknown) =>
          typeof part === "object" && part !== null && !Array.isArray(part)
            ? Object.fromEntries(Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)))
            : part,
        );
      expect(payloadHash("q", a) === payloadHash("q", structuredClone(a))).toBe(true);
      if (payloadHash("q", a) === payloadHash("q", b)) expect(canonical(a)).toBe(canonical(b));
    }),
  );
});

test("P1, P3: what is no plain data, too deep or too long is refused", () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const circle: unknown[] = [];
  circle.push(circle);
  for (const bad of [
    () => 1,
    Symbol("s"),
    new Date(0),
    new Map(),
    new (class Thing {})(),
    deep(70),
    circle,
    "x".repeat(1_048_577),
    new Uint8Array(1_048_577),
    Array(600_000).fill(1),
  ])
    expect(codeOf(() => payloadHash("q", bad))).toBe("kernel.bad-option");
  expect(codeOf(() => payloadHash("q", [deep(60), "x".repeat(1_000_000)]))).toBe("nothing was thrown");
});
