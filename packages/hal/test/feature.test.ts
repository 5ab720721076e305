import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeFeatures,
  encodeFeatures,
  FEATURE_BITS,
  FEATURES,
  hasFeature,
  isFeature,
  maxVectorWidthBits,
} from "../src/detect.ts";

describe("feature bits", () => {
  it("bits 0 to 17 are the seeds' and never move (F1)", () => {
    expect(FEATURES.slice(0, 18).map((feature) => [feature, FEATURE_BITS[feature]])).toEqual(
      [
        "simd",
        "sve",
        "sve2",
        "sme",
        "npu",
        "crypto",
        "atomics",
        "fpu",
        "neon",
        "avx",
        "avx2",
        "avx512",
        "sse4.2",
        "fma",
        "aes-ni",
        "rvv",
        "rvb",
        "rvk",
      ].map((name, bit) => [name, bit]),
    );
  });

  it("bits 18 to 33 keep the numbers they were published with (F1)", () => {
    expect(FEATURES.slice(18).map((feature) => [feature, FEATURE_BITS[feature]])).toEqual(
      [
        "avx512-vnni",
        "avx-vnni",
        "amx-tile",
        "amx-int8",
        "amx-bf16",
        "sha-ni",
        "f16c",
        "bmi2",
        "dotprod",
        "i8mm",
        "bf16",
        "fp16",
        "sme2",
        "helium",
        "avx512-bf16",
        "avx512-fp16",
      ].map((name, index) => [name, index + 18]),
    );
  });

  it("decoding what was encoded gives the same set, whatever the order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...FEATURES)), (features) => {
        expect(new Set(decodeFeatures(encodeFeatures(features)))).toEqual(new Set(features));
      }),
    );
  });

  it("bits of a newer build are left out, and a negative number has no features", () => {
    expect(decodeFeatures((1n << 200n) | 1n)).toEqual(["simd"]);
    expect(decodeFeatures(-1n)).toEqual([]);
  });

  it("names of object properties are no features", () => {
    expect(isFeature("toString")).toBe(false);
    expect(isFeature("avx2")).toBe(true);
  });
});

describe("what is known of a feature", () => {
  const known = { features: ["avx"], undetermined: ["npu"] } as const;

  it("is yes, no or undetermined (F2)", () => {
    expect(hasFeature(known, "avx")).toBe(true);
    expect(hasFeature(known, "avx2")).toBe(false);
    expect(hasFeature(known, "npu")).toBeUndefined();
  });

  it.each([
    [["avx512", "avx2"], [], undefined, 512],
    [["avx2"], [], undefined, 256],
    [["avx"], [], undefined, 256],
    [["neon", "simd"], [], undefined, 128],
    [["sve2", "sve", "neon"], [], 512, 512],
    [["sve"], [], undefined, 128],
    [["rvv"], [], undefined, 128],
    [["fpu"], [], undefined, 0],
    [["simd"], ["avx2"], undefined, undefined],
    [["avx512"], ["avx2"], undefined, 512],
    [[], ["npu"], undefined, 0],
  ] as const)(
    "features %j with %j undetermined and %j measured bits give a width of %j",
    (features, undetermined, bits, width) => {
      const vectorBits = bits === undefined ? {} : { vectorBits: bits };
      expect(maxVectorWidthBits({ features, undetermined, ...vectorBits })).toBe(width);
    },
  );
});
