import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createLocalMachine } from "../src/detect.ts";

const root = mkdtempSync(join(tmpdir(), "glia-hal-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("the local machine", () => {
  it("reads below its root", async () => {
    mkdirSync(join(root, "proc"));
    writeFileSync(join(root, "proc", "cpuinfo"), "processor : 0\n");
    const machine = createLocalMachine({ root });
    expect(await machine.readText("/proc/cpuinfo")).toBe("processor : 0\n");
    expect(await machine.list("/proc")).toEqual(["cpuinfo"]);
  });

  it("what cannot be read is absent: no such file, a folder, no such command (M1)", async () => {
    const machine = createLocalMachine({ root });
    expect(await machine.readText("/none")).toBeUndefined();
    expect(await machine.readText("/proc")).toBeUndefined();
    expect(await machine.readBytes("/none")).toBeUndefined();
    expect(await machine.list("/none")).toEqual([]);
    expect(await machine.run(join(root, "none"), [])).toBeUndefined();
  });

  it("a file over 8 MiB is refused whole, one of 8 MiB is read (M2)", async () => {
    const limit = 8 * 1024 * 1024;
    writeFileSync(join(root, "large"), Buffer.alloc(limit + 1));
    writeFileSync(join(root, "fits"), Buffer.alloc(limit));
    const machine = createLocalMachine({ root });
    expect(await machine.readBytes("/large")).toBeUndefined();
    expect((await machine.readBytes("/fits"))?.length).toBe(limit);
  });

  it("a command's output counts whatever its exit status, unless it is over 1 MiB (M2)", async () => {
    const machine = createLocalMachine();
    const run = (program: string) => machine.run(process.execPath, ["-e", program]);
    expect(await run("process.stdout.write('some'); process.exitCode = 3")).toBe("some");
    expect(await run("process.stdout.write('x'.repeat(2 ** 20 + 1))")).toBeUndefined();
  });

  it("the library answers with the fields this package uses", async () => {
    const cpu = await (await createLocalMachine().library()).cpu();
    expect(typeof cpu.brand).toBe("string");
    expect(typeof cpu.physicalCores).toBe("number");
  });
});
