/** What a node's disk has after a restart, when rows change meanwhile and when the disk cannot be read. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Coordination, Logger } from "@glia-os/abi/ports";
import { type AgentManifest, encodeManifest, type KeptCells } from "@glia-os/cells";
import { SeededRandom, VirtualTime } from "@glia-os/mesh-core/testing";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { expect, onTestFinished, test } from "vitest";
import { CellFiles } from "../../src/domain/cell-files.ts";
import { AGAIN_MAX_MS, DomainRecovery, type DomainRecoveryParts } from "../../src/domain/domain-recovery.ts";

const [ONE, TWO] = ["a1", "b2"].map((hex) => hex.repeat(16)) as [AgentId, AgentId];
const SELF = "1".repeat(64) as NodeId;
const MANIFEST: AgentManifest = {
  ...{ name: "agent", program: Uint8Array.of(1), grants: [], memoryPages: 1 },
  kind: "domain",
};
const META = encodeManifest(MANIFEST);

/** A recovery of two agents of this node's rows; `recovered` is what goes on, and under which epoch. */
async function recovery(
  stored: KeptCells["stored"],
  beforeSwap?: (engine: Coordination) => Promise<void>,
  unfit = 0,
) {
  const time = new VirtualTime();
  const engine = createMemoryCoordination({ clock: time });
  const { sessionId } = await engine.openSession(SELF, 60_000, "open");
  const row = { owner: SELF, sessionId, status: "running", programHash: "0".repeat(64) } as const;
  for (const agent of [ONE, TWO]) await engine.createAgent({ ...row, agent, name: agent }, `create ${agent}`);
  const recovered: (readonly [AgentId, Epoch])[] = [];
  const logged: string[] = [];
  const tried: number[] = [];
  const logger: Logger = { log: (_, message) => void logged.push(message), child: () => logger };
  const coordination: Partial<Coordination> = {
    getAgent: (agent) => engine.getAgent(agent),
    compareAndSwap: async (...args) => {
      await beforeSwap?.(engine);
      return engine.compareAndSwap(...args);
    },
  };
  const gate: Partial<DomainRecoveryParts["gate"]> = {
    stands: (agent) =>
      recovered.some(([one]) => one === agent)
        ? { state: "running", epoch: 1 as Epoch, suspended: false }
        : undefined,
    recover: async (agent, epoch) => {
      tried.push(time.monotonicMs());
      if (tried.length <= unfit) throw new RangeError("its service is not offered");
      recovered.push([agent, epoch]);
    },
  };
  const random = new SeededRandom(1);
  const kept = { stored, forget: async () => undefined };
  const parts = { self: SELF, gate, kept, coordination, clock: time, timers: time, random, logger };
  const all = new DomainRecovery({ ...parts, sessionId: () => sessionId } as unknown as DomainRecoveryParts);
  onTestFinished(() => all.stop());
  await all.start();
  await time.advance(5000);
  return { recovered, logged, sessionId, time, engine, tried };
}

test("DX3: an agent whose row changed between the look and the swap goes on under the next epoch", async () => {
  let raised = false;
  const { recovered, logged } = await recovery(
    async () => [{ agent: ONE, meta: META }],
    async (engine) => {
      if (raised) return;
      raised = true;
      const row = await engine.getAgent(ONE);
      const change = { owner: SELF, sessionId: row?.sessionId ?? "", status: "suspended" } as const;
      await engine.compareAndSwap(ONE, 1 as Epoch, change, "pause");
    },
  );
  expect(recovered).toEqual([[ONE, 3]]);
  expect(logged[0]).toMatch("its row changed");
});

test("DX4: an agent that cannot be taken up keeps its epoch, is tried again after growing pauses, and is told of once", async () => {
  const stored: KeptCells["stored"] = async () => [{ agent: ONE, meta: META }];
  const { recovered, logged, time, tried } = await recovery(stored, undefined, 9);
  await time.advance(600_000);
  expect(recovered).toEqual([[ONE, 2]]);
  const pauses = tried.slice(1).map((atMs, n) => atMs - (tried[n] as number));
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000, 64_000]);
  expect(AGAIN_MAX_MS).toBe(64_000);
  expect(logged).toEqual(["durable agent waits", "durable agent goes on"]);
});

test("DX4: one whose manifest cannot be read is told of once and left with its row as it is", async () => {
  const { recovered, logged, time, engine } = await recovery(async () => [
    { agent: ONE, meta: Uint8Array.of(1, 2, 3) },
    { agent: TWO, meta: META },
  ]);
  await time.advance(600_000);
  expect(recovered).toEqual([[TWO, 2]]);
  expect(await engine.getAgent(ONE)).toMatchObject({ epoch: 1, status: "running" });
  expect(logged.filter((line) => line.includes("manifest"))).toHaveLength(1);
});

test("DX3: a disk that cannot be read is read again, and a file that cannot be read holds no other agent up", async () => {
  const order: string[] = [];
  let lists = 0;
  const { recovered } = await recovery(async (unread) => {
    order.push(`list ${++lists}`);
    if (lists === 1) throw new RangeError("no disk");
    if (lists < 4) unread?.(TWO, new RangeError("no file"));
    return [ONE, TWO].slice(0, lists < 4 ? 1 : 2).map((agent) => ({ agent, meta: META }));
  });
  expect(order).toEqual(["list 1", "list 2", "list 3", "list 4"]);
  expect(recovered).toEqual([
    [ONE, 2],
    [TWO, 2],
  ]);
});

test("CF3: a file that cannot be read hides no other, and only a folder that is missing has none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "glia-cells-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = new CellFiles(join(folder, "cells"));
  expect(await files.list()).toEqual([]);
  await files.put({ agent: TWO, meta: META });
  await mkdir(join(folder, "cells", `${ONE}.cell`));
  const unread: AgentId[] = [];
  expect((await files.list((agent) => void unread.push(agent))).map(({ agent }) => agent)).toEqual([TWO]);
  expect(unread).toEqual([ONE]);
  await expect(files.list()).rejects.toThrow("EISDIR");
  await writeFile(join(folder, "file"), "");
  await expect(new CellFiles(join(folder, "file")).list()).rejects.toThrow("ENOTDIR");
});
