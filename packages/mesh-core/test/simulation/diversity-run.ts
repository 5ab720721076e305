/**
 * One run of routing tables against a network of few address groups with many node ids that wants to own them.
 *
 * R6. However many ids of an address group ask, answer and move, a bucket has at most GROUP_IN_BUCKET_MAX of them and a table at most
 *     GROUP_IN_TABLE_MAX; what does not fit is neither kept instead of somebody nor counted twice; and honest nodes find each other.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import { sharedPrefixBits, wordsOf } from "../../src/kademlia/distance.ts";
import { FIND_METHOD, Kademlia } from "../../src/kademlia/kademlia.ts";
import { findBody, foundBody } from "../../src/kademlia/messages.ts";
import { GROUP_IN_BUCKET_MAX, GROUP_IN_TABLE_MAX } from "../../src/kademlia/routing-table.ts";
import { type CallFunction, CallNetwork, SeededRandom, VirtualTime } from "../../src/testing/index.ts";
import { idOf } from "../digests.ts";
import { cheapSigner } from "../overlay-nodes.ts";

const HONEST = 14;
const ATTACKERS = 40;
const STEPS = 60;
const QUIET_MS = 30_000;
/** A lookup in which the one node that counts was slow once is made again. */
const LOOKUPS = 3;

interface Honest {
  readonly id: NodeId;
  readonly kademlia: Kademlia;
  address: HostPort;
}

interface Attacker {
  readonly id: NodeId;
  readonly call: CallFunction;
}

class DiversityRun {
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #network: CallNetwork;
  readonly #honest: Honest[] = [];
  readonly #attackers: Attacker[] = [];
  #wrong: string | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed).fork("diversity");
    this.#network = new CallNetwork(this.#time, seed);
  }

  async violation(): Promise<string | undefined> {
    for (let n = 0; n < HONEST; n++) await this.#join(n);
    for (let n = 0; n < ATTACKERS; n++) this.#attack(n);
    for (let step = 0; step < STEPS && this.#wrong === undefined; step++) {
      await this.#step();
      this.#check();
    }
    await this.#time.advance(QUIET_MS);
    this.#check();
    for (const [n, reader] of this.#honest.entries())
      for (const by of [1, 5]) await this.#find(reader, this.#honest[(n + by) % HONEST] as Honest);
    for (const { kademlia } of this.#honest) kademlia.stop();
    return this.#wrong;
  }

  async #join(n: number): Promise<void> {
    const id = idOf(cheapSigner(n));
    const call = this.#network.caller(id, "core");
    const node: Honest = {
      id,
      address: { host: `${20 + n}.7.0.1`, port: 7400 },
      kademlia: new Kademlia({
        self: id,
        clock: this.#time,
        timers: this.#time,
        random: this.#random.fork(`node ${n}`),
        call,
        serves: () => node.address,
        addressOf: () => undefined,
        addressHint: () => undefined,
        heldUnder: () => undefined,
      }),
    };
    for (const other of this.#honest.slice(-3)) node.kademlia.seen(other.id, other.address);
    this.#honest.push(node);
    this.#network.join(id, "core", node.kademlia.methods());
    node.kademlia.start();
    await this.#time.settle(node.kademlia.bootstrap());
  }

  /** An id of the attacker: it answers with others of its kind. */
  #attack(n: number): void {
    const id = idOf(cheapSigner(n, "attacker"));
    this.#network.join(id, "core", [
      [
        FIND_METHOD,
        async () => {
          const contacts = this.#attackers
            .slice(0, 20)
            .map((other) => ({ node: other.id, words: wordsOf(other.id), address: this.#crowded() }));
          return foundBody({ contacts, value: undefined });
        },
      ],
    ]);
    this.#attackers.push({ id, call: this.#network.caller(id, "core") });
  }

  /** An address of the attacker's two networks. */
  #crowded(): HostPort {
    const last = 1 + (this.#random.uint32() % 250);
    const host = this.#random.uint32() % 3 === 0 ? `2001:db8:5:${last}::9` : `203.0.113.${last}`;
    return { host, port: 7400 };
  }

  async #step(): Promise<void> {
    const attacker = this.#attackers[this.#random.uint32() % ATTACKERS] as Attacker;
    const target = this.#honest[this.#random.uint32() % HONEST] as Honest;
    const what = this.#random.uint32() % 8;
    // Some come by an address that nobody shares, and move into the crowd when they are kept.
    const alone = { host: `${100 + (this.#random.uint32() % 90)}.9.9.9`, port: 7400 };
    if (what === 0) target.kademlia.gone(attacker.id);
    else if (what === 1) target.kademlia.lookup(target.id).catch(() => undefined);
    else {
      const address = what === 2 ? alone : this.#crowded();
      const body = findBody({ key: target.id, value: false, address });
      attacker.call(target.id, FIND_METHOD, body, { timeoutMs: 2000 }).catch(() => undefined);
    }
    await this.#time.advance(this.#random.uint32() % 400);
  }

  #check(): void {
    for (const { id, kademlia } of this.#honest) {
      const inTable = new Map<string, number>();
      const inBucket = new Map<string, number>();
      for (const { node, address } of kademlia.table.all()) {
        const group = groupOf(address.host);
        const bucket = `${group} ${sharedPrefixBits(wordsOf(id), wordsOf(node))}`;
        inTable.set(group, (inTable.get(group) ?? 0) + 1);
        inBucket.set(bucket, (inBucket.get(bucket) ?? 0) + 1);
      }
      for (const [group, count] of inTable)
        if (count > GROUP_IN_TABLE_MAX) this.#note(`R6: a table has ${count} contacts of ${group}`);
      for (const [group, count] of inBucket)
        if (count > GROUP_IN_BUCKET_MAX) this.#note(`R6: a bucket has ${count} contacts of ${group}`);
    }
  }

  async #find(reader: Honest, other: Honest): Promise<void> {
    for (let n = 0; n < LOOKUPS; n++) {
      const { closest } = await this.#time.settle(reader.kademlia.lookup(other.id));
      if (closest.some(({ node }) => node === other.id)) return;
    }
    this.#note("R6: an honest node is not found any more");
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}

/** The /24 or the first three hextets: all hosts of this run are written out. */
function groupOf(host: string): string {
  return host
    .split(/[.:]/)
    .slice(0, 3)
    .join(host.includes(":") ? ":" : ".");
}

/** What does not hold for a seed; undefined when all does. */
export async function diversityViolation(seed: number): Promise<string | undefined> {
  return new DiversityRun(seed).violation();
}
