/** What an agent with a replica says last is heard, although the agent and its copies are gone by then. */
import { buildAgent } from "@glia-os/guest-js/build";
import { beforeAll, expect, it } from "vitest";
import { AGENT, envelope, OutputsNode, World } from "./outputs-world.ts";

let manifest: { name: string; program: Uint8Array; memoryPages: number; grants: readonly string[] };
beforeAll(async () => {
  const { bytes, grants } = await buildAgent({ entry: `${import.meta.dirname}/programs/leaver.ts` });
  manifest = { name: "agent", program: bytes, memoryPages: 256, grants: [...grants, "replica/hold"] };
}, 120_000);

/** A node with the agent, and those whom it speaks to. */
async function begun(): Promise<{ world: World; node: OutputsNode; heard(): unknown }> {
  const world = new World(() => 0.99);
  const book = world.peer("1", "book");
  const listener = world.peer("3", "listener");
  world.hearers.set("news", [listener.id]);
  const node = new OutputsNode(world, 1);
  await node.start(manifest);
  node.hold(node.entries.length);
  const inputs = (peer: typeof book): unknown[] => peer.heard.map(({ input }) => input);
  return {
    world,
    node,
    heard: () => ({ book: inputs(book), listener: inputs(listener), wrong: world.wrong }),
  };
}

const tell = (message: string, input: unknown): Uint8Array =>
  envelope({ kind: "tell", from: undefined, correlation: 0, message, input });

async function finish(node: OutputsNode): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    node.hold(node.entries.length);
    await node.exchange();
    await node.pass(10);
  }
}

const once = { book: [{ n: 7 }], listener: [{ n: 7 }], wrong: [] };

it("RL3: an agent that sends to a name, publishes and ends is heard by both, once each", async () => {
  const { world, node, heard } = await begun();
  world.toAgent("client", tell("leave", 7));
  await finish(node);
  expect([node.ends.length, node.gate.stands(AGENT)]).toEqual([1, undefined]);
  expect(heard()).toEqual(once);
});

it("RL3: an agent that is ended while a name is looked up is heard, too", async () => {
  const { world, node, heard } = await begun();
  world.toAgent("client", tell("say", 7));
  await node.exchange();
  node.hold(node.entries.length);
  await node.gate.terminate(AGENT);
  await finish(node);
  expect(node.gate.stands(AGENT)).toBeUndefined();
  expect(heard()).toEqual(once);
});
