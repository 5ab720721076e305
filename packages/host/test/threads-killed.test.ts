import { createThreadedEngine, type HandedOn, type Threads } from "@glia-os/host";
import { expect, test } from "vitest";

const module = new URL("./fixtures/kill-jobs.ts", import.meta.url);
const soak = process.env["GLIA_SOAK"] === "1";
const KILLS = soak ? 3000 : 300;
const WORKERS = 3;
/** Each kill waits for a thread to start: long on a machine whose processors are busy. */
const TIMEOUT_MS = soak ? 1_800_000 : 240_000;

/** A small generator of random numbers, so that a run can be repeated from its seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ENTRIES = ["square", "square", "spin", "pass", "wide", "bulk", "passBulk"];
const FILLER = "x".repeat(2000);

/** Keep jobs in flight until told to stop; gives how many were settled. */
async function feed(
  engine: Threads,
  random: () => number,
  going: () => boolean,
  count: () => void,
): Promise<void> {
  for (let next = 0; going(); ) {
    const batch = Array.from({ length: 1 + Math.floor(random() * 200) }, () => {
      const number = next++;
      const entry = ENTRIES[Math.floor(random() * ENTRIES.length)]!;
      const payload = entry === "bulk" ? [number, FILLER] : number;
      const job = { id: `${number}`, origin: "test", lineage: [], entry, payload };
      return engine.run<number | readonly [number, string]>(job).then((result) => {
        expect(typeof result === "number" ? result : result[0]).toBe(number * number);
        count();
      });
    });
    await Promise.all(batch);
  }
}

test(
  `T1: workers killed at ${KILLS} random points lose no job, settle each once and corrupt no queue`,
  async () => {
    const seed = Number(process.env["GLIA_SEED"] ?? Date.now() % 2 ** 31);
    console.log(`seed ${seed}: repeat with GLIA_SEED=${seed}`);
    const random = randomFrom(seed);
    const handedOn: HandedOn[] = [];
    const engine = createThreadedEngine({
      module,
      workers: WORKERS,
      attempts: 1_000_000,
      handedOn: (outcome) => handedOn.push(outcome),
    });
    let going = true;
    let settled = 0;
    const feeding = feed(
      engine,
      random,
      () => going,
      () => settled++,
    );
    await engine.run({ id: "first", origin: "test", lineage: [], entry: "square", payload: 1 });
    for (let kill = 0; kill < KILLS; kill++) {
      // Let work go on, so that a kill meets workers at work and not at their start.
      for (const goal = settled + random() * 150; settled < goal; )
        await new Promise((resolve) => setImmediate(resolve));
      for (let spin = Math.floor(random() * 20_000); spin > 0; spin--) random();
      await engine.terminate(Math.floor(random() * WORKERS));
    }
    going = false;
    await feeding;
    const stats = engine.stats();
    console.log(`${settled} jobs, ${stats.workersLost} workers lost, ${stats.restarted} jobs started again`);
    expect(stats).toMatchObject({ inFlight: 0, workers: WORKERS });
    expect(stats.workersLost).toBeGreaterThanOrEqual(KILLS);
    for (const { error, result, id } of handedOn) {
      expect(error).toBeUndefined();
      expect(result).toBe(Number(id.split("/")[0]) ** 2);
    }
    // The queues still work: as many jobs as the engine holds go through.
    const full = Array.from({ length: 4096 }, (_, payload) =>
      engine.run({ id: "after", origin: "test", lineage: [], entry: "square", payload }),
    );
    expect(await Promise.all(full)).toEqual(Array.from({ length: 4096 }, (_, payload) => payload * payload));
    await engine.close();
  },
  TIMEOUT_MS,
);

const job = (entry: string, payload: unknown = 0) => ({
  id: entry,
  origin: "test",
  lineage: [],
  entry,
  payload,
});

test("a job whose workers always die is settled as lost after its attempts, and others go on", async () => {
  const engine = createThreadedEngine({ module, workers: 1, attempts: 2 });
  await expect(engine.run(job("leave"))).rejects.toMatchObject({
    code: "host.job-lost",
    details: { attempts: 2 },
  });
  expect(await engine.run(job("square", 5))).toBe(25);
  expect(engine.stats()).toMatchObject({ restarted: 1, workersLost: 2 });
  await engine.close();
});

test("a module that does not load refuses its jobs with a typed error", async () => {
  const engine = createThreadedEngine({
    module: new URL("./no-such-module.ts", import.meta.url),
    workers: 1,
  });
  await expect(engine.run(job("square", 5))).rejects.toMatchObject({ code: "host.worker-failed" });
  await expect(engine.run(job("square", 5))).rejects.toMatchObject({ code: "host.worker-failed" });
  await engine.close();
});

test("a worker whose buffers go over the memory limit is stopped, its job alone is refused", async () => {
  const engine = createThreadedEngine({ module, workers: 1, memoryBytes: 64 * 1024 * 1024 });
  await expect(engine.run(job("allocate", 128))).rejects.toMatchObject({ code: "host.job-memory" });
  expect(await engine.run(job("square", 5))).toBe(25);
  await engine.close();
});

test("a worker whose heap goes over the memory limit is stopped, its job alone is refused", async () => {
  const engine = createThreadedEngine({ module, workers: 1, memoryBytes: 32 * 1024 * 1024 });
  await expect(engine.run(job("hoard"))).rejects.toMatchObject({ code: "host.job-memory" });
  expect(await engine.run(job("square", 5))).toBe(25);
  await engine.close();
});

test("workers see no environment variables", async () => {
  const engine = createThreadedEngine({ module, workers: 1 });
  expect(await engine.run(job("environment"))).toEqual([]);
  await engine.close();
});

test("options out of range are refused", () => {
  for (const options of [
    { workers: 0 },
    { workers: 33 },
    { inFlight: 0 },
    { slotBytes: 63 },
    { attempts: 0 },
  ])
    expect(() => createThreadedEngine({ module, ...options })).toThrowError(
      expect.objectContaining({ code: "host.bad-option" }),
    );
});
