import { createThreadedEngine, type HandedOn } from "@glia-os/host";
import { expect, test } from "vitest";
import { BLOCK_BYTES, JOB_BLOCKS, WORKER_BLOCKS } from "../src/engines/job-memory.ts";

const module = new URL("./fixtures/kill-jobs.ts", import.meta.url);
const job = (entry: string, payload: unknown) => ({
  id: entry,
  origin: "test",
  lineage: [],
  entry,
  payload,
});

test("jobs and results of every size come back as they went, more at once than there are blocks, again and again", async () => {
  const engine = createThreadedEngine({ module, workers: 2 });
  const sizes = [400, 500, 520, 5000, BLOCK_BYTES - 100, BLOCK_BYTES, BLOCK_BYTES + 1, 200_000];
  const payloads = sizes.flatMap((size) => [
    "a".repeat(size),
    "ä".repeat(size),
    `${"x".repeat(size)}\ud800`,
    new Uint8Array(size).fill(size & 255),
    { text: "é".repeat(size), list: [size] },
  ]);
  for (let round = 0; round < 3; round++) {
    const all = Array.from({ length: JOB_BLOCKS + 200 }, (_, i) => payloads[i % payloads.length]);
    expect(await Promise.all(all.map((payload) => engine.run(job("echo", payload))))).toEqual(all);
  }
  await engine.close();
});

test("a worker hands on as many jobs that do not fit slots as it has blocks, the next is refused, and then again", async () => {
  const outcomes: HandedOn[] = [];
  const engine = createThreadedEngine({ module, workers: 1, handedOn: (outcome) => outcomes.push(outcome) });
  for (let round = 1; round <= 3; round++) {
    // One worker runs them only after this job: none of the blocks comes back meanwhile.
    expect(await engine.run(job("crowd", WORKER_BLOCKS + 1))).toBe(`${WORKER_BLOCKS} host.engine-full`);
    // The newest ones go first, so this one is the last.
    while (outcomes.length < round * WORKER_BLOCKS) await engine.run(job("square", 1));
  }
  expect(outcomes.every(({ error }) => error === undefined)).toBe(true);
  await engine.close();
});

test("a payload or a job that is handed on beyond its limit is refused with a typed error", async () => {
  const engine = createThreadedEngine({ module, workers: 1, payloadBytes: 1000 });
  await expect(engine.run(job("echo", "x".repeat(1001)))).rejects.toMatchObject({
    code: "host.job-not-serialisable",
  });
  await expect(engine.run(job("wide", 2))).rejects.toMatchObject({ code: "host.job-not-serialisable" });
  expect(await engine.run(job("square", 5))).toBe(25);
  await engine.close();
});

test("a worker that is ended while it uses blocks leaves none of them used", async () => {
  const engine = createThreadedEngine({ module, workers: 1, attempts: 1_000_000 });
  for (let kill = 0; kill < 40; kill++) {
    const before = engine.stats().finished;
    const jobs = Array.from({ length: 60 }, (_, i) => engine.run(job(i % 2 === 0 ? "wide" : "passBulk", i)));
    while (engine.stats().finished < before + (kill % 20))
      await new Promise((resolve) => setImmediate(resolve));
    await engine.terminate(0);
    await Promise.all(jobs);
  }
  // What was handed on before may still wait; a block that stays used would keep this from ever being so many.
  const all = `${WORKER_BLOCKS} host.engine-full`;
  let seen = "";
  for (let tries = 0; seen !== all && tries < 100; tries++)
    seen = await engine.run<string>(job("crowd", WORKER_BLOCKS + 1));
  expect(seen).toBe(all);
  await engine.close();
}, 120_000);
