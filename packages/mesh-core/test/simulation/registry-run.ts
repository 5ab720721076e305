/**
 * One run of the registry over nodes that die, come, move agents and are cut off, with members that store what is not theirs to say.
 *
 * R1. A lookup returns an owner and epoch that somebody committed, and no epoch below one whose host would not answer `moved`.
 * R2. When all is quiet again, every node finds every agent of a living owner, under its highest epoch.
 * R3. What a dead owner said is gone when its time is over.
 * R4. A lookup ends, asks no peer the same twice, and asks at most LOOKUP_CALLS_MAX.
 * R5. What is forged, foreign, expired or older is stored nowhere.
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import { CLOCK_SKEW_MS } from "../../src/admission/certificate.ts";
import { encodeCbor } from "../../src/index.ts";
import { agentKey, RECORD_TTL_MS } from "../../src/registry/agent-record.ts";
import { REGISTRY_METHODS } from "../../src/registry/registry.ts";
import { SeededRandom } from "../../src/testing/index.ts";
import {
  agentNumber,
  digests,
  epoch,
  Overlay,
  type OverlayNode,
  type StrategyKind,
} from "../overlay-nodes.ts";

const NODES = 12;
const AGENTS = 4;
const STEPS = 16;
/** Two holders are read, and a lookup at this size looks at every node at most, once for nodes and once for values. */
const LOOKUP_CALLS_MAX = 2 * NODES + 8;

interface Owned {
  readonly agent: AgentId;
  owner: OverlayNode;
  epoch: Epoch;
  /** Owner by epoch: what was committed. */
  readonly committed: Map<number, NodeId>;
}

/** The nodes, what is true of the agents, and what is wrong with what the nodes say. */
class RegistryRun {
  readonly #net: Overlay;
  readonly #random: SeededRandom;
  readonly #agents: Owned[] = [];
  readonly #forged = new Set<string>();
  #next = NODES;
  #asked: { readonly by: NodeId; readonly calls: string[] } | undefined;
  #wrong: string | undefined;

  constructor(seed: number, kind: StrategyKind) {
    this.#net = new Overlay(seed, kind);
    this.#random = new SeededRandom(seed).fork("registry");
  }

  async violation(): Promise<string | undefined> {
    const net = this.#net;
    for (let n = 0; n < NODES; n++) await net.join(n);
    net.network.passes = (from, to, method) => this.#passes(from, to, method);
    for (let n = 0; n < AGENTS; n++) await this.#publish(agentNumber(n + 1));
    for (let step = 0; step < STEPS && this.#wrong === undefined; step++) await this.#step();
    if (this.#wrong === undefined) await this.#quiet();
    net.stop();
    return this.#wrong;
  }

  #living(): OverlayNode[] {
    return this.#net.nodes.filter(({ id }) => this.#net.network.has(id));
  }

  #pick(): OverlayNode {
    const living = this.#living();
    return living[this.#random.uint32() % living.length] as OverlayNode;
  }

  async #publish(agent: AgentId): Promise<void> {
    const owner = this.#pick();
    const first = epoch(1);
    this.#agents.push({ agent, owner, epoch: first, committed: new Map([[1, owner.id]]) });
    await this.#net.time.settle(owner.registry.publish(agent, first));
  }

