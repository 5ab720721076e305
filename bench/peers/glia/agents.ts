/** Workloads of agents, in one thread and in a worker beside it. */
import { Worker } from "node:worker_threads";
import type { LocalAgentSystem } from "@glia-os/cells/agent";
import { type AgentContext, type AgentRoutine, createLocalSystem } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { RingPort } from "@glia-os/host";
import { createKernel, type Kernel } from "@glia-os/kernel";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { adder } from "./adder.ts";

const clock = createSystemClock();
const timers = createSystemTimers();
const WORKER: URL = new URL("./agents-worker.ts", import.meta.url);

function own(): { readonly kernel: Kernel; readonly system: LocalAgentSystem } {
  const limits = { handleLimit: 4_194_304, taskLimit: 2_097_151 };
  const kernel = createKernel({ clock, random: createSystemRandom(), timers: "wheel", ...limits });
  return { kernel, system: createLocalSystem({ kernel, clock }) };
}

function turn(kernel: Kernel): void {
  while (kernel.runSlice(100_000) === "more");
}

/** Run a routine to its end, with nothing of the host's loop in between. */
async function through(
  kernel: Kernel,
  system: LocalAgentSystem,
  routine: (ctx: AgentContext) => AgentRoutine<void>,
) {
  const done = system.run(routine);
  turn(kernel);
  await done;
}

async function asks(): Promise<Contestant> {
  const { kernel, system } = own();
  const ref = await system.spawn(adder);
  return {
    run: (times) =>
      through(kernel, system, function* (ctx) {
        for (let i = 0; i < times; i++) yield* ctx.ask(ref, "add", 1);
      }),
  };
}

async function tells(): Promise<Contestant> {
  const { kernel, system } = own();
  const ref = await system.spawn(adder);
  return {
    run: (times) =>
      through(kernel, system, function* (ctx) {
        for (let i = 0; i < times; i++)
          if (ctx.tell(ref, "add", 1) === "pressured") yield* ctx.ask(ref, "add", 1);
      }),
  };
}

/** As a program outside asks: a promise for every reply. */
async function promises(): Promise<Contestant> {
  const system = createLocalSystem({ clock, timers, random: createSystemRandom() });
  const ref = await system.spawn(adder);
  return {
    async run(times) {
      for (let i = 0; i < times; i++) await system.ask(ref, "add", 1);
    },
    close: () => system.close(),
  };
}

async function otherWorker(): Promise<Contestant> {
  const system = createLocalSystem({ clock, timers, random: createSystemRandom() });
  const worker = new Worker(WORKER, { execArgv: ["--conditions=@glia-os/source"] });
  await system.join("worker", new RingPort(worker, "offers"));
  const ref = await system.spawn(adder, { on: "worker" });
  return {
    run: (times) =>
      system.run(function* (ctx) {
        for (let i = 0; i < times; i++) yield* ctx.ask(ref, "add", 1);
      }),
    async close() {
      await worker.terminate();
    },
  };
}

/** Make an agent, ask it once, end it. */
function create(): Contestant {
  const { kernel, system } = own();
  return {
    run: (times) =>
      through(kernel, system, function* (ctx) {
        for (let i = 0; i < times; i++) {
          const ref = yield* ctx.spawn(adder);
          yield* ctx.ask(ref, "add", 1);
          ctx.stop(ref);
        }
      }),
  };
}

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  ask: asks,
  tell: tells,
  "ask-promise": promises,
  "ask-worker": otherWorker,
  create,
};
