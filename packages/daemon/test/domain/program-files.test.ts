/** Which bundles a folder of programs allows, and what asking costs. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ProgramFiles } from "../../src/domain/program-files.ts";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return { ...real, readFile: vi.fn(real.readFile) };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-programs-"));
  vi.mocked(readFile).mockClear();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bundle = (name: string): Buffer => Buffer.from(`export const program = { name: "${name}", run() {} };`);
const load = (files: ProgramFiles, bytes: Buffer): Promise<unknown> =>
  files.load(bytes, createHash("sha256").update(bytes).digest("hex"));

test("PF1: each file of the folder is read once, and again only when it was written", async () => {
  for (const name of ["a", "b"]) writeFileSync(join(folder, `${name}.mjs`), bundle(name));
  const files = new ProgramFiles({ folder });
  for (let at = 0; at < 5; at++) {
    expect(await load(files, bundle("a"))).toMatchObject({ name: "a" });
    expect(await load(files, bundle("c")).catch(errorCodeOf)).toBe("cells.programs-refused");
  }
  expect(readFile).toHaveBeenCalledTimes(2);
  writeFileSync(join(folder, "b.mjs"), bundle("c"));
  expect(await load(files, bundle("c"))).toMatchObject({ name: "c" });
  expect(await load(files, bundle("b")).catch(errorCodeOf)).toBe("cells.programs-refused");
  expect(readFile).toHaveBeenCalledTimes(3);
  rmSync(join(folder, "a.mjs"));
  expect(await load(files, bundle("a")).catch(errorCodeOf)).toBe("cells.programs-refused");
});
