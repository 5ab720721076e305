import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAuxvPageBytes } from "../src/parse/auxv.ts";
import { parseCacheFolder } from "../src/parse/cache-folder.ts";
import { countCpuList } from "../src/parse/cpu-list.ts";
import { parseCpuinfo } from "../src/parse/cpuinfo.ts";
import { parseInteger, parseSize } from "../src/parse/integer.ts";
import { parseMeminfo } from "../src/parse/meminfo.ts";
import { parseRiscvIsa } from "../src/parse/riscv-isa.ts";
import { parseSysctl, sysctlCaches, sysctlFlags } from "../src/parse/sysctl.ts";

describe("numbers", () => {
  it.each([
    ["0", 0],
    [" 42\n", 42],
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740993", undefined],
    ["9223372036854771712", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["0x10", undefined],
    ["max", undefined],
    ["", undefined],
  ])("the integer of %j is %j", (text, value) => expect(parseInteger(text)).toBe(value));

  it.each([
    ["32K", 32_768],
    ["12288K", 12_582_912],
    ["1M", 1_048_576],
    ["64", 64],
    ["24690432 kB", 24_690_432 * 1024],
    ["999999999999999G", undefined],
    ["K", undefined],
    ["32 apples", undefined],
  ])("the size of %j is %j bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each([
    ["0-3", 4],
    ["0,6", 2],
    ["0-3,8,10-11\n", 7],
    ["0-3,2-5", 6],
    ["", 0],
    ["3-0", undefined],
    ["0-", undefined],
    ["0-99999999999", undefined],
    ["a", undefined],
  ])("the list %j names %j processors", (text, count) => expect(countCpuList(text)).toBe(count));
});

describe("parseCpuinfo", () => {
  it("keeps only the flags that every processor has (I1)", () => {
    const text = "processor : 0\nflags : fpu sse2 avx512f\n\nprocessor : 1\nflags : fpu sse2\n";
    expect([...parseCpuinfo(text).flags!]).toEqual(["fpu", "sse2"]);
  });

  it("has no flags when one processor lists none (I1)", () => {
    expect(parseCpuinfo("processor : 0\nflags : fpu\n\nprocessor : 1\n")).not.toHaveProperty("flags");
  });

  it("reads old ARM kernels, which list the features once for all processors", () => {
    const text =
      "Processor\t: ARMv7 rev 4 (v7l)\nFeatures\t: swp half neon vfpv3\n\nprocessor\t: 0\n\nprocessor\t: 1\n";
    const cpuinfo = parseCpuinfo(text);
    expect(cpuinfo.processors).toBe(2);
    expect(cpuinfo.flags?.has("neon")).toBe(true);
  });

  it("a text without processors yields nothing (I2)", () => {
    expect(parseCpuinfo("vendor_id : IBM/S390\nfeatures : esan3 zarch\n")).toEqual({ processors: 0 });
    expect(parseCpuinfo("")).toEqual({ processors: 0 });
  });

  it("does not count cores when a processor names none", () => {
    const text = "processor : 0\nphysical id : 0\ncore id : 0\n\nprocessor : 1\nphysical id : 0\n";
    expect(parseCpuinfo(text)).not.toHaveProperty("physicalCores");
  });
});

describe("parseRiscvIsa", () => {
  it.each([
    ["rv64imafdc", 64, ["i", "m", "a", "f", "d", "c"]],
    ["rv32imc", 32, ["i", "m", "c"]],
    ["rv64gc", 64, ["g", "i", "m", "a", "f", "d", "zicsr", "zifencei", "c"]],
    ["RV64I2p1M2p0_Zba1p0", 64, ["i", "m", "zba"]],
    ["rv64imafdcvsu", 64, ["i", "m", "a", "f", "d", "c", "v", "s", "u"]],
    ["rv64izk", 64, ["i", "zk", "zkn", "zbkb", "zbkc", "zbkx", "zkne", "zknd", "zknh", "zkr", "zkt"]],
    ["rv64i_b", 64, ["i", "b", "zba", "zbb", "zbs"]],
  ])("%s has %i bits and its extensions", (isa, bits, extensions) => {
    const parsed = parseRiscvIsa(isa);
    expect(parsed?.bits).toBe(bits);
    expect([...parsed!.extensions]).toEqual(extensions);
  });

  it.each(["", "rv", "rv64", "rv16i", "x86_64", "rv64i zba"])("%j is no ISA string", (text) => {
    expect(parseRiscvIsa(text)).toBeUndefined();
  });
});

