/**
 * One run of peer exchange among members that come, go and change their addresses, with members that say what is not true of others.
 *
 * PE1. What a node keeps of a member is what that member signed, and no client is kept.
 * PE2. While a node runs, what it keeps of a member never gets older.
 * PE3. When all is quiet again, every node has the newest record of every living member.
 * PE4. Nobody shows more than PEERS_SHOWN_MAX records at once.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import {
  EXCHANGE_METHOD,
  EXCHANGE_MS,
  EXCHANGE_VERSION,
  PEERS_SHOWN_MAX,
  PeerExchange,
} from "../../src/exchange/peer-exchange.ts";
import { type PeerRecord, PeerRecords } from "../../src/exchange/peer-record.ts";
import { decodeCbor, encodeCbor } from "../../src/index.ts";
import type { NodeRole } from "../../src/mesh-types.ts";
import { type CallFunction, CallNetwork, SeededRandom, VirtualTime } from "../../src/testing/index.ts";
import { idOf } from "../digests.ts";
import { cheapSigner, identity } from "../overlay-nodes.ts";

const NODES = 9;
const STEPS = 24;
const LIES = ["forged", "replayed", "of a client", "rubbish", "as a client", "too many"] as const;

interface Node {
  readonly n: number;
  readonly id: NodeId;
  readonly role: NodeRole;
  readonly records: PeerRecords;
  readonly call: CallFunction;
  readonly exchange: PeerExchange;
  readonly seq: number;
  address: HostPort;
  /** Highest sequence number kept, by member. */
  readonly kept: Map<NodeId, number>;
}

