/** An agent with a replica whose new code holds no capabilities any more: what it asked for before that is done. */
import type { AgentId } from "@glia-os/abi/ids";
import { encodeManifest } from "@glia-os/cells";
import { buildAgent } from "@glia-os/guest-js/build";
import { beforeAll, expect, it } from "vitest";
import { baggageOf } from "../../src/replica/office-for-replicas.ts";
import { Outbox } from "../../src/replica/outbox.ts";
import { encodeOutbox } from "../../src/replica/outbox-codec.ts";
import { RecordedOffice, type RecordedOfficeParts } from "../../src/replica/recorded-office.ts";
import { AGENT, envelope, OutputsNode, World } from "./outputs-world.ts";

let manifest: { name: string; program: Uint8Array; memoryPages: number; grants: readonly string[] };
beforeAll(async () => {
  const { bytes, grants } = await buildAgent({ entry: `${import.meta.dirname}/programs/leaver.ts` });
  manifest = { name: "agent", program: bytes, memoryPages: 256, grants: [...grants, "replica/hold"] };
}, 120_000);

const say = envelope({ kind: "tell", from: undefined, correlation: 0, message: "say", input: 7 });

/** The agent said something that is on its way, and holds no capabilities by now. */
async function dropped(): Promise<{ world: World; node: OutputsNode }> {
  const world = new World(() => 0.99);
  world.peer("1", "book");
  const node = new OutputsNode(world, 1);
  await node.start(manifest);
  node.hold(node.entries.length);
  world.toAgent("client", say);
  await node.exchange();
  const grants = manifest.grants.filter((grant) => !grant.startsWith("service/"));
  expect(grants.length).toBeLessThan(manifest.grants.length);
  // It stands where it waits for a message: the end of an upgrade, without other code.
  node.hold(node.entries.length);
  await node.pass(10);
  const now = { ...manifest, grants };
  const cell = node.gate.cellOf(AGENT);
  [cell.manifest, cell.meta] = [now, encodeManifest(now)];
  node.replicas.exchanged(AGENT, now, []);
  expect(world.peers.values().next().value?.heard).toEqual([]);
  await node.checkpoint(true);
  node.hold(node.entries.length);
  return { world, node };
}

/** What was heard of it when all is done. */
async function heard(node: OutputsNode, world: World): Promise<unknown> {
  for (let turn = 0; turn < 10; turn++) {
    node.hold(node.entries.length);
    await node.exchange();
    await node.pass(10);
  }
  const [book] = world.peers.values();
  return [book?.heard.map(({ input }) => input), node.ends, world.wrong];
}

it("OP3: what waits is at the replica, and is done by whoever takes over", async () => {
  const { world, node } = await dropped();
  node.crash();
  const next = new OutputsNode(world, 2);
  // This guest has a handle of the service still, which a node gives it by its grants.
  await next.adopt(node.copy(manifest, node.held), 2);
  expect(await heard(next, world)).toEqual([[{ n: 7 }], [], []]);
});

it("OP3: what waits arrives with an agent that holds none, by a move or a takeover, and is done there", () => {
  const sent: unknown[] = [];
  const quiet = { log: () => undefined, child: () => quiet };
  const office = new RecordedOffice({
    timers: { schedule: () => ({ cancel: () => undefined }) },
    logger: quiet,
    open: (to: AgentId, _events: unknown, carried: { held: readonly Uint8Array[] }) => {
      sent.push([to[0], ...carried.held]);
      return { link: "", unacknowledged: 1, offer: () => true, close: () => undefined };
    },
    held: () => undefined,
  } as unknown as RecordedOfficeParts);
  const family = { parent: undefined, children: [] };
  const outbox = Outbox.of(new Uint8Array(16), family);
  outbox.acts([{ kind: "send", to: "7".repeat(32), payload: Uint8Array.of(7) }]);
  const plain = {
    stage: () => sent.push("to the plain office"),
    runs: () => undefined,
    gone: () => undefined,
  };
  const baggage = baggageOf(plain as never, office);
  office.open({ agent: AGENT, did: () => undefined, when: (go) => go() }, false);
  expect(office.keeps(AGENT)).toBe(false);
  baggage.stage(AGENT, encodeOutbox(outbox));
  expect(office.keeps(AGENT)).toBe(true);
  baggage.runs(AGENT);
  expect(sent).toEqual([["7", Uint8Array.of(7)]]);
});
