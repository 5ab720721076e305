import { errorCodeOf, type GliaError } from "@glia-os/abi/errors";
import { MeshError } from "@glia-os/abi/errors/mesh";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { Member, Mesh } from "@glia-os/mesh-core";
import { expect, test } from "vitest";
import { NodeService, type NodeServiceParts } from "../src/node-service.ts";

const agent = "ab".repeat(16) as AgentId;
const [self, edge, core] = ["01", "02", "03"].map((byte) => byte.repeat(32) as NodeId) as [
  NodeId,
  NodeId,
  NodeId,
];

class LostAnswer extends MeshError<"mesh.call-timeout"> {
  constructor() {
    super("mesh.call-timeout", "no answer");
  }
}

function row(owner: NodeId, epoch: number): AgentRow {
  const rest = {
    sessionId: "s",
    status: "running",
    name: "words",
    programHash: "00",
    revision: epoch,
  } as const;
  return { agent, owner, epoch: epoch as Epoch, ...rest };
}

/** A node whose calls get no answer, and a registry that says `before`, and `after` once a call was made. */
function serviceWith(before: AgentRow, after: AgentRow): NodeService {
  let row = before;
  const mesh: Partial<Mesh> = {
    self,
    handle: () => {},
    members: () => [{ node: core, name: "core", state: "alive" } as Member],
    call: () => {
      row = after;
      return Promise.reject(new LostAnswer());
    },
    coordination: { getAgent: async () => row } as unknown as Mesh["coordination"],
  };
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  return new NodeService({ mesh, gate: undefined, clock } as unknown as NodeServiceParts);
}

test("a move whose answer is lost but which was committed says where the agent is, and is not repeated", async () => {
  const error = await serviceWith(row(edge, 4), row(core, 5))
    .migrate(agent, "core")
    .catch((caught: unknown) => caught);
  expect(errorCodeOf(error)).toBe("daemon.move-unconfirmed");
  expect((error as GliaError).details).toEqual({ agent, owner: core, epoch: 5 });
});

test("a move whose answer is lost and which changed nothing is the lost answer", async () => {
  const moving = serviceWith(row(edge, 4), row(edge, 4)).migrate(agent, "core");
  expect(errorCodeOf(await moving.catch((caught: unknown) => caught))).toBe("mesh.call-timeout");
});
