/**
 * One run of moves of an agent among five nodes while messages flow to it, under faults drawn from the seed.
 *
 * G1. At every delivery at most one copy is live, and in the end it is the registry's owner under the registry's epoch.
 * G2. Every acknowledged message is applied exactly once, in order.
 * G3. The state that arrives is the state that left; the host of the agents refuses any other.
 * G4. A move ends: the agent went, or it runs where it was, or its owner is dead.
 * G5. A crash or a cut at any message of a move leaves one owner.
 * G7. What is redirected finds the agent: after the faults every message that was sent arrives.
 * G8. Of moves of one agent at the same time at most one is carried out at once.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import { SeededRandom } from "../../src/testing/index.ts";
import { Cluster, payload, type TestNode } from "../cluster.ts";

const NODES = 5;
const SENDER = 4;
const LIMIT_MS = 120_000;
const CUT_MS = 40_000;

/** The cluster, the agent's life in it, and what is wrong. */
class MovesRun {
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  #sent = 0;
  #wrong: string | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed).fork("moves");
    this.#cluster = new Cluster(seed, { loss: 0, duplication: 0, breaks: 0, delayMs: 1, jitterMs: 2 });
  }

  async violation(): Promise<string | undefined> {
    const cluster = this.#cluster;
    await cluster.boot(NODES);
    const agent = await cluster.spawn(cluster.node(1), 1, 100_000);
    const link = cluster.node(SENDER).mesh.link(agent);
    const send = (): void => void link.send(payload(this.#sent++)).catch(() => undefined);
    for (let n = 0; n < 10; n++) send();
    await cluster.time.advance(50);
    if (this.#chance(0.5))
      cluster.network.faults = { loss: 0.1, duplication: 0.1, breaks: 0.01, delayMs: 1, jitterMs: 4 };
    const watch = (): boolean => {
      const live = cluster.liveOn(agent);
      if (live.length > 1) this.#note(`G1: ${live.length} copies live at once`);
      return true;
    };
    cluster.network.onDelivery = watch;
    let crashes = 0;
    for (let round = 0; round < 3; round++) {
      const ends = this.#begin(agent);
      if (this.#chance(0.7)) crashes += this.#disturb(crashes);
      for (let n = 0; n < 5; n++) {
        send();
        await cluster.time.advance(3);
      }
      const ended = (): boolean => ends.every(({ done }) => done);
      await cluster.time.advanceUntil(ended, CUT_MS);
      // A fault that did not happen yet does not happen any more.
      cluster.network.onDelivery = watch;
      cluster.network.heal();
      // Behind a cut nobody can know how a move ended; once there is none, everybody must.
      if (!(await cluster.time.advanceUntil(ended, LIMIT_MS)))
        this.#note("G4: a move neither came to its end nor gave up");
      await cluster.time.advance(this.#random.uint32() % 5000);
    }
    await cluster.time.advance(90_000);
    await this.#settled(agent, link.stats().acknowledged);
    return this.#wrong;
  }

  /** One or two moves from wherever the agent lives. */
  #begin(agent: AgentId): { done: boolean }[] {
    const [source] = this.#cluster.liveOn(agent);
    if (source === undefined) return [];
    const others = [0, 1, 2, 3].map((n) => this.#cluster.node(n)).filter(({ id }) => id !== source.id);
    return Array.from({ length: this.#chance(0.4) ? 2 : 1 }, () => {
      const to = others[this.#random.uint32() % others.length] as TestNode;
      const end = { done: !source.process.running };
      const strategy = this.#chance(0.5) ? "pre-copy" : "stop-and-copy";
      const settle = (): void => {
        end.done = true;
      };
      source.mesh.migrate(agent, to.id, { strategy }).then(settle, settle);
      this.#owe.push({ source, end });
      return end;
    });
  }

  /** Who asked for a move and has not heard of it: a crash ends that too. */
  readonly #owe: { readonly source: TestNode; readonly end: { done: boolean } }[] = [];

  /** Something goes wrong at a random message from now; the number of crashes it makes. */
  #disturb(crashes: number): number {
    const { network } = this.#cluster;
    const node = (): TestNode => this.#cluster.node(this.#random.uint32() % SENDER);
    const [a, b] = [node(), node()];
    const kind = this.#random.uint32() % (crashes === 0 ? 3 : 2);
    const after = this.#random.uint32() % 40;
    const first = network.delivered;
    const watched = network.onDelivery;
    let hit = false;
    network.onDelivery = (delivery, index) => {
      if (!hit && index - first >= after) {
        hit = true;
        if (kind === 0 && a !== b) network.breakSessions(a.id, b.id);
        else if (kind === 1) network.partition([a.id]);
        else if (kind === 2 && a !== this.#cluster.anchor) this.#crash(a);
      }
      return watched?.(delivery, index) ?? true;
    };
    return kind === 2 ? 1 : 0;
  }

  #crash(node: TestNode): void {
    node.process.crash();
    for (const { source, end } of this.#owe) if (source === node) end.done = true;
  }

  async #settled(agent: AgentId, acknowledged: number): Promise<void> {
    const row = await this.#cluster.engine.getAgent(agent);
    const [live] = this.#cluster.liveOn(agent);
    const owner = this.#cluster.nodes.find(({ id }) => id === (row?.owner as NodeId | undefined));
    if (live === undefined) {
      if (owner?.process.running === true) this.#note("G4: no copy lives, and the owner's node runs");
      return;
    }
    if (live.id !== row?.owner || live.cells.epoch(agent) !== row.epoch)
      this.#note(`G1: the live copy is not the owner's, or not of epoch ${row?.epoch}`);
    const applied = live.cells.applied(agent);
    if (applied.some((value, n) => value !== n))
      this.#note(`G2: messages were applied as ${applied.join(" ")}`);
    if (applied.length < acknowledged)
      this.#note(`G2: ${acknowledged} messages were acknowledged and ${applied.length} applied`);
    if (applied.length !== this.#sent)
      this.#note(`G7: of ${this.#sent} messages ${applied.length} arrived in the end`);
  }

  #chance(rate: number): boolean {
    return this.#random.uint32() < rate * 0x1_0000_0000;
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}

/** What does not hold for a seed; undefined when all does. */
export async function movesViolation(seed: number): Promise<string | undefined> {
  return new MovesRun(seed).violation();
}
