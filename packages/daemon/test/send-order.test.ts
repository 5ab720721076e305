import type { AgentId } from "@glia-os/abi/ids";
import { expect, test } from "vitest";
import { NodeService, type NodeServiceParts } from "../src/node-service.ts";

const agent = "a".repeat(32) as AgentId;

/** A service whose look-ups are answered by hand; what its links are given is written down. */
function service(): {
  readonly node: NodeService;
  readonly lookups: (() => void)[];
  readonly sent: number[];
} {
  const lookups: (() => void)[] = [];
  const sent: number[] = [];
  const link = {
    agent,
    send: async ([first]: Uint8Array) => void sent.push(first ?? -1),
    stats: () => ({ sent: sent.length, acknowledged: 0 }),
  };
  const mesh = {
    self: "b".repeat(64),
    handle: () => undefined,
    parts: () => [],
    members: () => [],
    coordination: {
      findAgent: () => new Promise((resolve) => lookups.push(() => resolve({ agent, status: "running" }))),
    },
    link: () => link,
  };
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  const parts = { mesh, gate: undefined, clock, sessionId: () => "" } as unknown as NodeServiceParts;
  return { node: new NodeService(parts), lookups, sent };
}

test("messages sent by name at once leave in the order of the calls, whichever look-up is answered first", async () => {
  const { node, lookups, sent } = service();
  const sending = [1, 2, 3].map((number) => node.send("words", Uint8Array.of(number)));
  await Promise.resolve();
  for (const answer of lookups.toReversed()) {
    answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(sending);
  expect(sent).toEqual([1, 2, 3]);
});
