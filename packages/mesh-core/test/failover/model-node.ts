/**
 * A node with the shipped machines of failover around a model of an agent: it applies numbers in order, each with a draw of its own, and answers with a
 * chain over all of them. What it says therefore depends on everything that went into it.
 */
import { errorCodeOf, RemoteError, toErrorRecord } from "@glia-os/abi/errors";
import { type AgentId, type Epoch, type NodeId, toEpoch } from "@glia-os/abi/ids";
import type { AgentRow, Clock, Coordination, Timers } from "@glia-os/abi/ports";
import { AnchorClient } from "../../src/anchor/client.ts";
import type { Checkpoint, Feed } from "../../src/failover/feed.ts";
import { Feeds } from "../../src/failover/feeds.ts";
import type { HeldAgent } from "../../src/failover/hold.ts";
import { Holds } from "../../src/failover/holds.ts";
import { OwnerRow } from "../../src/failover/owner-row.ts";
import type { CallHandler } from "../../src/mesh-types.ts";
import type { CallFunction, SeededRandom } from "../../src/testing/index.ts";

/** The agent of the model. */
export const AGENT = "ab".repeat(16) as AgentId;
/** The lease of a session. */
export const LEASE_MS = 5000;
export const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
export const decode = <Value>(bytes: Uint8Array): Value =>
  JSON.parse(new TextDecoder().decode(bytes)) as Value;

const MASK = 0xffff_ffff;
/** The chain after one more number. */
export const chained = (chain: number, n: number, draw: number): number =>
  (Math.imul(chain ^ n, 0x9e37_79b1) ^ Math.imul(draw | 1, 0x85eb_ca6b) ^ (chain >>> 13)) & MASK;

type Item = readonly ["message", number] | readonly ["draw", number];
interface Cell {
  epoch: Epoch;
  readonly chains: number[];
  readonly feed: Feed;
  held: number;
}

interface State {
  readonly chains: readonly number[];
}

/** What an answer says: a number, the chain after it and before it. */
export type Said = readonly [n: number, after: number, before: number];

/** Errors of the other side as they cross a real wire. */
function asRemote(error: unknown): unknown {
  return errorCodeOf(error) === "mesh.call-timeout" ? error : new RemoteError(toErrorRecord(error));
}

/** What one process is made of. */
export interface ModelWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly cluster: string;
  readonly anchor: NodeId;
  readonly without: "hold" | "continue";
  /** Replicas that the agent asks for. */
  readonly wanted: number;
  /** Nodes that look alive. */
  members(): readonly NodeId[];
  /** A reply leaves. */
  released(node: NodeId, said: Said): void;
}

/** One process of one node, until it is ended. */
export class ModelNode {
  readonly id: NodeId;
  readonly methods: readonly (readonly [string, CallHandler])[];
  readonly holds: Holds;
  readonly #world: ModelWorld;
  readonly #random: SeededRandom;
  readonly #coordination: Coordination;
  readonly #row: OwnerRow;
  readonly #feeds: Feeds;
  readonly #timers: Timers;
  #session = "";
  #requests = 0;
  #cell: Cell | undefined;
  #waiting: { position: number; settle: (ok: boolean) => void }[] = [];
  #sent = 0;
  over = false;

