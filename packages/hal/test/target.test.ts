import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BadTargetError,
  hasFeature,
  maxVectorWidthBits,
  parseTarget,
  parseTargetText,
  TARGET_FORMAT,
} from "../src/detect.ts";

const folder = join(import.meta.dirname, "..", "targets");
const least = { format: TARGET_FORMAT, name: "board", architecture: "arm-cortex-m", features: [] };

describe("the targets in this package", () => {
  it.each(readdirSync(folder))("%s is valid and named after its file", (file) => {
    const { description } = parseTargetText(readFileSync(join(folder, file), "utf8"));
    expect(`${description.name}.json`).toBe(file);
    expect(description.notes).toBeTruthy();
  });

  it("a Cortex-M4F has an FPU and no vectors; what its chip decides is unknown", () => {
    const { profile } = parseTargetText(readFileSync(join(folder, "cortex-m4f.json"), "utf8"));
    expect(profile.architecture).toBe("arm-cortex-m");
    expect(hasFeature(profile, "fpu")).toBe(true);
    expect(maxVectorWidthBits(profile)).toBe(0);
    for (const key of ["memoryBytes", "pageBytes", "coreCount", "cacheLineBytes", "wasm"])
      expect(profile).not.toHaveProperty(key);
  });

  it("an ESP32-C3 is RISC-V without atomics", () => {
    const { profile } = parseTargetText(readFileSync(join(folder, "esp32c3.json"), "utf8"));
    expect(profile).toMatchObject({
      architecture: "riscv32",
      coreCount: 1,
      memoryBytes: 400 * 1024,
      features: [],
    });
  });

  it("a Cortex-M55 has 128-bit vectors, and whether a neural unit sits beside it is undetermined", () => {
    const { profile } = parseTargetText(readFileSync(join(folder, "cortex-m55.json"), "utf8"));
    expect(maxVectorWidthBits(profile)).toBe(128);
    expect(hasFeature(profile, "npu")).toBeUndefined();
  });
});

describe("a description", () => {
  it("gives caches, line and engine features to the profile", () => {
    const caches = [
      { level: 1, type: "data", bytes: 16_384, lineBytes: 32 },
      { level: 1, type: "instruction", bytes: 8192 },
    ];
    const { profile } = parseTarget({ ...least, caches, wasm: ["bulkMemory"], undetermined: ["npu"] });
    expect(profile).toMatchObject({ l1DataBytes: 16_384, l1InstructionBytes: 8192, cacheLineBytes: 32 });
    expect(profile.wasm?.bulkMemory).toBe(true);
    expect(profile.wasm?.simd128).toBe(false);
  });

  it.each([
    ["the description", []],
    ["the description", "text"],
    ["the description", null],
    ["the description", { ...least, colour: "red" }],
    ["format", { ...least, format: "glia.target/2" }],
    ["name", { ...least, name: "Board" }],
    ["name", { ...least, name: "../x" }],
    ["architecture", { ...least, architecture: "z80" }],
    ["features", { ...least, features: undefined }],
    ["features", { ...least, features: ["avx3"] }],
    ["features", { ...least, features: ["toString"] }],
    ["features", { ...least, features: new Array(65).fill("fpu") }],
    ["undetermined", { ...least, features: ["fpu"], undetermined: ["fpu"] }],
    ["coreCount", { ...least, coreCount: 0 }],
    ["coreCount", { ...least, coreCount: 1.5 }],
    ["coreCount", { ...least, coreCount: 65_537 }],
    ["memoryBytes", { ...least, memoryBytes: "64K" }],
    ["pageBytes", { ...least, pageBytes: 5000 }],
    ["cpuModel", { ...least, cpuModel: "x".repeat(1025) }],
    ["caches", { ...least, caches: {} }],
    ["caches[0]", { ...least, caches: [7] }],
    ["caches[0]", { ...least, caches: [{ level: 1, type: "data", bytes: 1, colour: 2 }] }],
    ["caches[0].level", { ...least, caches: [{ type: "data", bytes: 1 }] }],
    ["caches[0].type", { ...least, caches: [{ level: 1, type: "magic", bytes: 1 }] }],
    ["caches[0].lineBytes", { ...least, caches: [{ level: 1, type: "data", bytes: 1, lineBytes: 33 }] }],
    ["wasm", { ...least, wasm: ["simd256"] }],
  ])("is refused by naming %s", (field, value) => {
    try {
      parseTarget(value);
      expect.unreachable("it was accepted");
    } catch (error) {
      expect(error).toBeInstanceOf(BadTargetError);
      expect((error as BadTargetError).details).toMatchObject({ field });
      expect((error as BadTargetError).changed).toContain("Nothing");
    }
  });

  it("a text that is too long or no JSON is refused", () => {
    expect(() => parseTargetText(" ".repeat(65_537))).toThrow(BadTargetError);
    expect(() => parseTargetText("{")).toThrow("is not JSON");
  });

  it("is accepted or refused with a typed error, whatever it is (D2)", () => {
    const key = fc.constantFrom(
      "name",
      "notes",
      "coreCount",
      "memoryBytes",
      "pageBytes",
      "caches",
      "features",
      "undetermined",
      "wasm",
      "__proto__",
    );
    fc.assert(
      fc.property(key, fc.jsonValue(), (name, value) => {
        try {
          const { profile } = parseTarget(JSON.parse(JSON.stringify({ ...least, [name]: value })));
          expect(profile.architecture).toBe("arm-cortex-m");
        } catch (error) {
          expect(error).toBeInstanceOf(BadTargetError);
        }
      }),
    );
  });
});
