/** The failover protocol under crashes at every step, and under random faults over seeds. A failure names its seed or step. */
import { expect, it } from "vitest";
import { ModelRun, type Role } from "./model-run.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const SEEDS = soak ? 3000 : 27;
const EVERY = soak ? 1 : 31;
const TIMEOUT = { timeout: soak ? 7_200_000 : 120_000 };

async function breathe(): Promise<void> {
  await new Promise((done) => setImmediate(done));
}

/** What was found when these crash at once at each of the first calls of an agent's life. */
async function crashes(wanted: number, whos: readonly (readonly Role[])[], every: number): Promise<string[]> {
  expect(await new ModelRun(1, "hold", wanted).withCrash(undefined)).toBeUndefined();
  const found: string[] = [];
  let [runs, several] = [0, 0];
  for (let atCall = 10; atCall < 330 * wanted; atCall += every)
    for (const who of whos) {
      const run = new ModelRun(1, "hold", wanted);
      const what = await run.withCrash({ who, atCall });
      if (what !== undefined) found.push(`${who} at call ${atCall}: ${what}`);
      runs++;
      if (run.crashed > 1) several++;
      await breathe();
    }
  console.log(
    `failover of ${wanted} replicas: ${runs} runs, in ${several} several at once, ${found.length} failed`,
  );
  return found;
}

it(
  "FO1, FO2, FO3: owner, replica or anchor crash at each of the first calls of an agent's life",
  TIMEOUT,
  async () => {
    expect(await crashes(1, [["owner"], [0], ["anchor"]], EVERY)).toEqual([]);
  },
);

it(
  "FO1, FO2, FO3: any two of an owner and its two replicas crash at once, at each of the first calls",
  TIMEOUT,
  async () => {
    const pairs = [
      ["owner", 0],
      ["owner", 1],
      [0, 1],
    ] as const;
    expect(await crashes(2, pairs, EVERY * 3)).toEqual([]);
  },
);

it("FO1, FO2, FO3: any three of an owner and its three replicas crash at once", TIMEOUT, async () => {
  const threes = [
    ["owner", 0, 1],
    ["owner", 0, 2],
    ["owner", 1, 2],
    [0, 1, 2],
  ] as const;
  expect(await crashes(3, threes, EVERY * 8)).toEqual([]);
});

it(
  "FO1, FO2, FO3: under crashes, cuts, loss and lost answers, with 1 to 3 replicas, whether it waits without one or goes on",
  TIMEOUT,
  async () => {
    const found: string[] = [];
    let several = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = new ModelRun(seed, seed % 2 === 0 ? "continue" : "hold", 1 + (seed % 3));
      const what = await run.underFaults(12);
      if (what !== undefined) found.push(`seed ${seed}: ${what}`);
      if (run.crashed > 1) several++;
      await breathe();
    }
    console.log(
      `failover under faults: ${SEEDS} seeds, in ${several} several at once, ${found.length} failed`,
    );
    expect(found).toEqual([]);
  },
);
