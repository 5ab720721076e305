/** Rights and timers of agents that move, over seeds. A failure names its seed. Some here, thousands in the long tier. */
import { expect, it } from "vitest";
import { movingCellsViolation } from "./moving-cells-run.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const SEEDS = soak ? 2000 : 6;

it("G6, G9, G10: a moving agent's rights only shrink, each of its timers fires once and not early, and one that is paused stands still, under cuts and crashes", {
  timeout: soak ? 7_200_000 : 120_000,
}, async () => {
  const found: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const what = await movingCellsViolation(seed);
    // Virtual time runs on promises alone: the test process shows here that it goes on.
    await new Promise((done) => setImmediate(done));
    if (what !== undefined) found.push(`seed ${seed}: ${what}`);
  }
  console.log(`moving cells: ${SEEDS} seeds, ${found.length} failed`);
  expect(found).toEqual([]);
});
