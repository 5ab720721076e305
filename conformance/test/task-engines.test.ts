/** One contract for whatever runs a task: a generator, an async function, a thread, a process, a WebAssembly guest. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobEngine } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  createAsyncEngine,
  createProcessEngine,
  createThreadedEngine,
  jobProgram,
  runKernel,
} from "@glia-os/host";
import { createKernel, type Kernel, type Routine, type Sys } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { guestProgram, placedGuestProgram } from "@glia-os/kernel/guests";
import { type RunningTask, type TaskEngineSubject, taskEngineContract } from "@glia-os/kernel/testing";
import { createWasmEngine } from "@glia-os/wasm";
import { instrument } from "@glia-os/wasm/pipeline";
import { createGuestPool } from "@glia-os/wasm/pool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as jobs from "./task-engine-jobs.ts";

const timers = createSystemTimers();
const module = new URL("./task-engine-jobs.ts", import.meta.url);

function running(): RunningTask {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const pump = runKernel(kernel, { timers });
  return {
    kernel,
    exitOf: (task) => pump.exitOf(task),
    pass: () => new Promise((resolve) => setTimeout(resolve, 20)),
  };
}

const coroutine: TaskEngineSubject = {
  *seven(): Routine<number> {
    return 7;
  },
  *fails(): Routine<never> {
    throw new RangeError("this is its job");
  },
  *endless(sys: Sys): Routine<never> {
    for (;;) yield* sys.yield();
  },
};

const face: TaskEngineSubject = {
  seven: asyncProgram(async () => 7),
  fails: asyncProgram(async () => {
    throw new RangeError("this is its job");
  }),
  endless: asyncProgram(async (sys) => {
    for (;;) await sys.sleep(1);
  }),
};

/** The jobs of an engine as programs. */
function jobSubject(engine: JobEngine, endless: "endless" | "busy"): TaskEngineSubject {
  const program = (entry: string) =>
    jobProgram(engine, { id: entry, origin: "contract", lineage: [], entry, payload: null });
  return { seven: program("seven"), fails: program("fails"), endless: program(endless) };
}

/** Modules of guests. */
async function guestModules(): Promise<Record<"seven" | "fails" | "endless", Uint8Array>> {
  const folder = mkdtempSync(join(tmpdir(), "glia-contract-"));
  const module = async (body: string) => {
    writeFileSync(join(folder, "agent.ts"), `export function glia_main(): i32 { ${body} }`);
    const bytes = await compileAssemblyScript(join(folder, "agent.ts"));
    return (await instrument(bytes, { profile: "preemptive" })).bytes;
  };
  try {
    return {
      seven: await module("return 7;"),
      fails: await module("unreachable(); return 0;"),
      endless: await module("let n = 0; while (true) n++; return n;"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const guestOptions = (from: Sys | Kernel) => ({
  give: [{ handle: from.mailbox(), rights: RIGHTS.receive }],
  quantum: 1,
});

async function guestSubject(): Promise<TaskEngineSubject> {
  const engine = createWasmEngine();
  const modules = await guestModules();
  const program = async (bytes: Uint8Array) =>
    guestProgram(await engine.admit(bytes, []), { sliceFuel: 100_000 });
  return {
    seven: await program(modules.seven),
    fails: await program(modules.fails),
    endless: await program(modules.endless),
    options: guestOptions,
  };
}

const guestPool = createGuestPool({ workers: 2 });
afterAll(() => guestPool.close());

async function pooledGuestSubject(): Promise<TaskEngineSubject> {
  const modules = await guestModules();
  for (const [name, bytes] of Object.entries(modules)) await guestPool.admit(name, bytes, []);
  const program = (name: keyof typeof modules) => placedGuestProgram(guestPool.place(name));
  return {
    seven: program("seven"),
    fails: program("fails"),
    endless: program("endless"),
    options: guestOptions,
  };
}

const engines: readonly JobEngine[] = [
  createAsyncEngine({ functions: { ...jobs } }),
  createThreadedEngine({ module, workers: 2 }),
  createProcessEngine({ module, workers: 2 }),
];
const [asynchronous, threaded, inProcesses] = engines as readonly [JobEngine, JobEngine, JobEngine];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

const subjects: readonly (readonly [string, () => Promise<TaskEngineSubject>])[] = [
  ["coroutine", async () => coroutine],
  ["async function", async () => face],
  ["async engine", async () => jobSubject(asynchronous, "endless")],
  ["threaded engine", async () => jobSubject(threaded, "busy")],
  ["process engine", async () => jobSubject(inProcesses, "busy")],
  ["WebAssembly guest", guestSubject],
  ["WebAssembly guest in a pool's thread", pooledGuestSubject],
];

describe.each(subjects)("a task run by: %s", (_, make) => {
  let subject: TaskEngineSubject;
  beforeAll(async () => {
    subject = await make();
  });
  for (const { title, run } of taskEngineContract)
    it(title, async () => {
      expect(await run(subject, running())).toBeUndefined();
    });
});
