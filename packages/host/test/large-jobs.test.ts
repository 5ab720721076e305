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
