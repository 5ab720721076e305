/** Agents in TypeScript and JavaScript: what the instrumented engine costs, and how fast agents spawn, wake, answer and move. */
import { randomFillSync } from "node:crypto";
import { buildAgent } from "@glia-os/guest-js/build";
import { encodeFrozenAgent, goldenState, startAgentRun } from "@glia-os/guest-js/run";
import { createWasmEngine, encodeIncrement, type WasmProgram } from "@glia-os/wasm";
import { getQuickJS } from "quickjs-emscripten";
import { bundles, instrumented, plain } from "../peers/glia/agent-engine.ts";
import { moves } from "../peers/glia/agent-moves.ts";
import { SCRIPTS, standalone } from "../peers/glia/agent-scripts.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const NAMES = Object.keys(SCRIPTS);
const MOVES = 20;
const SPAWNS = 200;
const NS_PER_US = 1000;
const JSON_MESSAGE = new TextEncoder().encode('{"key":"k17","amount":42,"text":"hello","tags":[1,2,3]}');

const host = {
  log: () => undefined,
  wallMs: () => 0,
  random: (target: Uint8Array) => void randomFillSync(target),
  reply: () => 0,
};

async function counter(spareInstances = 32): Promise<WasmProgram> {
  const { bytes } = await buildAgent({
    source: `import { inbox } from "@glia-os/guest-js";
      let n = 0;
      for await (const message of inbox) {
        const { key, amount } = message.json();
        message.reply({ key, total: (n = (n + amount) % 1000003) });
      }`,
    name: "agent.js",
  });
  return createWasmEngine({ spareInstances }).admit(bytes, ["glia.v1"]);
}

async function meanSlowdown(): Promise<Contestant> {
  const codes = await bundles(NAMES);
  const without = plain(codes);
  if (without === undefined) throw new TypeError("run `pnpm build` first: the plain engine is not there");
  const withIt = await instrumented(codes);
  const value = (): number => {
    const logs = NAMES.map((name) => {
      const base = Math.min(without(name), without(name));
      return Math.log(Math.min(withIt(name), withIt(name)) / base);
    });
    return Math.exp(logs.reduce((sum, one) => sum + one, 0) / NAMES.length);
  };
  value();
  return { value };
}

async function worstGap(): Promise<Contestant> {
  let worst = 0;
  const run = await instrumented(await bundles(NAMES), (ms) => {
    worst = Math.max(worst, ms);
  });
  for (const name of NAMES) run(name);
  const value = (): number => {
    worst = 0;
    for (const name of NAMES) run(name);
    return worst;
  };
  return { value };
}

async function allScripts(): Promise<Contestant> {
  const run = await instrumented(await bundles(NAMES));
  const value = (): number => NAMES.reduce((sum, name) => sum + run(name), 0);
  value();
  return { value };
}

async function emscripten(): Promise<Contestant> {
  const engine = await getQuickJS();
  const value = (): number => {
    let sum = 0;
    for (const name of NAMES) {
      const context = engine.newContext();
      const start = performance.now();
      context.unwrapResult(context.evalCode(standalone(name), "script.js", { type: "module" })).dispose();
      context.runtime.executePendingJobs();
      sum += performance.now() - start;
      context.dispose();
    }
    return sum;
  };
  value();
  return { value };
}

/** Agents that start; so many may leave their memory to the next one. */
async function spawn(spareInstances: number): Promise<Contestant> {
  const program = await counter(spareInstances);
  return {
    value: () => {
      let spent = 0n;
      for (let left = SPAWNS; left > 0; left--) {
        const start = process.hrtime.bigint();
        const instance = program.instantiate({}, host);
        instance.step();
        spent += process.hrtime.bigint() - start;
        instance.dispose();
      }
      return Number(spent) / SPAWNS / NS_PER_US;
    },
  };
}

async function wake(): Promise<Contestant> {
  const program = await counter();
  const golden = goldenState(program);
  const first = program.instantiate({}, host);
  first.step();
  first.step({ value: 0, payload: JSON_MESSAGE });
  const { bytes } = encodeIncrement(golden, first.snapshot());
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        const instance = program.wake(golden, bytes, {}, host);
        instance.step({ value: 0, payload: JSON_MESSAGE });
        instance.dispose();
      }
    },
  };
}

async function spawnPeer(): Promise<Contestant> {
  const engine = await getQuickJS();
  return {
    run(times) {
      for (let i = 0; i < times; i++) engine.newContext().dispose();
    },
  };
}

async function messages(): Promise<Contestant> {
  const program = await counter();
  const instance = program.instantiate({}, host);
  let outcome = instance.step();
  const value = (): number => {
    const count = 5000;
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      outcome = instance.step({ value: 0, payload: JSON_MESSAGE });
      while (outcome.kind === "pending" && outcome.call.op === "yield") outcome = instance.step({ value: 0 });
    }
    return (count / (performance.now() - start)) * 1000;
  };
  for (let i = 0; i < 5; i++) value();
  return { value };
}

