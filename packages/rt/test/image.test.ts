import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BadImageError, EmbeddedImage, type ImageDevice, imageImports } from "@glia-os/rt";
import { microcontrollerDevice, SimulatedMicrocontroller } from "@glia-os/rt/simulated";
import { afterAll, describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const golden = new URL("fixtures/station.trace", import.meta.url);
const hasInterpreter = spawnSync("wasm-interp", ["--version"]).status === 0;
if (!hasInterpreter)
  console.warn(
    "SKIPPED: wasm-interp is not installed (Debian: wabt); the image runs on one engine only here",
  );

const folder = mkdtempSync(join(tmpdir(), "glia-rt-"));
const file = join(folder, "image.wasm");
const build = new URL("../scripts/build-image.ts", import.meta.url).pathname;
execFileSync(process.execPath, ["--conditions=@glia-os/source", build, file]);
const limitsFile = join(folder, "limits.wasm");
execFileSync(process.execPath, [
  "--conditions=@glia-os/source",
  build,
  limitsFile,
  "test/fixtures/limits.ts",
]);
const bytes = readFileSync(file);
const module = new WebAssembly.Module(bytes);
afterAll(() => rmSync(folder, { recursive: true }));

/** A device that answers as an engine without one does: every wait passes, every sensor says 0. */
function silent(lines: string[], over: Partial<ImageDevice> = {}): ImageDevice {
  return {
    wait: (mode, ticks) => {
      lines.push(
        `wait ${["normal", "low-power", "ultra-low-power", "sleep", "standby"].indexOf(mode)} ${ticks}`,
      );
      return 0;
    },
    emit: (...values) => void lines.push(`emit ${values.join(" ")}`),
    sense: (channel) => {
      lines.push(`sense ${channel}`);
      return 0;
    },
    ...over,
  };
}

function instance(device: ImageDevice): WebAssembly.Exports {
  const imports = imageImports(device) as unknown as WebAssembly.Imports;
  return new WebAssembly.Instance(module, imports).exports;
}

/** The functions that are called, in this order, and whose results end the trace. */
const ASKED = ["boot", "run", "now", "turns", "blocks", "blocksPeak", "ramBytes"];

/** What an image does on Node: its calls, then what its functions say at the end. */
function traceOnNode(): string[] {
  const lines: string[] = [];
  const exports = instance(silent(lines)) as Record<string, () => number>;
  const results = ASKED.map((name) => `${name} = ${exports[name]?.()}`);
  return [...lines, ...results];
}

/** The same from the log of wasm-interp, which prints each call of an import, and each export it runs. */
function traceOfInterpreter(log: string): string[] {
  const signed = (text: string): number => Number(text) | 0;
  const calls: string[] = [];
  const results = new Map<string, number>();
  for (const line of log.split("\n")) {
    const call = /^called host glia\.rt\.(\w+)\((.*)\) =>/.exec(line);
    const result = /^(\w+)\(\) => i32:(\d+)$/.exec(line);
    if (call !== null)
      calls.push(
        [call[1], ...(call[2] as string).matchAll(/i32:(\d+)/g).map((m) => signed(m[1] as string))].join(" "),
      );
    else if (result !== null) results.set(result[1] as string, signed(result[2] as string));
  }
  return [...calls, ...ASKED.map((name) => `${name} = ${results.get(name)}`)];
}

describe("the embedded image", () => {
  it("does on Node what the golden trace says, call for call", () => {
    const trace = `${traceOnNode().join("\n")}\n`;
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, trace);
    expect(trace).toBe(readFileSync(golden, "utf8"));
  });

  it.skipIf(!hasInterpreter)(
    "does the same on an engine that shares no code with Node's (needs wasm-interp)",
    () => {
      const log = execFileSync("wasm-interp", [file, "--run-all-exports", "--dummy-import-func"], {
        encoding: "utf8",
      });
      expect(`${traceOfInterpreter(log).join("\n")}\n`).toBe(readFileSync(golden, "utf8"));
    },
  );

  it("is below 32 KiB with its memory, imports three functions, and has no memory to grow into", () => {
    expect(WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from}.${name}`)).toEqual([
      "glia.rt.emit",
      "glia.rt.wait",
      "glia.rt.sense",
    ]);
    const exports = instance(silent([]));
    const ram = new EmbeddedImage(exports).ramBytes;
    console.log(`image: ${bytes.length} bytes of code and data, ${ram} bytes of memory`);
    expect(bytes.length + ram).toBeLessThan(32 * 1024);
    const memory = exports["memory"] as WebAssembly.Memory;
    expect(memory.buffer.byteLength).toBe(65_536);
    expect(() => memory.grow(1)).toThrow();
    new EmbeddedImage(exports).boot();
    new EmbeddedImage(exports).run();
    expect(new Uint8Array(memory.buffer, ram).every((byte) => byte === 0)).toBe(true);
  });

  it("waits once until its next timer, in standby when only timers count and in sleep when an interrupt does", () => {
    const waits: string[] = [];
    const device = silent([], { wait: (mode, ticks) => waits.push(`${mode} ${ticks}`) * 0 });
    const image = new EmbeddedImage(instance(device));
    image.boot();
    image.run();
    // The button listens from the beginning to the end.
    expect(new Set(waits)).toEqual(new Set(["sleep 100"]));
    expect(waits.length).toBe(40);
  });

  it("answers an interrupt that ends a wait early, and keeps the time of its timers", () => {
    const reports: string[] = [];
    let image: EmbeddedImage | undefined;
    let waits = 0;
    const device = silent([], {
      wait: () => {
        if (++waits !== 10) return 0;
        expect(image?.interrupt(0, 5)).toBe(1);
        return 40;
      },
      emit: (_, kind, value) => void (kind >= 16 && reports.push(`${kind} ${value}`)),
      sense: () => 100,
    });
    image = new EmbeddedImage(instance(device));
    image.boot();
    expect(image.run()).toBe(0);
    expect(reports.slice(0, 4)).toEqual(["16 101", "16 105", "17 105", "16 109"]);
    expect(waits).toBe(41);
    expect(image.nowTicks).toBe(4000);
    expect(image.interrupt(0)).toBe(0);
  });

  it("starts again from the beginning in the same memory", () => {
    const first: string[] = [];
    const image = new EmbeddedImage(instance(silent(first)));
    image.boot();
    image.run();
    const once = first.splice(0);
    image.boot();
    image.run();
    expect(first).toEqual(once);
  });

  it("runs on a simulated microcontroller, whose battery pays for it; an empty battery ends it (MD1, MD3)", () => {
    const run = (capacityMilliampHours: number) => {
      const mcu = new SimulatedMicrocontroller({ fullMilliwatts: 100, battery: { capacityMilliampHours } });
      const reports: number[] = [];
      const emit: ImageDevice["emit"] = (_, kind, value) => void (kind === 16 && reports.push(value));
      const image = new EmbeddedImage(instance(microcontrollerDevice(mcu, { emit, sense: () => 20 })));
      image.boot();
      return { mcu, reports, code: codeOf(() => image.run()) };
    };
    const { mcu, reports, code } = run(10);
    expect([code, reports.length]).toEqual(["nothing thrown", 11]);
    expect(Math.abs(mcu.nowMicros - 4_000_000)).toBeLessThan(2000);
    const { byMode, wakingMillijoules } = mcu.energy();
    expect(byMode.normal).toBeCloseTo(40 * 0.05, 6);
    expect(byMode.sleep).toBeGreaterThan(19);
    expect(wakingMillijoules).toBeCloseTo(40 * 0.01, 6);
    expect(run(0.0005)).toMatchObject({ code: "rt.memory-lost" });
    expect(run(0.0005).reports.length).toBeLessThan(10);
  });

  it("refuses what is over a limit or wrong, with a code that says which, and nothing of it happens", () => {
    const imports = imageImports(silent([])) as unknown as WebAssembly.Imports;
    const limits = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(limitsFile)), imports)
      .exports;
    const of = (name: string): number => (limits[name] as () => number)();
    expect([of("tasksThatFit"), of("taskTooMany"), of("badPriority")]).toEqual([32, -1, -5]);
    expect([of("messagesThatFit"), of("messageTooMany"), of("toNobody")]).toEqual([16, -1, -2]);
    expect([of("blocksThatFit"), of("blockTooMany")]).toEqual([128, 0]);
    expect([of("freedTwice"), of("noBlock"), of("insideBlock"), of("overrun")]).toEqual([-3, -2, -2, -4]);
    expect([of("sleepBack"), of("badSource"), of("sleepOutside")]).toEqual([-5, -5, -5]);
    expect(of("highestFirst")).toBe(3210);
  });

  it.skipIf(!hasInterpreter)("refuses the same on the other engine (needs wasm-interp)", () => {
    const log = execFileSync("wasm-interp", [limitsFile, "--run-all-exports", "--dummy-import-func"], {
      encoding: "utf8",
    });
    const results = log.match(/(?<=^\w+\(\) => i32:)\d+$/gm)?.map((text) => Number(text) | 0);
    expect(results).toEqual([32, -1, -5, 16, -1, -2, 128, 0, -3, -2, -2, -4, -5, -5, -5, 3210]);
  });

  it("is refused when it is something else, or of another version (EI1, EI2)", () => {
    const none = () => 0;
    const shape = { version: none, boot: none, run: none, interrupt: none, now: none, ramBytes: none };
    expect(() => new EmbeddedImage({})).toThrow(BadImageError);
    expect(() => new EmbeddedImage(shape)).toThrow("its version is 0, not 1");
    const image = new EmbeddedImage({ ...shape, version: () => 1 });
    for (const bad of [-1, 32, 0.5]) expect(codeOf(() => image.interrupt(bad))).toBe("rt.bad-option");
    const { wait } = imageImports(silent([]))["glia.rt"];
    for (const [mode, ticks] of [
      [5, 1],
      [6, 1],
      [-1, 1],
      [0, -1],
    ] as const)
      expect(codeOf(() => wait(mode, ticks))).toBe("rt.bad-image");
    const lying = imageImports(silent([], { wait: () => 11 }))["glia.rt"];
    expect(codeOf(() => lying.wait(0, 10))).toBe("rt.bad-option");
  });
});
