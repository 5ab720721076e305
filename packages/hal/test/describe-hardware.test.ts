import { describe, expect, it } from "vitest";
import { createHardwareDetector, describeHardware, parseTarget, TARGET_FORMAT } from "../src/detect.ts";
import { probeWasmFeatures, WASM_FEATURES } from "../src/wasm-features.ts";
import { recordedMachine } from "./recorded-machine.ts";

describe("describeHardware", () => {
  it("prints a recorded machine", async () => {
    const machine = recordedMachine("docker-cgroup-v1", { architecture: "x86_64", parallelism: 16 });
    const profile = await createHardwareDetector(machine, () => probeWasmFeatures(null)).detect();
    const lines = describeHardware(profile);
    expect(lines.slice(0, 9)).toEqual([
      { label: "architecture", value: "x86_64", note: "virtual machine" },
      { label: "processor", value: "Intel(R) Xeon(R) Processor" },
      { label: "processors", value: "1", note: "1 physical cores" },
      { label: "usable processors", value: "1", note: "quota of 0.5 processors (cgroup-v1)" },
      { label: "memory", value: "62.5 GiB" },
      { label: "usable memory", value: "512 MiB", note: "limit of 512 MiB (cgroup-v1)" },
      { label: "page size", value: "4 KiB" },
      { label: "cache line", value: "64 B" },
      { label: "caches", value: "unknown" },
    ]);
    expect(lines.find((line) => line.label === "vector width")?.value).toBe("512 bits");
  });

  it("has a line for every WebAssembly feature, yes or no", async () => {
    const machine = recordedMachine("visionfive-2", { architecture: "riscv64" });
    const profile = await createHardwareDetector(machine).detect();
    const lines = describeHardware(profile).filter((line) => line.label.startsWith("wasm "));
    expect(lines.map((line) => line.label)).toEqual(Object.keys(WASM_FEATURES).map((name) => `wasm ${name}`));
    expect(lines.find((line) => line.label === "wasm simd128")?.value).toBe("yes");
  });

  it("prints what is not known as unknown (L1)", () => {
    const target = {
      format: TARGET_FORMAT,
      name: "bare",
      architecture: "xtensa",
      features: [],
      undetermined: ["simd"],
    };
    const lines = describeHardware(parseTarget(target).profile);
    const values = new Map(lines.map(({ label, value }) => [label, value]));
    for (const label of [
      "processor",
      "processors",
      "memory",
      "page size",
      "caches",
      "vector width",
      "wasm gc",
    ]) {
      expect(values.get(label), label).toBe("unknown");
    }
    expect(values.get("features")).toBe("none known");
    expect(lines.find((line) => line.label === "features")?.note).toBe("undetermined: simd");
  });
});
