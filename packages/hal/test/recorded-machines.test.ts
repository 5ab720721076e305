import { describe, expect, it } from "vitest";
import {
  createHardwareDetector,
  type HardwareProfile,
  hasFeature,
  maxVectorWidthBits,
} from "../src/detect.ts";
import { probeWasmFeatures } from "../src/wasm-features.ts";
import { type Recording, recordedMachine } from "./recorded-machine.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** The profile of a recorded machine; the engine's features are not part of the recording. */
function profileOf(name: string, recording: Recording): Promise<HardwareProfile> {
  return createHardwareDetector(recordedMachine(name, recording), () => probeWasmFeatures(null)).detect();
}

describe("x86_64 machines", () => {
  it("a Sapphire Rapids virtual machine has AVX-512 and AMX, and says that it is virtual", async () => {
    const profile = await profileOf("xeon-microvm", { architecture: "x86_64" });
    expect(profile).toMatchObject({
      cpuModel: "Intel(R) Xeon(R) Processor",
      coreCount: 4,
      physicalCoreCount: 4,
      virtualised: true,
      pageBytes: 4096,
      cacheLineBytes: 64,
      l1DataBytes: 48 * KiB,
      l1InstructionBytes: 32 * KiB,
      l2Bytes: 2 * MiB,
      l3Bytes: 300 * MiB,
      undetermined: [],
    });
    for (const feature of ["avx512", "avx512-vnni", "amx-tile", "amx-int8", "amx-bf16", "fma"] as const) {
      expect(hasFeature(profile, feature), feature).toBe(true);
    }
    expect(hasFeature(profile, "neon")).toBe(false);
    expect(maxVectorWidthBits(profile)).toBe(512);
  });

  it("the limit of an ancestor group binds, in version 1 too", async () => {
    const profile = await profileOf("xeon-microvm", { architecture: "x86_64" });
    expect(profile.limits).toEqual({ source: "cgroup-v1", memoryBytes: 8192 * MiB });
    expect(profile.effectiveMemoryBytes).toBe(8192 * MiB);
  });

  it("a Zen 4 desktop has AVX-512 without AMX, and two threads per core", async () => {
    const profile = await profileOf("ryzen-desktop", { architecture: "x86_64" });
    expect(profile).toMatchObject({
      cpuModel: "AMD Ryzen 5 7600 6-Core Processor",
      coreCount: 12,
      physicalCoreCount: 6,
      virtualised: false,
      l1DataBytes: 32 * KiB,
      l2Bytes: MiB,
      l3Bytes: 32 * MiB,
      memoryBytes: 32_019_612 * KiB,
      limits: { source: "cgroup-v2" },
    });
    expect(hasFeature(profile, "avx512-bf16")).toBe(true);
    expect(hasFeature(profile, "amx-tile")).toBe(false);
    expect(profile.caches).toHaveLength(4);
  });

  it("where cores differ, the profile gives the smallest cache and lists every kind", async () => {
    const profile = await profileOf("intel-hybrid-laptop", { architecture: "x86_64" });
    expect(profile).toMatchObject({
      coreCount: 8,
      physicalCoreCount: 6,
      l1DataBytes: 32 * KiB,
      l2Bytes: 1280 * KiB,
    });
    expect(profile.caches.map(({ level, type, bytes }) => [level, type, bytes / KiB])).toEqual([
      [1, "data", 32],
      [1, "data", 48],
      [1, "instruction", 32],
      [1, "instruction", 64],
      [2, "unified", 1280],
      [2, "unified", 2048],
      [3, "unified", 12_288],
    ]);
    expect(hasFeature(profile, "npu")).toBe(true);
    expect(maxVectorWidthBits(profile)).toBe(256);
  });

  it("a container under version 1 gets its own limits, though it sees the host's path", async () => {
    const profile = await profileOf("docker-cgroup-v1", { architecture: "x86_64", parallelism: 16 });
    expect(profile.limits).toEqual({ source: "cgroup-v1", memoryBytes: 512 * MiB, cpus: 0.5 });
    expect(profile.effectiveCoreCount).toBe(1);
    expect(profile.effectiveMemoryBytes).toBe(512 * MiB);
  });
});

