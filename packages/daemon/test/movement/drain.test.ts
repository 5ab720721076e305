/** Draining nodes, policies and cancelled moves, on nodes (DR1, DR2, AM1, PO1, SF1). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { LocalNode } from "@glia-os/daemon";
import { encodeReportRequest } from "@glia-os/guest-as/word-count";
import { describe, expect, test } from "vitest";
import { codeOf, guest, testNodes, text, words } from "./nodes.ts";

const nodes = testNodes();

async function drained(node: LocalNode, which?: string): Promise<Awaited<ReturnType<LocalNode["drain"]>>> {
  await node.drain(which);
  await expect
    .poll(async () => (await node.drainStatus(which)).state, { timeout: 20_000 })
    .not.toBe("draining");
  return node.drainStatus(which);
}

describe("a node that is drained", () => {
  test("gives its agents to others, takes no new ones, also after a restart, until it is undrained", async () => {
    const core = await nodes.found();
    const edge = await nodes.joined(core, "edge");
    for (const name of ["a", "b", "c"]) await core.spawn({ name, module: guest("echo"), on: "edge" });
    await core.pause("b");
    expect(await drained(core, "edge")).toMatchObject({ state: "drained", moved: 3, left: 0, stuck: [] });
    const agents = await core.listAgents();
    expect(agents.map(({ name, ownerName, status }) => [name, ownerName, status]).sort()).toEqual([
      ["a", "core", "running"],
      ["b", "core", "suspended"],
      ["c", "core", "running"],
    ]);
    expect(words(await core.ask("a", text("hi"), 5000))).toBe("hi");
    expect(await codeOf(core.spawn({ name: "d", module: guest("echo"), on: "edge" }))).toBe(
      "cells.takes-none",
    );
    await expect(core.migrate("a", "edge")).rejects.toMatchObject({
      message: expect.stringContaining("it is drained"),
    });
    expect((await core.conditions()).find(({ name }) => name === "edge")?.condition).toMatchObject({
      takes: false,
    });
    expect(await edge.metrics()).toMatch(/glia_drain_moves_total\S* 3/);

    await edge.stop();
    const again = await nodes.start("edge", { kind: "resume" }, "edge");
    expect(await again.drainStatus()).toMatchObject({ state: "drained" });
    expect(await codeOf(again.spawn({ name: "d", module: guest("echo") }))).toBe("cells.takes-none");
    expect(await again.undrain()).toMatchObject({ state: "open" });
    await core.migrate("a", "edge");
    expect(words(await core.ask("a", text("there"), 5000))).toBe("there");
  });

  test("names what cannot move and why, and goes on with it", async () => {
    const core = await nodes.found();
    await core.spawn({ name: "alone", module: guest("echo") });
    expect(await drained(core)).toMatchObject({
      state: "partly",
      left: 1,
      stuck: [{ name: "alone", why: "no other node takes agents" }],
    });
    expect(words(await core.ask("alone", text("still"), 5000))).toBe("still");
    expect(await codeOf(core.drain("nowhere"))).toBe("daemon.unknown-node");
  });
});

describe("policies", () => {
  const sensors = (file: string, readings: unknown): void => writeFileSync(file, JSON.stringify(readings));

  test("PO1, SF1: a battery that runs low empties the node, by name; it takes agents again once it is charged", async () => {
    const file = join(nodes.base(), "sensors.json");
    sensors(file, { battery: { percent: 80, charging: false }, temperatureCelsius: 40 });
    const core = await nodes.found();
    const edge = await nodes.joined(core, "edge", {
      movement: { policies: ["battery", "thermal"], lookMs: 100, sensorsFile: file },
    });
    for (const name of ["a", "b"]) await core.spawn({ name, module: guest("echo"), on: "edge" });
    const condition = async () => (await core.conditions()).find(({ name }) => name === "edge")?.condition;
    await expect
      .poll(condition)
      .toMatchObject({ takes: true, hosting: 2, readings: { batteryPercent: 80 }, power: "low-power" });

    sensors(file, { battery: { percent: 12, charging: false }, temperatureCelsius: 40 });
    await expect
      .poll(condition, { timeout: 20_000 })
      .toMatchObject({ takes: false, hosting: 0, standing: ["battery-low"], power: "ultra-low-power" });
    expect(await edge.metrics()).toMatch(/^glia_gossip_pace 5$/m);
    const { moves } = (await condition()) as { moves: readonly unknown[] };
    expect(moves).toMatchObject([
      { policy: "battery", why: "battery-low", to: (await core.status()).node },
      { policy: "battery", why: "battery-low" },
    ]);
    expect(await edge.metrics()).toMatch(/glia_policy_moves_total\{outcome="moved",policy="battery"\} 2/);
    expect(words(await core.ask("a", text("safe"), 5000))).toBe("safe");

    sensors(file, { battery: { percent: 40, charging: true }, temperatureCelsius: 40 });
    await expect.poll(condition).toMatchObject({ takes: true, standing: [], power: "normal" });
    expect(await edge.metrics()).toMatch(/^glia_gossip_pace 1$/m);
    expect(await core.setPolicy("battery", false, "edge")).toMatchObject({ policies: ["thermal"] });
    expect(await codeOf(core.setPolicy("weather", true, "edge"))).toBe("daemon.bad-options");
  });

  test("PO1, AM3: policies begin no more moves in a minute than they may, and the busiest agent goes first", async () => {
    const file = join(nodes.base(), "sensors.json");
    sensors(file, { temperatureCelsius: 95 });
    const core = await nodes.found();
    await nodes.joined(core, "edge", {
      movement: { policies: [], movesPerMinute: 1, lookMs: 100, sensorsFile: file },
    });
    for (const name of ["a", "b", "c"]) await core.spawn({ name, module: guest("echo"), on: "edge" });
    for (let n = 0; n < 5; n++) await core.ask("b", text("busy"), 5000);
    await core.setPolicy("thermal", true, "edge");
    const edge = async () => (await core.conditions()).find(({ name }) => name === "edge")?.condition;
    await expect.poll(async () => (await edge())?.moves.length, { timeout: 20_000 }).toBe(1);
    for (let look = 0; look < 5; look++) await core.ping("edge", 5000);
    expect(await edge()).toMatchObject({
      hosting: 2,
      standing: ["warm", "hot"],
      moves: [{ policy: "thermal", name: "b" }],
    });
  });

  test.each([[{ policies: ["weather"] as never }], [{ movesPerMinute: 0 }], [{ lookMs: 10 }]])(
    "a node does not start with %j",
    async (movement) => {
      expect(await codeOf(nodes.found({ movement }))).toBe("daemon.bad-options");
    },
  );
});

test("a move that is over cannot be cancelled, and neither can one that is none", async () => {
  const core = await nodes.found();
  await core.spawn({ name: "echo", module: guest("echo") });
  expect(await codeOf(core.cancelMigration("echo"))).toBe("mesh.no-migration");
  expect(await codeOf(core.cancelMigration("nobody"))).toBe("daemon.unknown-agent");
});

test("a move that is cancelled while it is under way ends on one side, as whoever cancelled was told, and the agent goes on there", async () => {
  const core = await nodes.found();
  await nodes.joined(core, "edge");
  await core.spawn({ name: "words", module: guest("word-count"), memoryPages: 1600 });
  let at = "core";
  for (let round = 0; round < 4; round++) {
    const to = at === "core" ? "edge" : "core";
    const moving = core.migrate("words", to).then(
      () => to,
      (error: unknown) => errorCodeOf(error),
    );
    // Before the move began there is none to cancel: ask until there is, or it is over.
    const told = await Promise.race([moving.then(() => undefined), cancelled(core, "words")]);
    const ended = await moving;
    if (told?.rolledBack === true) expect(ended).toBe("mesh.migration-cancelled");
    else expect(ended).toBe(to);
    if (ended === to) at = to;
    expect((await core.listAgents())[0]).toMatchObject({ ownerName: at, status: "running" });
    expect((await core.ask("words", encodeReportRequest(), 5000)).length).toBeGreaterThan(0);
  }
});

async function cancelled(node: LocalNode, agent: string): Promise<{ readonly rolledBack: boolean }> {
  for (;;) {
    const told = await node.cancelMigration(agent).catch((error: unknown) => errorCodeOf(error));
    if (typeof told === "object") return told;
    expect(told).toBe("mesh.no-migration");
  }
}
