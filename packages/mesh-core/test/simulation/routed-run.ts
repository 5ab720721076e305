/**
 * One run of routed envelopes over a network of random ways, with hops that repeat, change and shorten what they pass on.
 *
 * EN1. The time to live falls by one with every hop, and no batch makes more than HOPS_MAX hops or meets a node twice.
 * EN2. A message is delivered at most once, and exactly once when its sender was told so.
 * EN3. A node passes a batch on to one node at a time, to ATTEMPTS_MAX in all: nobody multiplies it.
 * EN4. What the source signed arrives as it was signed, whatever the hops did.
 */
import { type NodeId, toHex } from "@glia-os/abi/ids";
import type { NodeRole } from "../../src/mesh-types.ts";
import {
  type Forwarded,
  forwardBody,
  HOPS_MAX,
  RoutedBatches,
  readForward,
} from "../../src/routing/routed-batch.ts";
import { ATTEMPTS_MAX, FORWARD_METHOD, Router } from "../../src/routing/router.ts";
import { type CallFunction, CallNetwork, SeededRandom, VirtualTime } from "../../src/testing/index.ts";
import { idOf } from "../digests.ts";
import { digests, identity } from "../overlay-nodes.ts";

const NODES = 9;
const MESSAGES = 24;
const TOPIC = "n";

interface Hop {
  readonly id: NodeId;
  readonly router: Router;
}

/** The network, what its nodes said, and what is wrong with it. */
class RoutedRun {
  readonly time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #network: CallNetwork;
  readonly #hops: Hop[] = [];
  readonly #ways = new Set<string>();
  readonly #delivered = new Map<string, number>();
  readonly #sent = new Map<string, NodeId>();
  /** By node and batch: to whom it is on its way from there, and how often it was given on. */
  readonly #under = new Map<string, { open: number; given: number }>();
  readonly #captured: { readonly from: NodeId; readonly to: NodeId; readonly body: Uint8Array }[] = [];
  #wrong: string | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed).fork("routed");
    this.#network = new CallNetwork(this.time, seed);
    for (let n = 0; n < NODES; n++) this.#add(n, n % 4 === 3 ? "edge" : "relay");
    for (const { id: a } of this.#hops)
      for (const { id: b } of this.#hops) if (a !== b && this.#chance(0.45)) this.#ways.add(`${a} ${b}`);
    this.#network.passes = (from, to) => this.#ways.has(`${from} ${to}`);
  }

  /** Send, disturb, and say what does not hold. */
  async violation(): Promise<string | undefined> {
    const told: { readonly text: string; confirmed: boolean }[] = [];
    const sends: Promise<void>[] = [];
    for (let n = 0; n < MESSAGES; n++) {
      const [from, to] = [this.#pick(), this.#pick()];
      const text = `message ${n} to ${to.id}`;
      const entry = { text, confirmed: false };
      told.push(entry);
      this.#sent.set(text, to.id);
      const sending = from.router.send(to.id, TOPIC, new TextEncoder().encode(text));
      sends.push(
        sending.then(
          () => {
            entry.confirmed = true;
          },
          () => undefined,
        ),
      );
      await this.time.advance(this.#random.uint32() % 400);
      this.#attack();
    }
    await this.time.settle(Promise.all(sends), 600_000);
    await this.time.advance(60_000);
    for (const { text, confirmed } of told) {
      const times = this.#delivered.get(text) ?? 0;
      if (confirmed && times !== 1) this.#note(`EN2: "${text}" was confirmed and delivered ${times} times`);
    }
    return this.#wrong;
  }

  #add(n: number, role: NodeRole): void {
    const vouch = identity(n, role, this.time);
    const id = idOf(vouch.signer);
    const router = new Router({
      self: id,
      bootEpoch: 1,
      clock: this.time,
      batches: new RoutedBatches(vouch),
      forwards: role === "relay",
      connected: (node) => this.#ways.has(`${id} ${node}`) && this.#chance(0.9),
      relays: () =>
        this.#hops.map(({ id: other }) => other).filter((other) => this.#ways.has(`${id} ${other}`)),
      call: this.#watched(id, this.#network.caller(id, role)),
    });
    router.on(TOPIC, (_from, payload) => this.#arrived(id, new TextDecoder().decode(payload)));
    this.#network.join(id, role, router.methods());
    this.#hops.push({ id, router });
  }

  #arrived(at: NodeId, text: string): void {
    const times = (this.#delivered.get(text) ?? 0) + 1;
    this.#delivered.set(text, times);
    if (this.#sent.get(text) !== at)
      this.#note(`EN4: ${at.slice(0, 6)} was given "${text}", which nobody sent to it`);
    if (times > 1) this.#note(`EN2: "${text}" was delivered ${times} times`);
  }

  /** What a node says when it passes a batch on, and answers that get lost. */
  #watched(self: NodeId, call: CallFunction): CallFunction {
    return async (to, method, body, options) => {
      const forwarded = readForward(body);
      this.#hop(self, forwarded);
      if (this.#captured.length < 64) this.#captured.push({ from: self, to, body });
      const key = `${self} ${toHex(digests.sha256(forwarded.batch))}`;
      const under = this.#under.get(key) ?? { open: 0, given: 0 };
      this.#under.set(key, under);
      under.given++;
      if (++under.open > 1) this.#note(`EN3: ${self.slice(0, 6)} gives one batch to two nodes at once`);
      if (under.given > ATTEMPTS_MAX)
        this.#note(`EN3: ${self.slice(0, 6)} passed one batch on ${under.given} times`);
      try {
        const answer = await call(to, method, body, options);
        if (this.#chance(0.15)) throw new RangeError("the answer is lost");
        return answer;
      } finally {
        under.open--;
      }
    };
  }

  #hop(self: NodeId, { ttl, path }: Forwarded): void {
    if (ttl < 0 || path.length > HOPS_MAX)
      this.#note(`EN1: a batch made ${path.length} hops with ${ttl} left`);
    if (ttl !== HOPS_MAX - path.length)
      this.#note(`EN1: after ${path.length} hops ${ttl} are left of ${HOPS_MAX}`);
    if (new Set(path).size !== path.length || path.at(-1) !== self)
      this.#note("EN1: a batch met a node twice, or hides where it was");
  }

  /** A hop says again what it said before: as it was, with more time to live, with another way, or with another content. */
  #attack(): void {
    const said = this.#captured[this.#random.uint32() % Math.max(1, this.#captured.length)];
    if (said === undefined) return;
    const { ttl, path, budgetMs, batch } = readForward(said.body);
    const changed = Uint8Array.from(batch);
    const at = this.#random.uint32() % changed.length;
    changed[at] = (changed[at] as number) ^ (1 << (this.#random.uint32() & 7));
    const variants: Forwarded[] = [
      { ttl, path, budgetMs, batch },
      { ttl, path, budgetMs, batch: changed },
    ];
    const chosen = variants[this.#random.uint32() % variants.length];
    if (chosen === undefined) return;
    const to = this.#chance(0.5) ? said.to : this.#pick().id;
    const call = this.#network.caller(said.from, "relay");
    call(to, FORWARD_METHOD, forwardBody(chosen), { timeoutMs: 2000 }).catch(() => undefined);
  }

  #pick(): Hop {
    return this.#hops[this.#random.uint32() % this.#hops.length] as Hop;
  }

  #chance(rate: number): boolean {
    return this.#random.uint32() < rate * 0x1_0000_0000;
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}

/** What does not hold for a seed; undefined when all does. */
export async function routedViolation(seed: number): Promise<string | undefined> {
  return new RoutedRun(seed).violation();
}
