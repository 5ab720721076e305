/** What a node says of an agent whose row names it and which it cannot show. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Member, Mesh } from "@glia-os/mesh-core";
import { expect, test } from "vitest";
import { NodeService, type NodeServiceParts } from "../src/node-service.ts";
import type { AgentView } from "../src/node-views.ts";

const self = "01".repeat(32) as NodeId;
const row: AgentRow = {
  agent: "ab".repeat(16) as AgentId,
  owner: self,
  epoch: 4 as Epoch,
  sessionId: "s",
  status: "running",
  name: "words",
  programHash: "00",
  revision: 1,
};

function seen(gate: Partial<CellGate>, more: object = {}, shown = row): Promise<AgentView> {
  const mesh: Partial<Mesh> = {
    self,
    handle: () => {},
    members: () => [{ node: self, name: "core", state: "alive" } as Member],
    coordination: { getAgent: async () => shown } as unknown as Mesh["coordination"],
  };
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  return new NodeService({ mesh, gate, clock, ...more } as unknown as NodeServiceParts).view(shown);
}

const empty = { stands: () => undefined, report: async () => undefined };

test("an agent that is not on the node its row names is lost; one that was suspended there counts as failed, too", async () => {
  expect(await seen(empty)).toMatchObject({ status: "running", lost: true, live: undefined });
  const suspended = { ...row, status: "suspended" } as const;
  expect(await seen(empty, {}, suspended)).toMatchObject({ status: "failed", lost: true });
});

test("an agent that is being taken over, one that is being built, and one whose thread does not answer are not lost", async () => {
  const building = { ...empty, stands: () => ({ state: "created", epoch: 1, suspended: false }) as const };
  const broken = { ...empty, report: () => Promise.reject(new RangeError("the thread is busy")) };
  const views = [
    await seen(empty, { arriving: () => true }),
    await seen(building as unknown as Partial<CellGate>),
    await seen(broken),
  ];
  for (const view of views) {
    expect(view).toMatchObject({ status: "running", live: undefined });
    expect("lost" in view).toBe(false);
  }
});
