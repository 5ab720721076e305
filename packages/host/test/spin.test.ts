import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CpuBudget, createThreadedEngine, type Threads } from "@glia-os/host";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SpinChoice } from "../src/engines/spin-choice.ts";

const seed = Number(process.env["GLIA_SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}: repeat with GLIA_SEED=${seed}`);

const module = new URL("./fixtures/kill-jobs.ts", import.meta.url);
const square = { id: "square", origin: "test", lineage: [], entry: "square", payload: 3 };

/** Which share of so many waits was spent looking, where waits take so long. */
function share(
  choice: SpinChoice,
  waits: number,
  ms: { readonly looking: number; readonly sleeping: number },
): number {
  let looked = 0;
  for (let wait = 0; wait < waits; wait++) {
    if (choice.looking) looked++;
    choice.waited(choice.looking ? ms.looking : ms.sleeping);
  }
  return looked / waits;
}

const waits = fc.double({ min: 0.0005, max: 0.15, noNaN: true });

test("N1, N2: whatever was best before, what is a fifth better now is chosen but for the trials", () => {
  fc.assert(
    fc.property(waits, waits, waits, waits, (before, beforeSleeping, looking, sleeping) => {
      fc.pre(looking < 0.75 * sleeping || looking > 0.85 * sleeping);
      const choice = new SpinChoice(0.02, () => undefined);
      share(choice, 5000, { looking: before, sleeping: beforeSleeping });
      const now = { looking, sleeping };
      share(choice, 40_000, now);
      const looked = share(choice, 83_840, now);
      if (looking < 0.8 * sleeping) expect(looked).toBeCloseTo(8192 / 8384, 2);
      else expect(looked).toBeCloseTo(192 / 8384, 2);
    }),
    { seed, numRuns: 40 },
  );
});

test("N1: what is two fifths better is chosen also where one wait in ten, of either kind, takes ten times as long", () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 9 })), (drawn) => {
      const choice = new SpinChoice(0.02, () => undefined);
      let looked = 0;
      for (let wait = 0; wait < 60_000; wait++) {
        if (choice.looking && wait >= 20_000) looked++;
        const slow = drawn.next().value === 0 ? 10 : 1;
        choice.waited((choice.looking ? 0.006 : 0.01) * slow);
      }
      expect(looked / 40_000).toBeGreaterThan(0.9);
    }),
    { seed, numRuns: 5 },
  );
});

test("N1: waits that are long either way are slept", () => {
  const choice = new SpinChoice(0.02, () => undefined);
  share(choice, 20_000, { looking: 100, sleeping: 100 });
  expect(share(choice, 83_840, { looking: 100, sleeping: 100 })).toBeCloseTo(192 / 8384, 2);
});

test("N2: every change is told, and a longest look of 0 is none", () => {
  const told: boolean[] = [];
  const choice = new SpinChoice(0.02, (looking) => told.push(looking));
  for (let wait = 0; wait < 3000; wait++) {
    expect(told.at(-1)).toBe(choice.looking);
    choice.waited(choice.looking ? 0.002 : 0.01);
  }
  expect(told.slice(0, 3)).toEqual([true, false, true]);
  const never = new SpinChoice(0, (looking) => told.push(looking));
  expect(share(never, 1000, { looking: 0, sleeping: 1 })).toBe(0);
  expect(told.at(-1)).toBe(false);
});

async function untilTimer(engine: Threads): Promise<number> {
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 0);
  let round = 0;
  for (; !fired; round++) expect(await engine.run(square)).toBe(9);
  return round;
}

test("L2: a caller that awaits job after job, each answered while this thread looks, does not keep timers from firing", async () => {
  const engine = createThreadedEngine({ module, workers: 2, spinUs: 1000 });
  await engine.run(square);
  for (let i = 0; i < 20; i++) expect(await untilTimer(engine)).toBeGreaterThan(0);
  await engine.close();
});

test("without looking at all every job is still heard of, one after another and many at once", async () => {
  const engine = createThreadedEngine({ module, workers: 2, spinUs: 0 });
  for (let i = 0; i < 200; i++) expect(await engine.run(square)).toBe(9);
  const many = await Promise.all(Array.from({ length: 2000 }, () => engine.run(square)));
  expect(many.every((result) => result === 9)).toBe(true);
  await engine.close();
});

test("W3: workers that look give way to those of another engine of the same budget", async () => {
  const budget = new CpuBudget(1);
  const [one, two] = [1, 2].map(() => createThreadedEngine({ module, workers: 2, budget, spinUs: 1000 }));
  const results = Array.from({ length: 500 }, async (_, i) => (i % 2 === 0 ? one! : two!).run(square));
  expect(await Promise.all(results)).toEqual(new Array<number>(500).fill(9));
  for (let i = 0; i < 100; i++) expect(await (i % 2 === 0 ? one! : two!).run(square)).toBe(9);
  await Promise.all([one!.close(), two!.close()]);
});

test("an engine without jobs uses no processor, and one that waits for a long job hardly any", async () => {
  const file = fileURLToPath(new URL("./fixtures/idle-engine.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@glia-os/source", file], {
    timeout: 50_000,
  });
  const { idle, waiting } = JSON.parse(stdout) as { idle: number; waiting: number };
  // Shares of one processor; a thread that never slept would show as 1.
  expect(idle).toBeLessThan(0.2);
  expect(waiting).toBeLessThan(0.3);
});
