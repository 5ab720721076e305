/** A shelf on a disk that takes only parts of what is written. */
import { mkdtempSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Timers } from "@glia-os/abi/ports";
import { expect, test, vi } from "vitest";
import { ExportShelf } from "../../src/movement/export-shelf.ts";

test("a write that takes a part of a piece is gone on with, so that the file has all of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "glia-shelf-"));
  try {
    const probe = await open(folder, "r");
    const prototype = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const write = prototype.write as (...args: unknown[]) => unknown;
    vi.spyOn(prototype, "write").mockImplementation(function (this: FileHandle, ...args: unknown[]) {
      const [data, offset, length] = args as [Uint8Array, number | undefined, number | undefined];
      const from = offset ?? 0;
      return write.call(this, data, from, Math.min(length ?? data.length - from, 7));
    } as never);
    const shelf = new ExportShelf(folder, { schedule: () => ({ cancel: () => {} }) } as unknown as Timers);
    await shelf.open("x", () => {});
    const bytes = new Uint8Array(100).map((_, at) => at);
    await shelf.append("x", bytes);
    await shelf.append("x", bytes);
    expect(await shelf.size("x")).toBe(200);
    expect((await shelf.read("x", 0)).slice(100)).toEqual(bytes);
    await shelf.remove("x");
  } finally {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  }
});
