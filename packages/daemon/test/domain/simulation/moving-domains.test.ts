/**
 * Moves of durable agents under failure, at every step: before each message of a move is delivered, a participant crashes and comes back later with its
 * disk, or a way between two of them breaks.
 *
 * G1. At most one node has the agent live, at every delivery; at the end exactly one, which the registry names, under its epoch.
 * G2. Nothing that was acknowledged is lost, nothing is applied twice, and every ask has one reply, consistent with what came before it.
 */
import { describe, expect, it } from "vitest";
import { AGENT, DomainCluster, type DomainNode } from "./domain-cluster.ts";

const FAULTS = ["source", "destination", "anchor", "source-destination-cut", "source-anchor-cut"] as const;
type Fault = (typeof FAULTS)[number] | "none";
const VICTIM = { source: 1, destination: 2, anchor: 0 } as const;
const soak = process.env["GLIA_SOAK"] === "1";
const SEEDS = soak ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
/** More messages than a move takes. */
const STEPS = 40;

/** One move from node 1 to node 2 while node 3 sends, with `fault` before message `step` of it. Returns how many messages it took. */
async function move(seed: number, fault: Fault, step: number): Promise<number> {
  const cluster = new DomainCluster(seed);
  const { time, network } = cluster;
  await cluster.boot(4);
  const [source, destination, sender] = [1, 2, 3].map((n) => cluster.nodes[n]) as [
    DomainNode,
    DomainNode,
    DomainNode,
  ];
  await cluster.spawn(source);
  // Seed 1 is a calm network; the others add loss, doubling, jitter and broken streams.
  if (seed !== 1) network.faults = { loss: 0.05, duplication: 0.1, breaks: 0.005, delayMs: 1, jitterMs: 4 };
  const link = sender.mesh.link(AGENT);
  const [replies, sent]: [Map<number, string>, number[]] = [new Map(), []];
  const send = (): void => {
    const n = sent.push(sent.length) - 1;
    if (n % 4 !== 3) link.send(new TextEncoder().encode(`${n}`)).catch(() => undefined);
    else
      link.ask(new TextEncoder().encode(`${n}`), 300_000).then(
        (reply) => void replies.set(n, new TextDecoder().decode(reply)),
        () => undefined,
      );
  };
  for (let n = 0; n < 30; n++) send();
  await time.advance(100);
  const first = network.delivered;
  let hit = false;
  let crashed: number | undefined;
  network.onDelivery = (_, index) => {
    expect(cluster.live().length, "G1: one live owner").toBeLessThanOrEqual(1);
    if (hit || index - first !== step) return true;
    hit = true;
    if (fault === "source-destination-cut") network.breakSessions(source.id, destination.id);
    else if (fault === "source-anchor-cut") network.breakSessions(source.id, cluster.nodes[0]?.id as never);
    else if (fault !== "none") {
      crashed = VICTIM[fault];
      cluster.nodes[crashed]?.process.crash();
    }
    return true;
  };
  let done = false;
  const settle = (): void => {
    done = true;
  };
  source.mesh
    .migrate(AGENT, destination.id, { strategy: step % 2 === 0 ? "pre-copy" : "stop-and-copy" })
    .then(settle, settle);
  for (let n = 0; n < 12; n++) {
    send();
    await time.advance(2);
  }
  const steps = network.delivered - first;
  await time.advance(3000);
  if (crashed !== undefined) await cluster.restart(crashed);
  const whole = (): boolean =>
    cluster.live().length === 1 && replies.size === sent.filter((n) => n % 4 === 3).length;
  await time.advanceUntil(() => whole() && (done || crashed === VICTIM.source), 150_000);
  send();
  while (sent.length % 4 !== 0) send();
  await time.advanceUntil(() => replies.has(sent.length - 1), 60_000);
  const row = await cluster.coordination.getAgent(AGENT);
  const [live, ...others] = cluster.live();
  expect(others, "G1: one live owner").toEqual([]);
  expect({ owner: live?.id, epoch: live?.gate.stands(AGENT)?.epoch }, "G1: the registry's").toEqual({
    owner: row?.owner,
    epoch: row?.epoch,
  });
  const asked = sent.filter((n) => n % 4 === 3);
  expect(
    [...replies.keys()].sort((a, b) => a - b),
    "G2: every ask has its reply",
  ).toEqual(asked);
  for (const n of asked)
    expect(replies.get(n), "G2: nothing lost or doubled").toBe(sent.slice(0, n + 1).join(","));
  expect(cluster.ended).toEqual([]);
  await time.advance(70_000);
  expect(await cluster.stored(), "only its owner keeps it").toEqual(cluster.live().map(({ n }) => n));
  for (const { mesh, process } of cluster.nodes) if (process.running) await time.settle(mesh.stop());
  return steps;
}

describe("a durable agent moves with a failure at every step", () => {
  for (const fault of FAULTS) {
    const nth = soak ? 1 : fault === "source" || fault === "destination" ? 2 : 5;
    const steps = Array.from({ length: STEPS }, (_, step) => step + 1).filter((step) => step % nth === 0);
    it(`G1, G2: ${fault} at ${nth === 1 ? "each" : `one in ${nth}`} of the first ${STEPS} messages`, async () => {
      for (const seed of SEEDS)
        for (const step of steps) {
          await move(seed, fault, step);
          await new Promise((go) => setImmediate(go));
        }
      console.log(`${fault}: ${SEEDS.length * steps.length} moves, seeds ${SEEDS.join(" ")}`);
    }, 1_200_000);
  }

  it("a move without a failure takes fewer messages than the steps that are tried", async () => {
    expect(await move(1, "none", 0)).toBeGreaterThan(0);
  });
});