class ExchangeRun {
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #network: CallNetwork;
  readonly #nodes = new Map<number, Node>();
  /** By member: the addresses of every record it ever signed, by sequence number. */
  readonly #said = new Map<NodeId, Map<number, Set<string>>>();
  readonly #captured: Uint8Array[] = [];
  #boots = 0;
  #wrong: string | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed).fork("exchange");
    this.#network = new CallNetwork(this.#time, seed);
  }

  async violation(): Promise<string | undefined> {
    for (let n = 0; n < NODES; n++) this.#boot(n, n % 5 === 4 ? "edge" : "core");
    const client = this.#boot(NODES, "client");
    for (let step = 0; step < STEPS && this.#wrong === undefined; step++) {
      this.#step(client);
      await this.#time.advance(1000 + (this.#random.uint32() % EXCHANGE_MS));
      this.#check();
    }
    for (let n = 0; n < NODES; n++) if (!this.#nodes.has(n)) this.#boot(n, "core");
    await this.#time.advance(40 * EXCHANGE_MS);
    this.#check();
    this.#whole();
    for (const { exchange } of this.#nodes.values()) exchange.stop();
    return this.#wrong;
  }

  #step(client: Node): void {
    const node = this.#pick();
    const what = this.#random.uint32() % 6;
    if (what === 0 && this.#members().length > 4) this.#kill(node);
    else if (what === 1) for (let n = 0; n < NODES; n++) this.#nodes.has(n) || this.#boot(n, "core");
    else if (what === 2) this.#move(node);
    else this.#lie(node, this.#pick(), client);
  }

  #boot(n: number, role: NodeRole): Node {
    const vouch = identity(n, role, this.#time);
    const id = idOf(vouch.signer);
    const call = this.#network.caller(id, role);
    const random = this.#random.fork(`boot ${++this.#boots}`);
    const records = new PeerRecords(vouch);
    const node: Node = {
      n,
      id,
      role,
      records,
      call,
      seq: this.#boots,
      address: this.#newAddress(),
      kept: new Map(),
      exchange: new PeerExchange({
        self: id,
        timers: this.#time,
        random,
        records,
        address: () => (role === "client" ? undefined : node.address),
        seq: this.#boots,
        // A ring with chords: what is far away comes through others.
        peers: () => this.#neighbours(n),
        call: (to, method, body, options) => this.#watched(node, to, method, body, options),
        learned: (record) => this.#learned(node, record),
      }),
    };
    this.#say(node);
    this.#nodes.set(n, node);
    this.#network.join(id, role, node.exchange.methods());
    node.exchange.start();
    return node;
  }

  #neighbours(n: number): NodeId[] {
    return [1, 2, NODES - 1].flatMap((by) => this.#nodes.get((n + by) % NODES)?.id ?? []);
  }

  #kill(node: Node): void {
    node.exchange.stop();
    this.#network.leave(node.id);
    this.#nodes.delete(node.n);
  }

  /** A node whose address changed says so under a new start, as its boot epoch has it. */
  #move(node: Node): void {
    this.#kill(node);
    this.#boot(node.n, node.role);
  }

  #say({ id, role, seq, address }: Node): void {
    if (role === "client") return;
    const said = this.#said.get(id) ?? new Map<number, Set<string>>();
    this.#said.set(id, said);
    const addresses = said.get(seq) ?? new Set<string>();
    said.set(seq, addresses.add(`${address.host}:${address.port}`));
  }

  #newAddress(): HostPort {
    return { host: `10.0.${this.#random.uint32() & 255}.1`, port: 1 + (this.#random.uint32() & 0x7fff) };
  }

  async #watched(node: Node, ...[to, method, body, options]: Parameters<CallFunction>): Promise<Uint8Array> {
    this.#capture(body);
    const answer = await node.call(to, method, body, options);
    this.#capture(answer);
    return answer;
  }

  #capture(body: Uint8Array): void {
    const [, shown] = decodeCbor(body, "a peer exchange") as [number, Uint8Array[]];
    if (shown.length > PEERS_SHOWN_MAX) this.#note(`PE4: ${shown.length} records were shown at once`);
    for (const statement of shown) {
      if (this.#captured.length < 256) this.#captured.push(statement);
      else this.#captured[this.#random.uint32() & 255] = statement;
    }
  }

  #learned(viewer: Node, record: PeerRecord): void {
    const { node, seq, role } = record;
    const at = `node ${viewer.n} keeps record ${seq} of ${node.slice(0, 6)}`;
    const said = this.#said.get(node)?.get(seq);
    const where = record.addresses.map(({ host, port }) => `${host}:${port}`);
    if (role === "client" || said === undefined || where.length !== 1 || !said.has(where[0] ?? ""))
      this.#note(`PE1: ${at}, which it never said`);
    const before = viewer.kept.get(node) ?? -1;
    if (seq <= before) this.#note(`PE2: ${at} after ${before}`);
    viewer.kept.set(node, seq);
  }

  /** A member says what is not its to say. */
  #lie(liar: Node, to: Node, client: Node): void {
    const captured = this.#captured[this.#random.uint32() % Math.max(1, this.#captured.length)];
    const lie = LIES[this.#random.uint32() % LIES.length];
    if (captured === undefined || liar === to) return;
    const changed = Uint8Array.from(captured);
    const at = this.#random.uint32() % changed.length;
    changed[at] = (changed[at] as number) ^ (1 << (this.#random.uint32() & 7));
    const address = this.#newAddress();
    const statements = {
      forged: [changed, this.#forgedOf(liar)],
      replayed: this.#captured.slice(0, PEERS_SHOWN_MAX),
      "of a client": [client.records.sign(1_000_000, [address])],
      rubbish: [this.#random.bytes(new Uint8Array(60)), new Uint8Array()],
      "as a client": [captured],
      "too many": Array.from({ length: PEERS_SHOWN_MAX + 1 }, () => captured),
    }[lie ?? "rubbish"];
    const from = lie === "as a client" ? client : liar;
    from
      .call(to.id, EXCHANGE_METHOD, encodeCbor([EXCHANGE_VERSION, statements]), { timeoutMs: 2000 })
      .catch(() => undefined);
  }

  /** A newer record of another member under that member's certificate, signed with one's own key. */
  #forgedOf(liar: Node): Uint8Array {
    const others = this.#members().filter((node) => node !== liar);
    const { n, role, seq } = others[this.#random.uint32() % others.length] as Node;
    const vouch = { ...identity(n, role, this.#time), signer: cheapSigner(liar.n) };
    return new PeerRecords(vouch).sign(seq + 1000, [this.#newAddress()]);
  }

  #check(): void {
    for (const viewer of this.#nodes.values())
      for (const { node, seq, role } of viewer.exchange.known()) {
        if (role === "client") this.#note(`PE1: node ${viewer.n} keeps a client`);
        if (viewer.kept.get(node) !== seq)
          this.#note(`PE2: node ${viewer.n} has record ${seq} of ${node.slice(0, 6)} and learned another`);
      }
  }

  #whole(): void {
    for (const viewer of this.#members())
      for (const { id, n, seq } of this.#members()) {
        const known = viewer.exchange.known().find(({ node }) => node === id);
        if (id !== viewer.id && known?.seq !== seq)
          this.#note(`PE3: node ${viewer.n} has record ${known?.seq} of node ${n}, whose newest is ${seq}`);
      }
  }

  #members(): Node[] {
    return [...this.#nodes.values()].filter(({ role }) => role !== "client");
  }

  #pick(): Node {
    const members = this.#members();
    return members[this.#random.uint32() % members.length] as Node;
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}

/** What does not hold for a seed; undefined when all does. */
export async function exchangeViolation(seed: number): Promise<string | undefined> {
  return new ExchangeRun(seed).violation();
}
