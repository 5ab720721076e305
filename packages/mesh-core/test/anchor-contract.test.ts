/** The contract of `Coordination`, run against the anchor's server and client: every case the engines of the store pass. */

import { errorCodeOf, RemoteError } from "@glia-os/abi/errors";
import type { AgentId, ClusterId, NodeId } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { coordinationContract } from "@glia-os/store/testing";
import { describe, expect, it } from "vitest";
import { errorFields, errorRecordOf } from "../src/admission/error-record.ts";
import { AnchorClient } from "../src/anchor/client.ts";
import { AnchorServer } from "../src/anchor/server.ts";
import { decodeCbor, encodeCbor } from "../src/index.ts";
import { digests, idOf, signerOf } from "./digests.ts";

/** Cases the anchor answers otherwise, and why. What is refused stays refused; see the test after the contract. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "K4: the same request id with other arguments":
    "request ids are per node here: two nodes may use the same one",
  "refuses a take-over that makes no sense": "an odd status does not fit a message: mesh.malformed-message",
  "a lease time that is not a whole number": "a fraction does not fit a message: mesh.malformed-message",
  "a name that is empty, over 256 bytes": "an ill-formed name does not fit a message: mesh.malformed-message",
  "malformed ids, epochs, statuses": "they do not fit a message: mesh.malformed-message",
};

/** A client for each node of one anchor. */
function clientsOf(engine: Coordination): (node: NodeId) => AnchorClient {
  const fence = { cluster: "ab".repeat(32) as ClusterId, anchorEpoch: 1 };
  const methods = new Map(new AnchorServer(engine, digests, () => fence).methods());
  const anchor = idOf(signerOf(0));
  return (node) =>
    new AnchorClient({
      target: () => ({ anchor, ...fence }),
      call: async (_node, method, body) => {
        const handler = methods.get(method);
        if (handler === undefined) throw new TypeError(method);
        try {
          return await handler({ node, role: "edge" }, body);
        } catch (error) {
          // What crosses the wire of an error, and nothing more.
          throw new RemoteError(errorRecordOf(decodeCbor(encodeCbor(errorFields(error)))));
        }
      },
    });
}

/** Clients of many nodes as one port: each operation is asked by the node it is about, as AN2 wants it. */
function everyNode(engine: Coordination): Coordination {
  const as = clientsOf(engine);
  const anchor = idOf(signerOf(0));
  const holder = (sessionId: string): NodeId => sessionId.slice(0, 64) as NodeId;
  const owner = async (agent: AgentId): Promise<NodeId> => (await engine.getAgent(agent))?.owner ?? anchor;
  const reader = as(anchor);
  return {
    openSession: (node, ttlMs, requestId) => as(node).openSession(node, ttlMs, requestId),
    renewSession: (sessionId) => as(holder(sessionId)).renewSession(sessionId),
    closeSession: (sessionId) => as(holder(sessionId)).closeSession(sessionId),
    createAgent: (row, requestId) => as(row.owner).createAgent(row, requestId),
    compareAndSwap: async (agent, expected, change, requestId) =>
      as(await owner(agent)).compareAndSwap(agent, expected, change, requestId),
    takeOver: (agent, expected, change, requestId) =>
      as(holder(change.sessionId)).takeOver(agent, expected, change, requestId),
    getAgent: (agent) => reader.getAgent(agent),
    findAgent: (name) => reader.findAgent(name),
    listAgents: () => reader.listAgents(),
    changesSince: (revision, limit) => reader.changesSince(revision, limit),
    close: () => engine.close(),
  };
}

describe("coordination through the anchor", () => {
  for (const { title, run } of coordinationContract) {
    const reason = Object.entries(DIFFERENT).find(([start]) => title.startsWith(start))?.[1];
    it(title, async (context) => {
      context.skip(reason !== undefined, reason);
      let nowMs = 0;
      const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
      await run({
        open: async (limits) =>
          everyNode(createMemoryCoordination({ clock, ...(limits === undefined ? {} : { limits }) })),
        advanceMs: (ms) => {
          nowMs += ms;
        },
      });
    });
  }

  it("arguments that do not fit a message are refused before they are sent, and K4 holds per node", async () => {
    const engine = createMemoryCoordination({ clock: { monotonicMs: () => 0, wallMs: () => 0 } });
    const port = everyNode(engine);
    const [a, b] = [idOf(signerOf(1)), idOf(signerOf(2))];
    const code = async (promise: Promise<unknown>): Promise<string | undefined> => {
      try {
        await promise;
        return undefined;
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    const { sessionId } = await port.openSession(a, 10_000, "same");
    await port.openSession(b, 10_000, "same");
    expect(await code(port.openSession(a, 20_000, "same"))).toBe("store.request-id-reused");
    expect(await code(port.openSession(a, 1000.5, "x"))).toBe("mesh.malformed-message");
    expect(await code(port.openSession(a, 10, "x"))).toBe("store.ttl-out-of-range");
    expect(await code(port.openSession(a, 10_000, "\u00e9"))).toBe("mesh.malformed-message");
    const row = { owner: a, sessionId, status: "running" as const, programHash: "0".repeat(64) };
    const create = (name: string): Promise<unknown> =>
      port.createAgent({ ...row, agent: "11".repeat(16) as AgentId, name }, "create");
    expect(await code(create(""))).toBe("store.name-invalid");
    expect(await code(create("\ud800"))).toBe("mesh.malformed-message");
    expect(await engine.listAgents()).toEqual([]);
  });

  it("AN5: the owner's swap reads no row that the anchor saw, and nobody else's goes by what it remembers", async () => {
    const engine = createMemoryCoordination({ clock: { monotonicMs: () => 0, wallMs: () => 0 } });
    const read = engine.getAgent.bind(engine);
    let reads = 0;
    engine.getAgent = (one) => {
      reads += 1;
      return read(one);
    };
    const [a, b] = [idOf(signerOf(1)), idOf(signerOf(2))];
    const as = clientsOf(engine);
    const agent = "11".repeat(16) as AgentId;
    const [ofA, ofB] = await Promise.all([a, b].map((node) => as(node).openSession(node, 10_000, "s")));
    const row = { agent, owner: a, status: "running" as const, name: "one", programHash: "0".repeat(64) };
    let { epoch } = await as(a).createAgent({ ...row, sessionId: ofA!.sessionId }, "create");
    const toA = { owner: a, sessionId: ofA!.sessionId, status: "running" as const };
    const toB = { ...toA, owner: b, sessionId: ofB!.sessionId };
    for (const change of [toA, toB]) {
      const outcome = await as(a).compareAndSwap(agent, epoch, change, `swap ${epoch}`);
      expect(outcome.kind).toBe("committed");
      if (outcome.kind === "committed") epoch = outcome.row.epoch;
    }
    expect(reads, "a row that was created and changed through this anchor").toBe(0);
    const refused = await as(a)
      .compareAndSwap(agent, epoch, toA, "not its own")
      .catch((error: unknown) => errorCodeOf(error));
    expect(refused).toBe("mesh.not-yours");
    expect(reads).toBe(1);
    // Changed behind the anchor's back: what it remembers is old, and changes nothing.
    await engine.compareAndSwap(agent, epoch, toA, "elsewhere");
    const late = await as(b).compareAndSwap(agent, epoch, toB, "late");
    expect(late.kind).toBe("conflict");
    expect((await read(agent))?.owner).toBe(a);
  });
});
