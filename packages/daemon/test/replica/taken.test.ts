/** What a member says of a takeover is asked for, not believed. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { AgentLocation, CallHandler, Mesh } from "@glia-os/mesh-core";
import { expect, test } from "vitest";
import { ReplicaService, type ReplicaServiceParts } from "../../src/replica/replica-service.ts";

const AGENT = "ab".repeat(16) as AgentId;
const [SELF, OWNER, LIAR] = ["1", "2", "3"].map((digit) => digit.repeat(64)) as [NodeId, NodeId, NodeId];

/** A member says that it took the agent over under this epoch; what the links are told, and how often coordination is asked. */
async function said(epoch: number, row: Partial<AgentRow> | undefined, knows: boolean) {
  const told: AgentLocation[] = [];
  const handlers = new Map<string, CallHandler>();
  let asked = 0;
  const links = { knows: () => knows, relocated: (at: AgentLocation) => void told.push(at) };
  const mesh = {
    self: SELF,
    handle: (method: string, handler: CallHandler) => void handlers.set(method, handler),
    parts: () => ["links"],
    part: () => links,
    coordination: {
      getAgent: async () => {
        asked++;
        return row;
      },
    } as unknown as Mesh["coordination"],
  } as unknown as Mesh;
  new ReplicaService({ mesh, replicas: { bind: () => undefined } } as unknown as ReplicaServiceParts);
  const body = new TextEncoder().encode(JSON.stringify({ agent: AGENT, epoch }));
  await handlers.get("replica.taken")?.({ node: LIAR, role: "client" }, body);
  return { told, asked };
}

test("RS3: a member that claims an agent under the highest epoch moves no link: the row's owner and epoch are told", async () => {
  const row = { owner: OWNER, epoch: 7 as Epoch, status: "running" } as const;
  const at = { agent: AGENT, epoch: 7, owner: OWNER };
  expect(await said(Number.MAX_SAFE_INTEGER, row, true)).toEqual({ told: [at], asked: 1 });
  expect(await said(9, undefined, true)).toEqual({ told: [], asked: 1 });
  expect(await said(9, { ...row, status: "terminated" }, true)).toEqual({ told: [], asked: 1 });
});

test("RS3: a node that has nothing to do with the agent asks nobody", async () => {
  expect(await said(9, { owner: OWNER }, false)).toEqual({ told: [], asked: 0 });
});
