/** Jobs in worker threads: ours beside two pools that pass messages. Every pool has two workers and runs the same function. */
import { createThreadedEngine } from "@glia-os/host";
import { Piscina } from "piscina";
import { Tinypool } from "tinypool";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const module = new URL("../src/job-functions.ts", import.meta.url);
const WORKERS = 2;
/** Jobs that are open at once in the row of many. */
const AT_ONCE = 1000;
/** Jobs that one loaded worker hands on in the row of stealing. */
const LOADED = 1000;

type Run = (payload: number) => Promise<number>;

async function manyJobs(run: Run, times: number): Promise<void> {
  for (let done = 0; done < times; done += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, times - done) }, (_, i) => run(i)));
}

async function oneByOne(run: Run, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await run(i);
}

type Drive = (run: Run, times: number) => Promise<void>;

async function ours(drive: Drive): Promise<Contestant> {
  const engine = createThreadedEngine({ module, workers: WORKERS });
  const run: Run = (payload) =>
    engine.run({ id: "bench", origin: "bench", lineage: [], entry: "double", payload });
  await run(0);
  return { run: (times) => drive(run, times), close: () => engine.close() };
}

async function piscina(drive: Drive): Promise<Contestant> {
  const pool = new Piscina({ filename: module.href, minThreads: WORKERS, maxThreads: WORKERS });
  const run: Run = (payload) => pool.run(payload, { name: "double" }) as Promise<number>;
  await run(0);
  return { run: (times) => drive(run, times), close: () => pool.destroy() };
}

async function tinypool(drive: Drive): Promise<Contestant> {
  const pool = new Tinypool({ filename: module.href, minThreads: WORKERS, maxThreads: WORKERS });
  const run: Run = (payload) => pool.run(payload, { name: "double" }) as Promise<number>;
  await run(0);
  return { run: (times) => drive(run, times), close: () => pool.destroy() };
}

interface Loaded {
  /** Milliseconds until a load is done that all lies with one worker. */
  ms(): Promise<number>;
  /** The same, of a load that goes through the one queue of the main thread. */
  sharedMs(): Promise<number>;
  close(): Promise<void>;
}

async function loaded(workers: number): Promise<Loaded> {
  let open = 0;
  let all = Promise.withResolvers<void>();
  const engine = createThreadedEngine({
    module,
    workers,
    handedOn: () => {
      if (--open === 0) all.resolve();
    },
  });
  await Promise.all(Array.from({ length: 200 }, () => engine.run(grind)));
  const ms = async (): Promise<number> => {
    open = LOADED;
    all = Promise.withResolvers<void>();
    const start = performance.now();
    await engine.run({ id: "load", origin: "bench", lineage: [], entry: "load", payload: LOADED });
    await all.promise;
    return performance.now() - start;
  };
  const sharedMs = async (): Promise<number> => {
    const start = performance.now();
    await Promise.all(Array.from({ length: LOADED }, () => engine.run(grind)));
    return performance.now() - start;
  };
  return { ms, sharedMs, close: () => engine.close() };
}

const grind = { id: "warm", origin: "bench", lineage: [], entry: "grind", payload: 1 };

const stealing: RowDefinition = {
  id: "job-stealing",
  what: `${LOADED} jobs of about 0.1 ms, all queued on one worker: how many times faster two workers are than one`,
  unit: "times",
  better: "higher",
  excludes: "the start of the threads",
  target: { min: 1.7 },
  glia: async () => {
    const [one, two] = [await loaded(1), await loaded(WORKERS)];
    const close = async (): Promise<void> => {
      await Promise.all([one.close(), two.close()]);
    };
    return { value: async () => (await one.ms()) / (await two.ms()), close };
  },
  peers: {},
};

const stealingBesideOneQueue: RowDefinition = {
  id: "job-stealing-one-queue",
  what: `${LOADED} jobs of about 0.1 ms on two workers, all queued on one of them and stolen; beside it, handed in through one queue`,
  unit: "ms",
  better: "lower",
  excludes: "the start of the threads",
  glia: async () => {
    const engine = await loaded(WORKERS);
    return { value: () => engine.ms(), close: () => engine.close() };
  },
  peers: {
    "one queue": async () => {
      const engine = await loaded(WORKERS);
      return { value: () => engine.sharedMs(), close: () => engine.close() };
    },
  },
};

const rows: readonly RowDefinition[] = [
  {
    id: "job-amortised",
    what: `one job that doubles a number, ${AT_ONCE} open at once, two workers`,
    unit: "us",
    better: "lower",
    excludes: "the start of the threads",
    target: { max: 1, ratio: { piscina: 10, tinypool: 10 } },
    glia: () => ours(manyJobs),
    peers: { piscina: () => piscina(manyJobs), tinypool: () => tinypool(manyJobs) },
  },
  {
    id: "job-round-trip",
    what: "one job that doubles a number, from run to the result, one after another, two workers",
    unit: "us",
    better: "lower",
    excludes: "the start of the threads",
    target: { max: 8 },
    glia: () => ours(oneByOne),
    peers: { piscina: () => piscina(oneByOne), tinypool: () => tinypool(oneByOne) },
  },
  stealing,
  stealingBesideOneQueue,
];

export const suite: Suite = { title: "Jobs in worker threads", rows };
