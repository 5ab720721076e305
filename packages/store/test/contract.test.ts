import { describe, it } from "vitest";
import { coordinationContract } from "../src/testing.ts";
import { memoryHarness, sqliteHarness } from "./fixtures/harness.ts";

describe.each([
  ["memory", memoryHarness],
  ["sqlite", sqliteHarness],
] as const)("the coordination contract on %s", (_name, harnessOf) => {
  it.each(coordinationContract.map(({ title, run }) => [title, run] as const))("%s", async (_title, run) => {
    const harness = harnessOf();
    try {
      await run(harness);
    } finally {
      await harness.dispose();
    }
  });
});
