/** An agent with a replica that ended, and whose replica was lost before it had the last of it. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import { type CellEnd, ReplicaGate } from "@glia-os/cells";
import { createTestKernel } from "@glia-os/kernel/testing";
import { expect, it } from "vitest";

const AGENT = "ab".repeat(16) as AgentId;
const ASKER = { link: "01".repeat(16), seq: 1, from: "cd".repeat(32) as NodeId };
const MANIFEST = { name: "agent", program: new Uint8Array(), memoryPages: 1, grants: ["replica/hold"] };
const FINISHED: CellEnd = { kind: "finished", status: 0 };

/** Replies that left after that, with what came of ending its row. */
async function repliesAfter(isOver: () => Promise<boolean>): Promise<readonly number[][]> {
  const replies: number[][] = [];
  const runner = { start: async () => undefined };
  const gate = new ReplicaGate(runner as never, createTestKernel(1).clock);
  let position = 0;
  const feed = {
    append: () => ++position,
    get position() {
      return position;
    },
    ready: true,
    full: false,
  };
  gate.bind({ begin: () => feed, end: () => undefined });
  const events = gate.events({
    replyReady: (_, __, payload) => void replies.push([...payload]),
    cellEnded: () => isOver(),
  });
  await gate.runner().start(AGENT, MANIFEST);
  gate.inputs(AGENT, Uint8Array.of(1));
  events.replyReady(AGENT, ASKER, Uint8Array.of(7));
  events.cellEnded(AGENT, 1 as Epoch, FINISHED);
  expect(replies).toEqual([]);
  gate.get(AGENT)?.lost();
  await new Promise((resolve) => setImmediate(resolve));
  return replies;
}

it("RT4: its replies leave when its row is ended, for nobody goes on with it then", async () => {
  expect(await repliesAfter(async () => true)).toEqual([[7]]);
});

it("RT4: its replies stay here when its row could not be ended: another node may have it", async () => {
  expect(await repliesAfter(async () => false)).toEqual([]);
  expect(await repliesAfter(() => Promise.reject(new RangeError("away")))).toEqual([]);
});
