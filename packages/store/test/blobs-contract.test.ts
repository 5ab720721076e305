import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Blobs } from "@glia-os/abi/ports";
import { describe, it } from "vitest";
import { openFileBlobs } from "../src/blobs/file/file-blobs.ts";
import { createMemoryBlobs } from "../src/blobs/memory.ts";
import { type BlobsHarness, blobsContract } from "../src/blobs/testing.ts";
import { temporaryFolder } from "./fixtures/harness.ts";

interface DisposableHarness extends BlobsHarness {
  dispose(): Promise<void>;
}

function memoryHarness(): DisposableHarness {
  return { open: async (limits = {}) => createMemoryBlobs({ limits }), dispose: async () => {} };
}

function fileHarness(): DisposableHarness {
  const folder = temporaryFolder();
  const opened: Blobs[] = [];
  return {
    async open(limits = {}) {
      const blobs = await openFileBlobs({ folder: join(folder, `${opened.length}`), limits });
      opened.push(blobs);
      return blobs;
    },
    async dispose() {
      await Promise.all(opened.map((blobs) => blobs.close()));
      rmSync(folder, { recursive: true });
    },
  };
}

describe.each([
  ["memory", memoryHarness],
  ["files", fileHarness],
] as const)("the blobs contract on %s", (_name, harnessOf) => {
  it.each(blobsContract.map(({ title, run }) => [title, run] as const))("%s", async (_title, run) => {
    const harness = harnessOf();
    try {
      await run(harness);
    } finally {
      await harness.dispose();
    }
  });
});