async function idleBytes(count: number): Promise<Contestant> {
  const program = await counter();
  const golden = goldenState(program);
  const value = (): number => {
    const run = startAgentRun(program, { ...host, log: () => undefined, reply: () => undefined });
    for (let i = 0; i < count; i++) {
      run.send(JSON_MESSAGE);
      run.run();
    }
    return encodeFrozenAgent(run.freeze(), golden).length / 1024;
  };
  return { value };
}

async function movePart(part: number): Promise<Contestant> {
  const agent = await moves();
  const value = async (): Promise<number> => {
    const taken: number[] = [];
    for (let i = 0; i < MOVES; i++) taken.push(await agent.move());
    taken.sort((a, b) => a - b);
    return taken[Math.min(MOVES - 1, Math.floor(MOVES * part))] as number;
  };
  return { value, close: () => agent.close() };
}

const ENGINE_EXCLUDES =
  "bundling, compiling the engine and starting it; the quicker of two runs on either side counts";

const scripts: readonly RowDefinition[] = [
  {
    id: "script-geometric-mean",
    what: `geometric mean over ${NAMES.join(", ")}: time of the instrumented engine over the engine as it comes from npm`,
    unit: "x",
    better: "lower",
    excludes: ENGINE_EXCLUDES,
    target: { max: 2.5 },
    glia: meanSlowdown,
    peers: {},
  },
  {
    id: "script-worst-gap",
    what: "the longest time between two places where an agent can be stopped, over the nine scripts",
    unit: "ms",
    better: "lower",
    excludes: "bundling and starting the engine",
    glia: worstGap,
    peers: {},
  },
  {
    id: "script-all",
    what: "the nine scripts one after the other; the peer runs them without metering, yields or moves",
    unit: "ms",
    better: "lower",
    excludes: "starting the engine; the peer's time includes parsing, as ours does",
    glia: allScripts,
    peers: { "quickjs-emscripten": emscripten },
  },
];

const life: readonly RowDefinition[] = [
  {
    id: "spawn-new",
    what: "a new agent from its module to its first wait, in new memory; the peer makes an empty context",
    unit: "us",
    better: "lower",
    excludes:
      "building and compiling the module; ending the agent, garbage collection after the run; the peer evaluates no program",
    target: { max: 500 },
    glia: () => spawn(0),
    peers: { "quickjs-emscripten": spawnPeer },
  },
  {
    id: "spawn-recycled",
    what: "the same in the memory that an earlier agent of its module left",
    unit: "us",
    better: "lower",
    excludes: "building and compiling the module; ending the agent",
    target: { max: 25 },
    glia: () => spawn(32),
    peers: {},
  },
  {
    id: "wake",
    what: "an agent that had a message, from what is kept of it while it is idle: put back, given a message, until its reply, and away",
    unit: "us",
    better: "lower",
    excludes: "keeping it; deciding which one wakes",
    target: { max: 50 },
    glia: wake,
    peers: {},
  },
  {
    id: "idle-bytes-1",
    what: "what is kept of an agent that had one message, as the pages that differ from its module's first state",
    unit: "KiB",
    better: "lower",
    excludes: "the module and the first state of its type, which all its agents share",
    target: { max: 6 },
    glia: () => idleBytes(1),
    peers: {},
  },
  {
    id: "idle-bytes-500",
    what: "the same after 500 messages",
    unit: "KiB",
    better: "lower",
    excludes: "the module and the first state of its type, which all its agents share",
    target: { max: 6 },
    glia: () => idleBytes(500),
    peers: {},
  },
  {
    id: "json-messages",
    what: "messages of 55 bytes of JSON in and JSON replies out per second, one agent on one thread",
    unit: "per s",
    better: "higher",
    excludes: "mailboxes and the network",
    target: { min: 80_000 },
    glia: messages,
    peers: {},
  },
  {
    id: "move-median",
    what: `a move in the middle of a statement between two processes, from the order to stop to the end of the first slice: median of ${MOVES}`,
    unit: "ms",
    better: "lower",
    excludes: "deciding where to; the bytes go over the pipes of the parent process",
    target: { max: 5 },
    glia: () => movePart(0.5),
    peers: {},
  },
  {
    id: "move-p90",
    what: `the same, 90th percentile of ${MOVES}`,
    unit: "ms",
    better: "lower",
    excludes: "deciding where to; the bytes go over the pipes of the parent process",
    target: { max: 10 },
    glia: () => movePart(0.9),
    peers: {},
  },
];

export const suite: Suite = { title: "Agents in TypeScript", rows: [...scripts, ...life] };