  constructor(world: ModelWorld, id: NodeId, random: SeededRandom, network: CallFunction) {
    this.id = id;
    this.#world = world;
    this.#random = random;
    this.#timers = {
      schedule: (delayMs, fire) => world.timers.schedule(delayMs, () => void (this.over || fire())),
    };
    // What a process that ended still waits for never comes.
    const call: CallFunction = (...args) =>
      new Promise((resolve, reject) => {
        if (this.over) return;
        network(...args).then(
          (answer) => void (this.over || resolve(answer)),
          (error: unknown) => void (this.over || reject(asRemote(error))),
        );
      });
    const { anchor, cluster } = world;
    this.#coordination = new AnchorClient({
      target: () => ({ anchor, cluster: cluster as never, anchorEpoch: 1 }),
      call,
      timeoutMs: 1000,
    });
    const parts = { self: id, clock: world.clock, timers: this.#timers, random };
    const coordination = (): Coordination => this.#coordination;
    const sessionId = (): string => this.#session;
    this.#row = new OwnerRow({
      ...parts,
      coordination,
      sessionId,
      stands: () => this.#cell && { epoch: this.#cell.epoch, suspended: false },
      renew: (_, epoch) => void (this.#cell && (this.#cell.epoch = epoch)),
    });
    this.#feeds = new Feeds({ ...parts, row: this.#row, call, alive: () => true });
    const adopt = async (held: HeldAgent, row: AgentRow): Promise<void> => this.#adopt(held, row);
    this.holds = new Holds({ ...parts, coordination, sessionId, call, admit: async () => undefined, adopt });
    this.methods = [
      ...this.holds.methods(),
      ["model.ask", async (_, body) => this.#ask(decode<number>(body))],
    ];
    void this.#keepSession();
  }

  /** Whether the agent runs here. */
  get runs(): boolean {
    return this.#cell !== undefined;
  }

  /** Whom it feeds. */
  get feeds(): readonly NodeId[] {
    return [...(this.#cell?.feed.current ?? [])].map(({ node }) => node);
  }

  /** End without a word. */
  crash(): void {
    this.over = true;
  }

  /** Begin with the agent, once there is a session. */
  async found(programHash: string): Promise<void> {
    while (this.#session === "") await this.#pause(50);
    const row = {
      agent: AGENT,
      owner: this.id,
      sessionId: this.#session,
      status: "running",
      name: "agent",
    } as const;
    const { epoch } = await this.#coordination.createAgent({ ...row, programHash }, "create");
    this.#begin(epoch, []);
  }

  async #keepSession(): Promise<void> {
    try {
      if (this.#session === "") {
        const request = `open ${this.#requests++} ${this.#random.uint32()}`;
        this.#session = (await this.#coordination.openSession(this.id, LEASE_MS, request)).sessionId;
        void this.#feeds.reassert();
      } else await this.#coordination.renewSession(this.#session);
      await this.#pause(LEASE_MS / 3);
    } catch (error) {
      if (errorCodeOf(error) === "store.session-expired") this.#session = "";
      await this.#pause(300);
    }
    void this.#keepSession();
  }

  #begin(epoch: Epoch, chains: number[]): void {
    this.#sent = 0;
    const feed = this.#feeds.start({
      agent: AGENT,
      meta: encode("agent"),
      without: this.#world.without,
      wanted: this.#world.wanted,
      candidates: () => this.#world.members().filter((node) => node !== this.id),
      checkpoint: async (whole) => this.#checkpoint(whole),
      onHeld: (position) => this.#held(position),
      onLost: () => this.#lost(),
      onFenced: () => this.#retire(),
    });
    this.#cell = { epoch, chains, feed, held: 0 };
  }

  #retire(): void {
    this.#lost();
    this.#cell = undefined;
    this.#feeds.end(AGENT, false);
  }

  async #ask(n: number): Promise<Uint8Array> {
    const cell = this.#cell;
    if (cell === undefined || !cell.feed.ready) throw new RangeError("not now");
    const count = cell.chains.length;
    if (n > count + 1) throw new RangeError("a gap");
    if (n === count + 1) {
      cell.feed.append(encode(["message", n] satisfies Item));
      const draw = this.#random.uint32();
      cell.feed.append(encode(["draw", draw] satisfies Item));
      cell.chains.push(chained(cell.chains.at(-1) ?? 1, n, draw));
    }
    const said: Said = [n, cell.chains[n - 1] as number, cell.chains[n - 2] ?? 1];
    const { position } = cell.feed;
    if (position > cell.held) {
      const ok = await new Promise<boolean>((settle) => this.#waiting.push({ position, settle }));
      if (!ok) throw new RangeError("the replica was lost");
    }
    this.#world.released(this.id, said);
    return encode(said);
  }

  #held(position: number): void {
    const cell = this.#cell;
    if (cell === undefined) return;
    cell.held = Math.max(cell.held, position);
    const held = this.#waiting.filter((one) => one.position <= position);
    this.#waiting = this.#waiting.filter((one) => one.position > position);
    for (const { settle } of held) settle(true);
  }

  #lost(): void {
    for (const { settle } of this.#waiting.splice(0)) settle(false);
  }

  /** Whole, or what came since the last one. */
  #checkpoint(whole: boolean): Checkpoint {
    if (this.#cell === undefined) throw new RangeError("not here");
    const { chains, feed } = this.#cell;
    const from = whole ? 0 : this.#sent;
    this.#sent = chains.length;
    const chunks = [encode({ from, chains: chains.slice(from) })];
    return {
      position: feed.position,
      head: encode({ chains: [] } satisfies State),
      chunks: async () => chunks.shift(),
    };
  }

  #adopt(held: HeldAgent, row: AgentRow): void {
    const chains: number[] = [];
    for (const [part] of [held.whole, ...held.increments]) {
      const { from, chains: more } = decode<{ from: number; chains: number[] }>(part as Uint8Array);
      if (from !== chains.length) throw new RangeError("an increment does not follow");
      chains.push(...more);
    }
    const items = held.log.map(({ entry }) => decode<Item>(entry));
    for (const [at, [kind, n]] of items.entries()) {
      if (kind !== "message") continue;
      if (n !== chains.length + 1) throw new RangeError("a message does not follow");
      const next = items[at + 1];
      // What it drew is in the log; else it draws anew, and nobody has seen what it drew before.
      const draw = next?.[0] === "draw" ? next[1] : this.#random.uint32();
      chains.push(chained(chains.at(-1) ?? 1, n, draw));
    }
    this.#begin(toEpoch(row.epoch), chains);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#timers.schedule(delayMs, resolve));
  }
}