describe("ARM machines", () => {
  it("a Graviton 3 container has SVE of 256 bits, and limits of version 2", async () => {
    const profile = await profileOf("graviton3-container", {
      architecture: "aarch64",
      parallelism: 4,
      library: { cpu: async () => ({ brand: "Neoverse-V1", physicalCores: 4 }) },
    });
    expect(profile).toMatchObject({
      cpuModel: "Neoverse-V1",
      coreCount: 4,
      vectorBits: 256,
      effectiveCoreCount: 2,
      limits: { source: "cgroup-v2", memoryBytes: 2048 * MiB, memoryHighBytes: 1_932_735_283, cpus: 1.5 },
      l1DataBytes: 64 * KiB,
    });
    for (const feature of ["sve", "neon", "crypto", "i8mm", "bf16", "fp16", "dotprod"] as const) {
      expect(hasFeature(profile, feature), feature).toBe(true);
    }
    expect(hasFeature(profile, "sve2")).toBe(false);
    expect(maxVectorWidthBits(profile)).toBe(256);
    expect(profile.virtualised).toBeUndefined();
  });

  it("a Raspberry Pi 4 has NEON but no AES instructions", async () => {
    const profile = await profileOf("raspberry-pi-4", { architecture: "aarch64" });
    expect(hasFeature(profile, "neon")).toBe(true);
    expect(hasFeature(profile, "crypto")).toBe(false);
    expect(profile).toMatchObject({ coreCount: 4, l1InstructionBytes: 48 * KiB, l2Bytes: MiB });
    expect(profile).not.toHaveProperty("cpuModel");
    expect(profile).not.toHaveProperty("l3Bytes");
  });

  it("a 32-bit ARM board without cache folders leaves its caches unknown", async () => {
    const profile = await profileOf("raspberry-pi-2", { architecture: "arm", wordBytes: 4 });
    expect(profile).toMatchObject({
      cpuModel: "ARMv7 Processor rev 5 (v7l)",
      coreCount: 4,
      pageBytes: 4096,
      caches: [],
    });
    expect(profile).not.toHaveProperty("cacheLineBytes");
    expect(hasFeature(profile, "neon")).toBe(true);
    expect(hasFeature(profile, "fpu")).toBe(true);
  });

  it("an Apple M1 has 16 KiB pages, 128-byte lines and two kinds of core", async () => {
    const profile = await profileOf("apple-m1", { platform: "darwin", architecture: "aarch64" });
    expect(profile).toMatchObject({
      cpuModel: "Apple M1",
      coreCount: 8,
      pageBytes: 16_384,
      cacheLineBytes: 128,
      l1DataBytes: 64 * KiB,
      l2Bytes: 4 * MiB,
      memoryBytes: 16_384 * MiB,
      translated: false,
      virtualised: false,
      limits: { source: "none" },
    });
    expect(profile.caches).toHaveLength(6);
    expect(hasFeature(profile, "dotprod")).toBe(true);
    expect(hasFeature(profile, "i8mm")).toBe(false);
    expect(profile.undetermined).toEqual(["npu"]);
  });
});

describe("RISC-V machines", () => {
  it("a VisionFive 2 has no vectors and not all of Zba, Zbb, Zbs", async () => {
    const profile = await profileOf("visionfive-2", { architecture: "riscv64" });
    expect(profile.features).toEqual(["atomics", "fpu"]);
    expect(profile.cpuModel).toBe("sifive,u74-mc");
    expect(maxVectorWidthBits(profile)).toBe(0);
  });

  it("a SpacemiT K1 has vectors and bit manipulation, and no scalar cryptography", async () => {
    const profile = await profileOf("spacemit-k1", { architecture: "riscv64" });
    expect(profile.features).toEqual(["simd", "atomics", "fpu", "rvv", "rvb"]);
    expect(profile).toMatchObject({ coreCount: 8, cpuModel: "Spacemit(R) X60", l2Bytes: 512 * KiB });
    expect(maxVectorWidthBits(profile)).toBe(128);
  });

  it("the `v` of a T-Head C906 may be the draft, so vectors are undetermined and not claimed", async () => {
    const profile = await profileOf("allwinner-d1", { architecture: "riscv64" });
    expect(hasFeature(profile, "rvv")).toBeUndefined();
    expect(hasFeature(profile, "simd")).toBeUndefined();
    expect(hasFeature(profile, "atomics")).toBe(true);
    expect(maxVectorWidthBits(profile)).toBeUndefined();
  });
});

describe("systems that say little", () => {
  it("an Intel Mac reports caches by the plain names", async () => {
    const profile = await profileOf("macbook-intel", { platform: "darwin", architecture: "x86_64" });
    expect(profile).toMatchObject({
      coreCount: 8,
      physicalCoreCount: 4,
      l2Bytes: 256 * KiB,
      l3Bytes: 8 * MiB,
    });
    expect(profile.features).toEqual([
      "simd",
      "crypto",
      "atomics",
      "fpu",
      "avx",
      "avx2",
      "sse4.2",
      "fma",
      "aes-ni",
      "f16c",
      "bmi2",
    ]);
    expect(profile).not.toHaveProperty("translated");
  });

  it("on Windows features beyond the base of the architecture are undetermined", async () => {
    const profile = await profileOf("apple-m1", {
      platform: "win32",
      architecture: "x86_64",
      totalBytes: 8192 * MiB,
      library: { cpu: async () => ({ brand: "Core i7-10700", physicalCores: 8 }) },
    });
    expect(profile).toMatchObject({
      cpuModel: "Core i7-10700",
      physicalCoreCount: 8,
      memoryBytes: 8192 * MiB,
    });
    expect(profile.features).toEqual(["simd", "atomics", "fpu"]);
    expect(hasFeature(profile, "avx2")).toBeUndefined();
    expect(maxVectorWidthBits(profile)).toBeUndefined();
    for (const key of ["pageBytes", "cacheLineBytes", "l1DataBytes", "coreCount"])
      expect(profile).not.toHaveProperty(key);
  });

  it.each(["linux", "darwin", "win32", "freebsd"])(
    "a machine of %s that answers nothing has no made-up facts",
    async (platform) => {
      const { machineOf } = await import("./recorded-machine.ts");
      const silent = machineOf(new Map(), { platform, architecture: "unknown", parallelism: 1 });
      const profile = await createHardwareDetector(silent, () => probeWasmFeatures(null)).detect();
      const { wasm, ...rest } = profile;
      expect(rest).toEqual({
        architecture: "unknown",
        features: [],
        undetermined: ["simd", "npu", "crypto", "atomics", "fpu"],
        limits: { source: "none" },
        caches: [],
        effectiveCoreCount: 1,
      });
      expect(Object.values(wasm!)).not.toContain(true);
    },
  );
});
