/** Agents that end, told to another node that watches (EN1, EN2, WE1). */
import { connectSystem } from "@glia-os/daemon";
import { expect, test } from "vitest";
import { codeOf, guest, testNodes, text } from "../movement/nodes.ts";

const nodes = testNodes();

test("EN1, EN2: who watches hears of every agent that ends, wherever it was, once, and why; a move is no end", async () => {
  const core = await nodes.found();
  const edge = await nodes.joined(core, "edge");
  for (const name of ["early", "moved", "here"]) await core.spawn({ name, module: guest("echo") });
  await core.terminate("early");
  const { next, ends } = await edge.agentEnds(null, 0);
  expect(ends).toEqual([]);
  await core.migrate("moved", "edge");
  await core.terminate("moved");
  await core.terminate("here");
  const heard = async (after: number, many: number) => {
    await expect
      .poll(async () => (await edge.agentEnds(after, 1000)).ends.length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(many);
    return edge.agentEnds(after, 0);
  };
  const page = await heard(next, 2);
  expect(page.ends.map(({ name, reason }) => `${name} ${reason}`).sort()).toEqual([
    "here killed",
    "moved killed",
  ]);
  expect(page.missed).toBe(0);
  expect((await edge.agentEnds(page.next, 0)).ends).toEqual([]);
  expect(await codeOf(edge.agentEnds(null, 30_001))).toBe("abi.malformed");
});

test("WE1: a system of agents over a node hears of them too, until it is silenced", async () => {
  const core = await nodes.found();
  const system = connectSystem(core);
  const heard: string[] = [];
  const silence = system.observe.ends(({ ref, reason }) => heard.push(`${ref.name} ${reason}`));
  const { agent } = await core.spawn({ name: "echo", module: guest("echo") });
  expect(await core.ask("echo", text("hi"), 5000)).toEqual(text("hi"));
  // The watch begins beside: whoever stops an agent by the system waits for it, others look for themselves.
  await core.agentEnds(null, 0);
  await core.terminate(agent);
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual(["echo killed"]);
  silence();
  await system.close();
});
