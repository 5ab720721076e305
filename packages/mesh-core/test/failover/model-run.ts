/**
 * One run of the failover protocol on a network that loses, cuts and delays, with processes that crash at chosen moments.
 *
 * FO1. Every number is answered once, and with one history: of two answers for a number both say the same; each follows from the one before.
 * FO2. While a copy is left that the row names, the agent goes on once the faults are over. (One that goes on without a replica may have lost it.)
 * FO3. At the end one node runs the agent under the row's epoch, and no other answers.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { AnchorServer } from "../../src/anchor/server.ts";
import { CallNetwork, SeededRandom, VirtualTime } from "../../src/testing/index.ts";
import { digests } from "../digests.ts";
import { AGENT, decode, encode, ModelNode, type ModelWorld, type Said } from "./model-node.ts";

const id = (digit: string): NodeId => digit.repeat(64) as NodeId;
const ANCHOR = id("0");
const NODES = [id("1"), id("2"), id("3"), id("4"), id("5")] as const;
const CLIENT = id("f");
const CLUSTER = "ab".repeat(32);
/** Numbers in flight. */
const AT_ONCE = 6;

/** Who crashes: the owner, the first, second or third replica that the row names, or the anchor. */
export type Role = "owner" | "anchor" | 0 | 1 | 2;

/** Some that crash at once, at a call. */
export interface Crash {
  readonly who: readonly Role[];
  readonly atCall: number;
}

/** One run. */
export class ModelRun {
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #network: CallNetwork;
  readonly #engine: Coordination;
  readonly #nodes = new Map<NodeId, ModelNode>();
  readonly #world: ModelWorld;
  readonly #said = new Map<number, number>();
  /** Nodes that are cut off, and pairs that are cut from each other. */
  readonly #cut = new Set<string>();
  #lossPercent = 0;
  #answered = 0;
  readonly #heardChains = new Map<number, { readonly after: number; readonly before: number }>();
  #owner: NodeId | undefined;
  #wrong: string | undefined;

  constructor(seed: number, without: "hold" | "continue", wanted = 1) {
    this.#random = new SeededRandom(seed).fork("failover");
    this.#network = new CallNetwork(this.#time, seed);
    this.#network.passes = (from, to) =>
      !this.#cut.has(from) &&
      !this.#cut.has(to) &&
      !this.#cut.has(`${from} ${to}`) &&
      !this.#cut.has(`${to} ${from}`) &&
      this.#random.uint32() % 100 >= this.#lossPercent;
    this.#engine = createMemoryCoordination({ clock: this.#time });
    this.#world = {
      clock: this.#time,
      timers: this.#time,
      cluster: CLUSTER,
      anchor: ANCHOR,
      without,
      wanted,
      members: () => NODES.filter((node) => this.#nodes.has(node)),
      released: (node, said) => this.#released(node, said),
    };
  }

  /** The most that crashed at once. */
  crashed = 0;

  /** Calls made so far. */
  get calls(): number {
    return this.#network.calls;
  }

  /** What does not hold after random faults. */
  async underFaults(rounds: number): Promise<string | undefined> {
    await this.#begin();
    for (let round = 0; round < rounds; round++) {
      await this.#time.advance(this.#random.uint32() % 3000);
      await this.#fault(this.#random.uint32() % 8);
    }
    return this.#finish();
  }

  /** What does not hold when somebody crashes at a call, and the calls of the whole run. */
  async withCrash(crash: Crash | undefined): Promise<string | undefined> {
    let due = false;
    const { passes } = this.#network;
    this.#network.passes = (...call) => {
      if (this.#network.calls >= (crash?.atCall ?? Number.POSITIVE_INFINITY)) due = true;
      return passes(...call);
    };
    await this.#begin();
    await this.#time.advanceUntil(() => due, 6000);
    if (crash !== undefined && due) await this.#crash(crash.who);
    return this.#finish();
  }

