/** The failover protocol under crashes at every step, and under random faults over seeds. A failure names its seed or step. */
import { expect, it } from "vitest";
import { type Crash, ModelRun } from "./model-run.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const SEEDS = soak ? 3000 : 30;
const EVERY = soak ? 1 : 23;
const TIMEOUT = { timeout: soak ? 7_200_000 : 120_000 };

async function breathe(): Promise<void> {
  await new Promise((done) => setImmediate(done));
}

it(
  "FO1, FO2, FO3: owner, replica or anchor crash at each of the first calls of an agent's life",
  TIMEOUT,
  async () => {
    const plain = new ModelRun(1, "hold");
    expect(await plain.withCrash(undefined)).toBeUndefined();
    const found: string[] = [];
    let runs = 0;
    for (let atCall = 10; atCall < 330; atCall += EVERY)
      for (const who of ["owner", "replica", "anchor"] satisfies Crash["who"][]) {
        const what = await new ModelRun(1, "hold").withCrash({ who, atCall });
        if (what !== undefined) found.push(`${who} at call ${atCall}: ${what}`);
        runs++;
        await breathe();
      }
    console.log(`failover, a crash at a call: ${runs} runs, ${found.length} failed`);
    expect(found).toEqual([]);
  },
);

it(
  "FO1, FO2, FO3: under crashes, cuts, loss and lost answers, whether it waits without a replica or goes on",
  TIMEOUT,
  async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const what = await new ModelRun(seed, seed % 2 === 0 ? "continue" : "hold").underFaults(12);
      if (what !== undefined) found.push(`seed ${seed}: ${what}`);
      await breathe();
    }
    console.log(`failover under faults: ${SEEDS} seeds, ${found.length} failed`);
    expect(found).toEqual([]);
  },
);
