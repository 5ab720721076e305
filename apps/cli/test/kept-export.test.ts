/** KE1: a disk that takes only parts of what is written, and an export that ends early. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keepExport } from "../src/movement/kept-export.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-kept-export-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const bytes = new Uint8Array(1000).map((_, at) => at);
const node = { readExport: async (_: string, at: number) => bytes.slice(at, at + 300) };

/** From now on a write takes at most so many bytes. */
async function writeAtMost(most: number): Promise<void> {
  const probe = await open(folder, "r");
  const prototype = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const write = prototype.write as (...args: unknown[]) => unknown;
  vi.spyOn(prototype, "write").mockImplementation(function (this: FileHandle, ...args: unknown[]) {
    const [data, offset, length] = args as [Uint8Array, number | undefined, number | undefined];
    const from = offset ?? 0;
    return write.call(this, data, from, Math.min(length ?? data.length - from, most));
  } as never);
}

it("KE1: a write that takes a part of a piece is gone on with, so the file is whole", async () => {
  await writeAtMost(70);
  const path = join(folder, "a.agent");
  await keepExport(node, { id: "x", bytes: 1000 }, path);
  expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
  expect(readdirSync(folder)).toEqual(["a.agent"]);
});

it("KE1: an export that ends before the bytes it announced is no file, and leaves none", async () => {
  const kept = keepExport(node, { id: "x", bytes: 1001 }, join(folder, "a.agent"));
  expect(errorCodeOf(await kept.catch((error: unknown) => error))).toBe("cli.file-unwritable");
  expect(readdirSync(folder)).toEqual([]);
});
