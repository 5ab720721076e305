import { it } from "vitest";
import { memoryHarness, sqliteHarness } from "./fixtures/harness.ts";
import { expectModelled } from "./fixtures/programs.ts";

const soak = process.env["GLIA_SOAK"] === "1";

it.each([
  ["memory", memoryHarness, soak ? 20_000 : 1_000],
  ["sqlite", sqliteHarness, soak ? 1_000 : 25],
] as const)(
  "%s answers every program of requests as the reference model does",
  async (_name, harnessOf, numRuns) => {
    await expectModelled(harnessOf, numRuns);
  },
);
