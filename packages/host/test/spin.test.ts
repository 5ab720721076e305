import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CpuBudget, createThreadedEngine, type Threads } from "@glia-os/host";
import { expect, test } from "vitest";
import { SpinCredit } from "../src/engines/spin-credit.ts";

const module = new URL("./fixtures/kill-jobs.ts", import.meta.url);
const square = { id: "square", origin: "test", lineage: [], entry: "square", payload: 3 };

test("N1: who finds nothing looks at 1 in 65 chances in the end; who finds something looks again at once", () => {
  const credit = new SpinCredit(1);
  const looks: number[] = [];
  for (let chance = 0; chance < 1000; chance++) {
    if (!credit.allowed()) continue;
    looks.push(chance);
    credit.missed();
  }
  const gaps = looks.slice(1).map((chance, i) => chance - looks[i]!);
  expect(gaps.slice(0, 7)).toEqual([2, 3, 5, 9, 17, 33, 65]);
  expect(new Set(gaps.slice(6))).toEqual(new Set([65]));
  while (!credit.allowed());
  credit.found();
  for (let chance = 0; chance < 10; chance++) {
    expect(credit.allowed()).toBe(true);
    credit.found();
  }
});

test("N1: a longest look of 0 is none", () => {
  expect(new SpinCredit(0).allowed()).toBe(false);
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
