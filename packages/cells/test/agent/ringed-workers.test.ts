/** Agents in a worker behind a port that carries small messages by shared memory: the same contract, and what could go wrong with two ways. */
import { Worker } from "node:worker_threads";
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type AgentSystem,
  type AnyAgent,
  createLocalSystem,
  type LocalAgentSystem,
  type SpawnOptions,
} from "@glia-os/cells/agent";
import { agentSystemContract, ledger } from "@glia-os/cells/testing";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { RingPort } from "@glia-os/host";
import { afterAll, beforeAll, expect, test } from "vitest";

let system: LocalAgentSystem;
const workers: Worker[] = [];

async function join(place: string): Promise<Worker> {
  const worker = new Worker(new URL("./ledger-worker.ts", import.meta.url), {
    execArgv: ["--conditions=@glia-os/source"],
    workerData: "ring",
  });
  workers.push(worker);
  await system.join(place, new RingPort(worker, "offers"));
  return worker;
}

function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(() => "no error", errorCodeOf);
}

beforeAll(async () => {
  system = createLocalSystem({
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
  await join("ringed");
});

afterAll(async () => {
  await system.close();
  await Promise.all(workers.map((worker) => worker.terminate()));
});

/** The system as one that spawns in the worker unless told otherwise. */
function inWorker(): AgentSystem {
  return new Proxy(system as AgentSystem, {
    get(target, key) {
      if (key === "spawn")
        return (definition: AnyAgent, options: SpawnOptions = {}) =>
          target.spawn(definition, { on: "ringed", ...options });
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const cases = agentSystemContract
  .filter((one) => one.needs !== "upgrade")
  .map((one) => [one.title, one] as const);

test.each(cases)("%s", async (_title, one) => {
  expect(await one.run(inWorker())).toBeUndefined();
});

test("messages of a megabyte take their turn between small ones, in the order in which they were sent", async () => {
  const ref = await system.spawn(ledger, { on: "ringed" });
  const large = "x".repeat(1_000_000);
  const inputs = Array.from({ length: 40 }, (_, i) => (i % 4 === 3 ? `${large}${i}` : `${i}`));
  const order: number[] = [];
  const replies = inputs.map((input, i) =>
    system.ask(ref, "echo", input).then((reply) => {
      order.push(i);
      return reply === input;
    }),
  );
  expect(await Promise.all(replies)).toEqual(inputs.map(() => true));
  expect(order).toEqual(inputs.map((_, i) => i));
});

test("a worker that ends fails the asks to its agents that are under way, and those that come later", async () => {
  const worker = await join("falling");
  const ref = await system.spawn(ledger, { on: "falling" });
  const slow = await system.spawn(ledger, { on: "falling" });
  const waiting = codeOf(system.ask(slow, "slow", 60_000, { timeoutMs: 60_000 }));
  expect(await codeOf(system.ask(ref, "add", 1))).toBe("no error");
  await worker.terminate();
  expect(await waiting).toBe("agent.ended");
  expect(await codeOf(system.ask(ref, "add", 1))).toBe("agent.unknown-agent");
});