describe("parseCacheFolder", () => {
  it("reads a full folder", () => {
    const folder = {
      level: "1\n",
      type: "Data\n",
      size: "48K\n",
      coherency_line_size: "64\n",
      ways_of_associativity: "12\n",
      shared_cpu_list: "0,24\n",
    };
    expect(parseCacheFolder(folder)).toEqual({
      level: 1,
      type: "data",
      bytes: 49_152,
      lineBytes: 64,
      ways: 12,
      sharedBy: 2,
    });
  });

  it.each([
    {},
    { level: "1", type: "Data" },
    { level: "1", type: "Magic", size: "1K" },
    { level: "0", type: "Data", size: "1K" },
  ])("%j is no cache: nothing is filled in", (folder) => expect(parseCacheFolder(folder)).toBeUndefined());
});

describe("parseAuxvPageBytes", () => {
  const vector = (...words: bigint[]) => new Uint8Array(BigUint64Array.from(words).buffer);

  it("finds the page size, in 64 and in 32 bits", () => {
    expect(parseAuxvPageBytes(vector(16n, 7n, 6n, 65_536n, 0n, 0n), 8, true)).toBe(65_536);
    expect(parseAuxvPageBytes(new Uint8Array(Uint32Array.of(6, 4096, 0, 0).buffer), 4, true)).toBe(4096);
  });

  it.each([0n, 1n, 4095n, 5000n, 2n ** 40n])("a page of %i bytes is not believed", (bytes) => {
    expect(parseAuxvPageBytes(vector(6n, bytes, 0n, 0n), 8, true)).toBeUndefined();
  });

  it("what follows the end of the vector is not read", () => {
    expect(parseAuxvPageBytes(vector(0n, 0n, 6n, 4096n), 8, true)).toBeUndefined();
  });
});

describe("parseMeminfo", () => {
  it("leaves out what is missing, zero or malformed", () => {
    expect(parseMeminfo("MemTotal: 16 kB\nMemAvailable: 8 kB\n")).toEqual({
      totalBytes: 16_384,
      availableBytes: 8192,
    });
    expect(parseMeminfo("MemTotal: 0 kB\nMemAvailable: lots\n")).toEqual({});
    expect(parseMeminfo("XMemTotal: 16 kB\nMemTotal: 16 pages\n")).toEqual({});
  });
});

describe("garbage", () => {
  /**
   * Lines with the keys the parsers look for and arbitrary values: more of it gets past the first check than
   * of plain text.
   */
  const keys = [
    "processor",
    "flags",
    "Features",
    "isa",
    "core id",
    "physical id",
    "MemTotal",
    "hw.l1dcachesize",
    "hw.nperflevels",
  ];
  const line = fc
    .tuple(fc.constantFrom(...keys), fc.constantFrom(":", ": ", "\t: "), fc.string())
    .map((parts) => parts.join(""));
  const garbage = fc.oneof(
    fc.string({ unit: "binary", maxLength: 2000 }),
    fc.array(line).map((lines) => lines.join("\n")),
  );

  it("no parser throws, and none invents a fact", () => {
    fc.assert(
      fc.property(garbage, (text) => {
        const cpuinfo = parseCpuinfo(text);
        expect(cpuinfo.processors).toBeLessThanOrEqual(text.split("\n").length);
        for (const flag of cpuinfo.flags ?? []) expect(flag).not.toBe("");
        for (const bytes of Object.values(parseMeminfo(text))) expect(Number.isSafeInteger(bytes)).toBe(true);
        const values = parseSysctl(text);
        for (const cache of sysctlCaches(values)) expect(cache.bytes).toBeGreaterThan(0);
        sysctlFlags(values);
        parseRiscvIsa(text);
        const count = countCpuList(text);
        expect(count === undefined || count <= 65_536).toBe(true);
        const folder = { level: text, type: text, size: text, coherency_line_size: text };
        expect(parseCacheFolder(folder)).toBeUndefined();
      }),
    );
  });

  it("no bytes make the auxiliary vector parser throw or give anything but a page size", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom(4 as const, 8 as const),
        fc.boolean(),
        (bytes, word, little) => {
          const page = parseAuxvPageBytes(bytes, word, little);
          expect(page === undefined || (page >= 4096 && Math.log2(page) % 1 === 0)).toBe(true);
        },
      ),
    );
  });
});