  async #step(): Promise<void> {
    const owned = this.#agents[this.#random.uint32() % AGENTS] as Owned;
    const what = this.#random.uint32() % 8;
    if (what === 0) await this.#move(owned);
    else if (what === 1) this.#kill();
    else if (what === 2) await this.#net.join(this.#next++);
    else if (what === 3) this.#cut();
    else if (what === 4) this.#forge(owned);
    else await this.#look(this.#pick(), owned);
    await this.#net.time.advance(3000 + (this.#random.uint32() % 90_000));
    this.#checkForged();
  }

  /** The engine's part is the commit; the registry hears of it from both hosts. */
  async #move(owned: Owned): Promise<void> {
    const from = owned.owner;
    const to = this.#pick();
    if (to === from || !this.#net.network.has(from.id)) return;
    owned.epoch = epoch(owned.epoch + 1);
    owned.owner = to;
    owned.committed.set(owned.epoch, to.id);
    const address = [{ host: "10.0.0.1", port: 4 }];
    await this.#net.time.settle(from.registry.moved(owned.agent, owned.epoch, to.id, address));
    await this.#net.time.settle(to.registry.publish(owned.agent, owned.epoch));
  }

  #kill(): void {
    if (this.#living().length <= NODES - 3) return;
    this.#net.kill(this.#pick(), this.#random.uint32() % 2 === 0);
  }

  #cutOff: { readonly node: NodeId; readonly untilMs: number } | undefined;

  #cut(): void {
    this.#cutOff = { node: this.#pick().id, untilMs: this.#net.time.monotonicMs() + 30_000 };
  }

  #passes(from: NodeId, to: NodeId, method: string): boolean {
    const asked = this.#asked;
    if (asked !== undefined && asked.by === from && method !== REGISTRY_METHODS.store)
      asked.calls.push(`${method} ${to}`);
    const cut = this.#cutOff;
    if (cut === undefined || this.#net.time.monotonicMs() > cut.untilMs) return true;
    return from !== cut.node && to !== cut.node;
  }

  async #look(reader: OverlayNode, owned: Owned): Promise<void> {
    // A node that owns an agent looks for its places by itself now and then; only others' calls are all of the lookup.
    const idle = this.#agents.every(({ committed }) => ![...committed.values()].includes(reader.id));
    this.#asked = idle ? { by: reader.id, calls: [] } : undefined;
    const found = await this.#net.time.settle(reader.registry.find(owned.agent));
    const calls = this.#asked?.calls ?? [];
    this.#asked = undefined;
    if (calls.length > LOOKUP_CALLS_MAX) this.#note(`R4: one lookup asked ${calls.length} times`);
    if (new Set(calls).size !== calls.length) this.#note(`R4: one lookup asked twice: ${calls.join(", ")}`);
    if (found === undefined) return;
    const { record } = found;
    if (owned.committed.get(record.epoch) !== record.owner)
      this.#note(
        `R1: ${record.owner.slice(0, 6)} at epoch ${record.epoch} was found, which nobody committed`,
      );
  }

  /** A member says what is not its to say, and says other things with bytes of others. */
  #forge({ agent, owner, epoch: now }: Owned): void {
    const liar = this.#pick();
    const target = this.#pick();
    if (liar === owner || liar === target) return;
    const nowMs = Math.floor(this.#net.time.wallMs());
    const base = {
      agent,
      name: "",
      owner: owner.id,
      epoch: epoch(now + 1 + (this.#random.uint32() % 5)),
      boot: 1,
      seq: 1 + (this.#random.uint32() % 9),
      addresses: [{ host: "10.0.0.1", port: 9 }],
      status: "live" as const,
      issuedMs: nowMs,
      ttlMs: RECORD_TTL_MS,
    };
    const broken = Uint8Array.from(owner.records.sign({ ...base, seq: 99 }));
    broken[broken.length - 1] = (broken[broken.length - 1] as number) ^ 1;
    const early = nowMs - RECORD_TTL_MS - CLOCK_SKEW_MS - 1;
    for (const bytes of [
      liar.records.sign(base),
      broken,
      owner.records.sign({ ...base, issuedMs: early }),
      owner.records.sign({ ...base, issuedMs: nowMs + CLOCK_SKEW_MS + 10_000 }),
    ]) {
      this.#forged.add(bytes.join());
      liar
        .call(target.id, REGISTRY_METHODS.store, encodeCbor([1, bytes]), { timeoutMs: 2000 })
        .catch(() => undefined);
    }
  }

  #checkForged(): void {
    for (const node of this.#living())
      for (const { agent } of this.#agents) {
        const bytes = node.registry.valueOf(agentKey(digests, agent));
        if (bytes !== undefined && this.#forged.has(bytes.join()))
          this.#note(`R5: node ${node.n} stores a record that was forged`);
      }
  }

  /** Nothing goes wrong any more: what was said by the dead runs out, and the living said it all again. */
  async #quiet(): Promise<void> {
    const { time } = this.#net;
    this.#cutOff = undefined;
    await time.advance(2 * RECORD_TTL_MS + CLOCK_SKEW_MS);
    this.#checkForged();
    for (const { agent, owner, epoch: now } of this.#agents) {
      const lives = this.#net.network.has(owner.id);
      for (const reader of this.#living()) {
        const record = (await time.settle(reader.registry.find(agent)))?.record;
        if (lives && (record?.owner !== owner.id || record.epoch !== now || record.status !== "live"))
          this.#note(
            `R2: node ${reader.n} finds ${record?.status ?? "nothing"} at epoch ${record?.epoch}, not node ${owner.n} at epoch ${now}`,
          );
        if (!lives && record?.owner === owner.id && record.status === "live")
          this.#note(`R3: node ${reader.n} still finds node ${owner.n}, which is dead`);
      }
    }
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}

/** What does not hold for a seed; undefined when all does. Odd seeds use the full view, even ones Kademlia. */
export async function registryViolation(seed: number): Promise<string | undefined> {
  return new RegistryRun(seed, seed % 2 === 1 ? "full-view" : "kademlia").violation();
}
