/** The latency policy on three nodes whose distances a file says (LW1, LW2, DI2, LP4). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalNode } from "@glia-os/daemon";
import { expect, test } from "vitest";
import { codeOf, guest, testNodes, text, words } from "./nodes.ts";

const nodes = testNodes();

/** Talk to an agent from a node until it is somewhere; fails by the time-out of the test. More is sent than a look needs, also on a slow machine. */
async function askedUntilAt(node: LocalNode, agent: string, where: string): Promise<void> {
  for (let n = 0; ; n++) {
    for (let sent = 0; sent < 30; sent++) await node.send(agent, text("more"));
    expect(words(await node.ask(agent, text(`${n}`), 10_000))).toBe(`${n}`);
    const row = (await node.listAgents()).find(({ name }) => name === agent);
    if (row?.ownerName === where) return;
  }
}

test("an agent goes to the node that asks it most, or beside it where that takes none, and stays when it is near", async () => {
  const file = (name: string, rttMs: Readonly<Record<string, number>>): string => {
    const path = join(nodes.base(), `${name}.json`);
    writeFileSync(path, JSON.stringify({ rttMs }));
    return path;
  };
  const core = await nodes.found();
  const latency = { thresholdMs: 20, residenceMs: 0 };
  const movement = { lookMs: 500, latency, movesPerMinute: 600 };
  const edge = await nodes.joined(core, "edge", {
    movement: { ...movement, policies: ["latency"], sensorsFile: file("edge", { core: 80, third: 70 }) },
  });
  await nodes.joined(core, "third", {
    movement: { ...movement, policies: ["latency"], sensorsFile: file("third", { core: 3, edge: 70 }) },
  });

  await core.drain();
  for (const name of ["beside", "alone"]) await core.spawn({ name, module: guest("echo"), on: "edge" });
  await askedUntilAt(core, "beside", "third");
  await core.undrain();
  await core.spawn({ name: "there", module: guest("echo"), on: "edge" });
  await askedUntilAt(core, "there", "core");

  // Nobody asks the one, and three milliseconds are near: both stay where they are while the policies go on looking.
  for (let n = 0; n < 60; n++) await core.send("beside", text("near"));
  expect(words(await core.ask("beside", text("near"), 10_000))).toBe("near");
  const where = (await core.listAgents()).map(({ name, ownerName }) => [name, ownerName]);
  expect(where.sort()).toEqual([
    ["alone", "edge"],
    ["beside", "third"],
    ["there", "core"],
  ]);
  const condition = (await core.conditions()).find(({ name }) => name === "edge")?.condition;
  expect(condition?.moves).toMatchObject([
    { policy: "latency", name: "beside", why: "80 ms from most of its messages" },
    { policy: "latency", name: "there" },
  ]);
  expect(await edge.metrics()).toMatch(/glia_policy_moves_total\{outcome="moved",policy="latency"\} 2/);
}, 60_000);

test.each([[{ thresholdMs: 0 }], [{ thresholdMs: 10_001 }], [{ residenceMs: -1 }], [{ residenceMs: 1.5 }]])(
  "a node does not start with the latency settings %j",
  async (latency) => {
    expect(await codeOf(nodes.found({ movement: { latency } }))).toBe("daemon.bad-options");
  },
);
