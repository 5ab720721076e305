/** The files of durable cells on a disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAgentId } from "@glia-os/abi/ids";
import { afterEach, expect, test, vi } from "vitest";
import { CellFiles } from "../../src/domain/cell-files.ts";

const synced = vi.hoisted(() => ({ folders: 0 }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const open: typeof real.open = async (path, flags, mode) => {
    if (flags === "r") synced.folders += 1;
    return real.open(path, flags, mode);
  };
  return { ...real, open };
});

const folder = mkdtempSync(join(tmpdir(), "glia-cell-files-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("CF1: a manifest that stood beside a cell is gone for good: its folder is flushed, where there was one", async () => {
  const files = new CellFiles(join(folder, "cells"));
  const agent = parseAgentId("ab".repeat(16));
  await files.dropNext(agent);
  expect(synced.folders, "there is no folder").toBe(0);
  await files.put({ agent, meta: Uint8Array.of(1) });
  await files.putNext({ agent, meta: Uint8Array.of(2) });
  const before = synced.folders;
  await files.dropNext(agent);
  expect(synced.folders).toBe(before + 1);
  await files.dropNext(agent);
  expect(synced.folders, "nothing was there").toBe(before + 1);
  expect(await files.list()).toEqual([{ agent, meta: Uint8Array.of(1) }]);
});
