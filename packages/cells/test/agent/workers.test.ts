/** Agents in workers: the same contract, and what only two threads can go wrong with. */
import { Worker } from "node:worker_threads";
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type AgentSystem,
  type AnyAgent,
  agent,
  createLocalSystem,
  type LocalAgentSystem,
  type SpawnOptions,
} from "@glia-os/cells/agent";
import { agentSystemContract, family, ledger } from "@glia-os/cells/testing";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grinder } from "./grinder.ts";

let system: LocalAgentSystem;
const workers: Worker[] = [];

function startWorker(): Worker {
  const worker = new Worker(new URL("./ledger-worker.ts", import.meta.url), {
    execArgv: ["--conditions=@glia-os/source"],
  });
  workers.push(worker);
  return worker;
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(() => "no error", errorCodeOf);
}

beforeAll(async () => {
  system = createLocalSystem({
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
  await system.join("one", startWorker());
  await system.join("two", startWorker());
});

afterAll(async () => {
  await system.close();
  await Promise.all(workers.map((worker) => worker.terminate()));
});

/** The system as one that spawns in a worker unless told otherwise. */
function inWorker(place: string): AgentSystem {
  return new Proxy(system as AgentSystem, {
    get(target, key) {
      if (key === "spawn")
        return (definition: AnyAgent, options: SpawnOptions = {}) =>
          target.spawn(definition, { on: place, ...options });
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("agents in a worker", () => {
  const cases = agentSystemContract.filter((one) => one.needs !== "upgrade");
  test.each(cases.map((one) => [one.title, one] as const))("%s", async (_title, one) => {
    expect(await one.run(inWorker("one"))).toBeUndefined();
  });

  test("agents of two workers reach each other by address, by name and by topic", async () => {
    const far = await system.spawn(ledger, { on: "two", name: "far" });
    const parent = await system.spawn(family, { on: "one" });
    const child = await system.ask(parent, "bear", "near");
    expect((await system.observe.agent(far))?.place).toBe("two");
    expect((await system.observe.agent(child))?.place).toBe("one");
    expect((await system.find("near"))?.id).toBe(child.id);
    await system.ask(far, "listen", "both");
    await system.ask(child, "listen", "both");
    await system.run(function* (ctx) {
      ctx.publish("both", 1);
    });
    expect(await system.ask("near", "seen")).toEqual([1]);
    expect(await system.ask(far, "seen")).toEqual([1]);
    await system.stop(parent);
    await system.stop(far);
  });

  test("a place that is not there, and a kind that a worker does not have, are refused", async () => {
    const other = agent({ name: "other", on: { go: { handle: () => 1 } } });
    expect(await codeOf(system.spawn(ledger, { on: "three" }))).toBe("agent.place-unknown");
    expect(await codeOf(system.spawn(other, { on: "one" }))).toBe("agent.place-unknown");
    expect(() => system.join("one", startWorker())).toThrow();
  });

  test("an agent for any worker is made where agents expect to compute least, and then where there are fewest", async () => {
    const busy = await system.spawn(grinder, { on: "two" });
    const placeOf = async () =>
      (await system.observe.agent(await system.spawn(ledger, { on: "any" })))?.place;
    for (let i = 0; i < 10; i++) await system.spawn(ledger, { on: "one" });
    for (let i = 0; i < 260; i++) await system.ask(busy, "grind", 1);
    expect((await system.observe.agent(busy))?.profile.forecast).toBeGreaterThan(0);
    expect(await placeOf()).toBe("one");
    await system.stop(busy);
    expect(await placeOf()).toBe("two");
  });

  test("a worker that is gone fails the asks to its agents, and its names are free", async () => {
    const worker = startWorker();
    await system.join("doomed", worker);
    const ref = await system.spawn(ledger, { on: "doomed", name: "doomed-one" });
    const asked = codeOf(system.ask(ref, "slow", 60_000, { timeoutMs: 60_000 }));
    await system.observe.agent(ref);
    await worker.terminate();
    expect(await asked).toBe("agent.ended");
    expect(await codeOf(system.ask(ref, "add", 1))).toBe("agent.unknown-agent");
    expect(await system.find("doomed-one")).toBeUndefined();
  });
});
