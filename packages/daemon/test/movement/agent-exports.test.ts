/** Exports of agents whose rows change meanwhile (AX3). */
import type { AgentId, ClusterId, Epoch, NodeId } from "@glia-os/abi/ids";
import { type CellGate, encodeManifest } from "@glia-os/cells";
import { createEd25519Signer, generateEd25519Key } from "@glia-os/hal";
import { expect, test } from "vitest";
import { AgentExports, type AgentExportsParts } from "../../src/movement/agent-exports.ts";

const agent = "cd".repeat(16) as AgentId;
const program = Uint8Array.of(0, 97, 115, 109);
const meta = encodeManifest({ name: "counter", program, grants: ["glia.v1"], memoryPages: 1 });
const passphrase = { kind: "passphrase", salt: new Uint8Array(16), logN: 14, r: 8, p: 1 } as const;

/** The epochs an agent goes on under when its row was renewed while it was read out. */
async function thawed(append: () => Promise<void>): Promise<number[]> {
  let epoch = 4 as Epoch;
  const epochs: number[] = [];
  const gate: Partial<CellGate> = {
    stands: () => ({ state: "running", epoch, suspended: false }),
    describe: () => ({ epoch, meta, suspended: false, estimatedBytes: 0 }),
    freeze: async () => {
      epoch = 5 as Epoch;
      return async () => undefined;
    },
    thaw: async (_, under) => void epochs.push(under),
  };
  const exports = new AgentExports({
    gate,
    signer: createEd25519Signer(generateEd25519Key()),
    shelf: { open: async () => {}, append, size: async () => 1, remove: async () => {} },
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    random: { bytes: (into: Uint8Array) => into.fill(5) },
    meter: { count: () => {} },
    mesh: { self: "02".repeat(32) as NodeId, cluster: "ab".repeat(32) as ClusterId },
  } as unknown as AgentExportsParts);
  const seal = { kind: "secret", secret: new Uint8Array(32), seal: passphrase } as const;
  await exports.begin(agent, seal, false).catch(() => undefined);
  return epochs;
}

test("AX3: an agent whose row was renewed while it stood still goes on under the new epoch, whether or not it could be written", async () => {
  expect(await thawed(async () => {})).toEqual([5]);
  expect(await thawed(() => Promise.reject(new RangeError("the disk is full")))).toEqual([5]);
});
