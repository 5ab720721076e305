import { cpus, totalmem } from "node:os";
import { describe, expect, it } from "vitest";
import {
  createHardwareDetector,
  detectArchitecture,
  detectHardware,
  type HardwareProfile,
  invalidateHardware,
  type Machine,
} from "../src/detect.ts";
import { probeWasmFeatures } from "../src/wasm-features.ts";
import { machineOf, recordingNamed } from "./recorded-machine.ts";

const noWasm = () => probeWasmFeatures(null);

/** A machine whose memory the test changes. */
function changingMachine(): { machine: Machine; files: Map<string, string> } {
  const files = recordingNamed("ryzen-desktop");
  return { machine: machineOf(files, { architecture: "x86_64" }), files };
}

describe("a detector", () => {
  it("reads the machine once, and anew after invalidate", async () => {
    const { machine, files } = changingMachine();
    const detector = createHardwareDetector(machine, noWasm);
    const first = await detector.detect();
    files.set("/proc/meminfo", "MemTotal:       1024 kB\n");
    expect(await detector.detect()).toBe(first);
    detector.invalidate();
    const second = await detector.detect();
    expect(second).not.toBe(first);
    expect(second.memoryBytes).toBe(1024 * 1024);
    expect(first.memoryBytes).toBe(32_019_612 * 1024);
  });

  it("a reading under way when invalidate is called is not what the next caller gets", async () => {
    const { machine, files } = changingMachine();
    const detector = createHardwareDetector(machine, noWasm);
    const underWay = detector.detect();
    detector.invalidate();
    files.set("/proc/meminfo", "MemTotal:       2048 kB\n");
    expect((await detector.detect()).memoryBytes).toBe(2048 * 1024);
    expect(await detector.detect()).not.toBe(await underWay);
  });

  it("gives a profile that nobody can change and that survives JSON", async () => {
    const profile = await createHardwareDetector(changingMachine().machine, noWasm).detect();
    const frozen = [
      profile,
      profile.features,
      profile.undetermined,
      profile.caches,
      profile.limits,
      profile.wasm,
    ];
    for (const part of [...frozen, ...profile.caches]) expect(Object.isFrozen(part)).toBe(true);
    expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
  });

  it("invalidateHardware makes detectHardware read anew", async () => {
    const first = await detectHardware();
    expect(await detectHardware()).toBe(first);
    invalidateHardware();
    const second = await detectHardware();
    expect(second).not.toBe(first);
    expect({ ...second, limits: undefined }).toEqual({ ...first, limits: undefined });
  });
});

describe("the machine the test runs on", () => {
  it("has the facts the runtime can confirm", async () => {
    const profile: HardwareProfile = await detectHardware();
    expect(profile.architecture).toBe(detectArchitecture());
    expect(profile.architecture).not.toBe("unknown");
    expect(profile.coreCount).toBeGreaterThanOrEqual(cpus().length);
    expect(profile.memoryBytes).toBe(totalmem());
    expect(profile.effectiveCoreCount).toBeGreaterThanOrEqual(1);
    expect(profile.effectiveMemoryBytes).toBeLessThanOrEqual(profile.memoryBytes!);
    expect(profile.wasm?.simd128).toBe(true);
  });

  it.runIf(process.platform === "linux")("needs Linux: has the page size that getconf reports", async () => {
    const { execFileSync } = await import("node:child_process");
    const reported = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));
    expect((await detectHardware()).pageBytes).toBe(reported);
  });
});

describe("detectArchitecture", () => {
  it.each([
    ["x64", "x86_64"],
    ["ia32", "x86"],
    ["arm64", "aarch64"],
    ["arm", "arm"],
    ["riscv64", "riscv64"],
    ["loong64", "loongarch64"],
    ["s390x", "s390x"],
    ["sparc", "unknown"],
    ["constructor", "unknown"],
    ["", "unknown"],
  ])("calls Node's %j %s", (nodeName, architecture) => {
    expect(detectArchitecture(nodeName)).toBe(architecture);
  });

  it("tells the two kinds of POWER apart by their byte order", () => {
    expect(detectArchitecture("ppc64", "LE")).toBe("ppc64le");
    expect(detectArchitecture("ppc64", "BE")).toBe("ppc64");
  });
});