  async #begin(): Promise<void> {
    this.#anchorUp();
    for (const node of NODES) this.#start(node);
    void this.#nodes.get(NODES[0])?.found("0".repeat(64));
    this.#network.join(CLIENT, "client", []);
    for (let n = 1; n <= AT_ONCE; n++) void this.#asking(n);
    await this.#time.advance(500);
  }

  #anchorUp(): void {
    const fence = { cluster: CLUSTER as never, anchorEpoch: 1 };
    this.#network.join(ANCHOR, "core", new AnchorServer(this.#engine, digests, () => fence).methods());
  }

  #start(node: NodeId): void {
    const random = this.#random.fork(`${node} ${this.#time.monotonicMs()}`);
    const started = new ModelNode(this.#world, node, random, this.#network.caller(node, "edge"));
    const lossy = started.methods.map(
      ([name, handler]) =>
        [
          name,
          async (...call: Parameters<typeof handler>) => {
            const answer = await handler(...call);
            // The call was performed, and its answer is lost.
            if (this.#random.uint32() % 100 < this.#lossPercent) await new Promise(() => undefined);
            return answer;
          },
        ] as const,
    );
    this.#network.join(node, "edge", lossy);
    this.#nodes.set(node, started);
  }

  #end(node: NodeId): void {
    if (!this.#nodes.has(node)) return;
    this.#nodes.get(node)?.crash();
    this.#nodes.delete(node);
    this.#network.leave(node);
    this.#time.schedule(this.#random.uint32() % 8000, () => this.#start(node));
  }

  /**
   * Without a copy that may go on there is nothing to check: such a crash is not made. A replica that its owner gave up may not go on, as far as
   * anybody knows: the request that takes its name out of the row may be under way.
   */
  async #safeWithout(gone: readonly NodeId[]): Promise<boolean> {
    const row = await this.#engine.getAgent(AGENT);
    if (row === undefined) return !gone.includes(NODES[0]);
    const owner = this.#nodes.get(row.owner);
    if (!gone.includes(row.owner) && owner?.runs === true) return true;
    const left = (row.replicas ?? []).filter((node) => !gone.includes(node));
    return left.some((node) => {
      const hasCopy = (this.#nodes.get(node)?.holds.size ?? 0) > 0;
      return hasCopy && (owner?.runs !== true || owner.feeds.includes(node));
    });
  }

  #runs(node: NodeId | undefined): boolean {
    return node !== undefined && this.#nodes.get(node)?.runs === true;
  }

  async #crash(who: readonly Role[]): Promise<void> {
    if (who.includes("anchor")) {
      this.#network.leave(ANCHOR);
      this.#time.schedule(3000 + (this.#random.uint32() % 6000), () => this.#anchorUp());
    }
    const row = await this.#engine.getAgent(AGENT);
    const nodes = who
      .map((role) =>
        typeof role === "number" ? row?.replicas?.[role] : role === "owner" ? row?.owner : undefined,
      )
      .filter((node) => node !== undefined);
    if (nodes.length === 0 || !(await this.#safeWithout(nodes))) return;
    for (const node of nodes) this.#end(node);
    this.crashed = Math.max(this.crashed, nodes.length);
  }

  async #fault(kind: number): Promise<void> {
    const node = NODES[this.#random.uint32() % NODES.length] as NodeId;
    if (kind === 0) await this.#crash(["owner", (this.#random.uint32() % 3) as Role]);
    else if (kind <= 2) await this.#crash([["owner", 0, "anchor"][this.#random.uint32() % 3] as Role]);
    else if (kind <= 5) {
      const other = NODES[this.#random.uint32() % NODES.length] as NodeId;
      const cut = [ANCHOR, node, `${node} ${kind % 2 === 0 ? ANCHOR : other}`][
        this.#random.uint32() % 3
      ] as string;
      this.#cut.add(cut);
      this.#time.schedule(this.#random.uint32() % 9000, () => this.#cut.delete(cut));
    } else if (kind === 6) this.#lossPercent = this.#random.uint32() % 20;
    else if (await this.#safeWithout([node])) this.#end(node);
  }

  async #finish(): Promise<string | undefined> {
    await this.#time.advance(10_000);
    this.#cut.clear();
    this.#lossPercent = 0;
    await this.#time.advance(20_000);
    const before = this.#answered;
    await this.#time.advanceUntil(() => this.#answered > before + 3, 60_000);
    const row = await this.#engine.getAgent(AGENT);
    // Taken away from the replica by a request that was on its way when its owner crashed: what `continue` asks for.
    if (this.#world.without === "continue" && row?.replicas === undefined && !this.#runs(row?.owner))
      return this.#wrong;
    if (this.#answered <= before + 3) this.#note(`FO2: after ${before} answers the agent does not go on`);
    const running = [...this.#nodes.values()].filter(({ runs }) => runs).map((one) => one.id);
    if (running.length !== 1 || running[0] !== row?.owner)
      this.#note(`FO3: the row says ${row?.owner[0]}, and it runs on ${running.map((one) => one[0]).join()}`);
    for (const node of this.#nodes.values()) node.crash();
    return this.#wrong;
  }

  /** Some numbers at a time, each asked for until it is answered. */
  async #asking(first: number): Promise<void> {
    const call = this.#network.caller(CLIENT, "client");
    for (let n = first; ; n += AT_ONCE)
      for (let answered = false; !answered; ) {
        try {
          this.#owner ??= (await this.#engine.getAgent(AGENT))?.owner;
          if (this.#owner === undefined) throw new RangeError("not yet");
          this.#heard(n, decode<Said>(await call(this.#owner, "model.ask", encode(n), { timeoutMs: 700 })));
          answered = true;
        } catch {
          // Whom it asked may not be the owner any more; until then it asks the same one, as real senders do.
          if (this.#random.uint32() % 2 === 0) this.#owner = undefined;
          await new Promise<void>((resolve) => void this.#time.schedule(this.#random.uint32() % 60, resolve));
        }
      }
  }

  #heard(n: number, [answered, after, before]: Said): void {
    if (answered !== n) this.#note(`FO1: asked for ${n}, answered ${answered}`);
    const [earlier, later] = [
      n === 1 ? 1 : this.#heardChains.get(n - 1)?.after,
      this.#heardChains.get(n + 1)?.before,
    ];
    if ((earlier ?? before) !== before || (later ?? after) !== after)
      this.#note(`FO1: answer ${n} does not fit those beside it`);
    this.#heardChains.set(n, { after, before });
    this.#answered++;
  }

  #released(node: NodeId, [n, after]: Said): void {
    const known = this.#said.get(n);
    if (known !== undefined && known !== after)
      this.#note(`FO1: node ${node[0]} answers ${n} with another history`);
    this.#said.set(n, after);
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}
