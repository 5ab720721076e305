/** Fence stores: swaps by epoch, on disk and in memory, and what is left after `kill -9`. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { FenceRow } from "@glia-os/abi/ports";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteFences } from "../src/fences/sqlite-fences.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fences-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const row = (epoch: number, expiresMs = 10 * epoch): FenceRow => ({ epoch, holder: "me", expiresMs });

describe("fences on SQLite", () => {
  it("FS1: writes only over the epoch that is expected, and reads what was written", () => {
    const fences = openSqliteFences({ path: join(folder, "f.db") });
    expect(fences.read("r")).toBeUndefined();
    expect(fences.swap("r", 1, row(2))).toBe(false);
    expect(fences.swap("r", 0, row(1))).toBe(true);
    expect(fences.swap("r", 0, row(1))).toBe(false);
    expect(fences.swap("r", 1, row(1, 77))).toBe(true);
    expect(fences.swap("r", 1, row(2))).toBe(true);
    expect(fences.swap("r", 1, row(2))).toBe(false);
    expect(fences.read("r")).toEqual(row(2));
    expect(fences.read("other")).toBeUndefined();
    fences.close();
    fences.close();
  });

  it("FS2: keeps rows when it is opened again, and one process has the file", () => {
    const path = join(folder, "f.db");
    const first = openSqliteFences({ path });
    first.swap("r", 0, row(1));
    let code: string | undefined;
    try {
      openSqliteFences({ path });
    } catch (error) {
      code = errorCodeOf(error);
    }
    expect(code).toBe("store.in-use");
    first.close();
    const again = openSqliteFences({ path });
    expect(again.read("r")).toEqual(row(1));
    again.close();
  });

  it("SF1: an epoch that was told is there after kill -9", async () => {
    const path = join(folder, "f.db");
    const program = join(folder, "grant.mjs");
    const source = new URL("../src/fences/sqlite-fences.ts", import.meta.url).href;
    writeFileSync(
      program,
      `import { openSqliteFences } from ${JSON.stringify(source)};
       const fences = openSqliteFences({ path: ${JSON.stringify(path)} });
       for (let epoch = 1; fences.swap("r", epoch - 1, { epoch, holder: "me", expiresMs: epoch }); epoch++)
         console.log(epoch);`,
    );
    const child = spawn(process.execPath, ["--conditions=@glia-os/source", "--no-warnings", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      told = Number(line);
      if (told === 40) child.kill("SIGKILL");
    }
    expect(told).toBeGreaterThanOrEqual(40);
    const fences = openSqliteFences({ path });
    expect(fences.read("r")?.epoch).toBeGreaterThanOrEqual(told);
    fences.close();
  });

  it("refuses names, epochs and times that are none, and files that are not its own", () => {
    const fences = openSqliteFences({ path: join(folder, "f.db") });
    const codes: (string | undefined)[] = [];
    for (const run of [
      () => fences.read(""),
      () => fences.read("r".repeat(257)),
      () => fences.swap("r", -1, row(1)),
      () => fences.swap("r", 1.5, row(1)),
      () => fences.swap("r", 0, row(2)),
      () => fences.swap("r", 3, row(2)),
      () => fences.swap("r", 0, { ...row(1), holder: "" }),
      () => fences.swap("r", 0, { ...row(1), expiresMs: Number.NaN }),
      () => openSqliteFences({ path: ":memory:" }),
    ])
      try {
        run();
        codes.push(undefined);
      } catch (error) {
        codes.push(errorCodeOf(error));
      }
    expect(codes).toEqual(Array(9).fill("abi.malformed"));
    fences.close();
    writeFileSync(join(folder, "text.db"), "this is no database, but a text that is long enough");
    expect(() => openSqliteFences({ path: join(folder, "text.db") })).toThrow(/database/);
  });
});
