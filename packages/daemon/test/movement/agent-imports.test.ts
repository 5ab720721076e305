/** Imports whose timer, calls and answers come at the wrong time (AI1, AI3, AI4). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, ClusterId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, Coordination, Timers } from "@glia-os/abi/ports";
import {
  type AgentFileHeader,
  AgentFileWriter,
  type CellGate,
  encodeManifest,
  FILE_START_MAX,
  signerOf,
} from "@glia-os/cells";
import { createEd25519Signer, generateEd25519Key } from "@glia-os/hal";
import type { Mesh } from "@glia-os/mesh-core";
import { expect, test } from "vitest";
import { AgentImports, type AgentImportsParts } from "../../src/movement/agent-imports.ts";
import { FILE_CRYPTO } from "../../src/movement/file-crypto.ts";

const signer = createEd25519Signer(generateEd25519Key());
const SECRET = new Uint8Array(32).fill(7);
const header: AgentFileHeader = {
  cluster: "ab".repeat(32) as ClusterId,
  nodeKey: signer.publicKey,
  agent: "cd".repeat(16) as AgentId,
  epoch: 4 as Epoch,
  name: "counter",
  exportedMs: 1_700_000_000_000,
  seal: { kind: "passphrase", salt: new Uint8Array(16).fill(9), logN: 14, r: 8, p: 1 },
};
const by = signerOf(header, FILE_CRYPTO.digests);

function file(): Uint8Array {
  const writer = new AgentFileWriter(header, SECRET, FILE_CRYPTO, signer);
  const program = Uint8Array.of(0, 97, 115, 109);
  const meta = encodeManifest({ name: "counter", program, grants: ["glia.v1"], memoryPages: 1 });
  const parts = [...writer.start(meta), ...writer.push(new Uint8Array(5000)), writer.finish()];
  return new Uint8Array(Buffer.concat(parts));
}

/** A node that is one import's: what is asked of it, and what it does with that. */
class Node {
  readonly did: string[] = [];
  readonly asked: string[] = [];
  /** Run while a request to coordination is under way. */
  during: () => Promise<void> = async () => {};
  lostAnswers = 0;
  failures = 0;
  /** What the building of the agent waits for. */
  built = Promise.resolve();
  idle: (() => void) | undefined;

  readonly imports = new AgentImports({
    signer,
    timers: {
      schedule: (_: number, run: () => void) => {
        this.idle = run;
        return { cancel: () => (this.idle = undefined) };
      },
    } as unknown as Timers,
    random: { bytes: (into: Uint8Array) => into.fill(5) },
    meter: { count: () => {} },
    sessionId: () => "s",
    gate: this.#gate(),
    mesh: {
      self: "02".repeat(32) as NodeId,
      cluster: header.cluster,
      members: () => [{ node: by }],
      coordination: this.#coordination(),
    } as unknown as Mesh,
  } as unknown as AgentImportsParts);

  /** What the row of the agent says; undefined before there is one. */
  row: AgentRow | undefined;

  #coordination(): Partial<Coordination> {
    return {
      createAgent: async (row, id) => {
        this.row = await this.#create(row, id);
        return this.row;
      },
      getAgent: async () => this.row,
      compareAndSwap: async (_agent, epoch, { owner, sessionId, status }) => {
        const row = { ...(this.row as AgentRow), owner, sessionId, status, epoch: (epoch + 1) as Epoch };
        this.row = row;
        return { kind: "committed", row };
      },
    };
  }

  #gate(): CellGate {
    const gate: Partial<CellGate> = {
      refusesNew: undefined,
      checkProgram: async () => "00",
      stands: () =>
        this.did.includes("discarded")
          ? undefined
          : { state: "created", epoch: 1 as Epoch, suspended: false },
      stage: async (_, __, next) => {
        await this.built;
        while ((await next()) !== undefined);
        this.did.push("staged");
      },
      activate: async () => {
        if (this.failures-- > 0) throw new RangeError("the thread is busy");
        this.did.push("runs");
      },
      discard: async () => void this.did.push("discarded"),
    };
    return gate as CellGate;
  }

  async #create(row: Parameters<Coordination["createAgent"]>[0], id: string): Promise<AgentRow> {
    this.asked.push(id);
    await this.during();
    if (this.lostAnswers-- > 0) throw new RangeError("no answer");
    return { ...row, epoch: 1 as Epoch } as AgentRow;
  }

  async begun(
    { as }: { readonly as?: string | undefined } = { as: "copy" },
  ): Promise<{ readonly id: string; readonly rest: Uint8Array }> {
    const whole = file();
    const { id, start } = await this.imports.begin(whole.subarray(0, FILE_START_MAX), SECRET, {
      as,
      signer: by,
    });
    return { id, rest: whole.subarray(start) };
  }
}

test("AI3: neither its timer nor whoever gives it up drops an agent whose row is being written", async () => {
  const node = new Node();
  const { id, rest } = await node.begun();
  await node.imports.write(id, rest);
  node.during = async () => {
    node.idle?.();
    await node.imports.drop(id);
  };
  await node.imports.end(id);
  expect(node.did).toEqual(["staged", "runs"]);
});

test("AI1: a row whose answer is lost is asked for again under the same id, and an agent that does not begin is begun again", async () => {
  const node = new Node();
  node.lostAnswers = 1;
  node.failures = 1;
  const { id, rest } = await node.begun();
  await node.imports.write(id, rest);
  await node.imports.end(id);
  expect(node.did).toEqual(["staged", "runs"]);
  expect([node.asked.length, new Set(node.asked).size]).toEqual([2, 1]);
});

test.each([
  ["a copy", "copy", "terminated"],
  ["an agent", undefined, "exported"],
] as const)("AI1: after %s could not begin three times no row names this node", async (_what, as, status) => {
  const node = new Node();
  node.failures = 3;
  if (as === undefined)
    node.row = { agent: header.agent, epoch: 4, owner: by, status: "exported", name: "counter" } as AgentRow;
  const { id, rest } = await node.begun({ as });
  await node.imports.write(id, rest);
  await expect(node.imports.end(id)).rejects.toThrow("the thread is busy");
  expect(node.did).toEqual(["staged", "discarded"]);
  expect(node.row).toMatchObject({ owner: "02".repeat(32), status });
});

test("AI4: a piece and the end are refused while the piece before is built in, which goes on", async () => {
  const node = new Node();
  const { promise, resolve } = Promise.withResolvers<void>();
  node.built = promise;
  const { id, rest } = await node.begun();
  const first = node.imports.write(id, rest);
  const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined, errorCodeOf);
  expect(await codeOf(node.imports.write(id, rest))).toBe("daemon.transfer-busy");
  expect(await codeOf(node.imports.end(id))).toBe("daemon.transfer-busy");
  resolve();
  await first;
  await node.imports.end(id);
  expect(node.did).toEqual(["staged", "runs"]);
});
