/**
 * A small host of agents: each agent is the list of numbers it received. Everything it has moves in its snapshot: the list, the link
 * table and some ballast. It refuses calls in the wrong order, so a protocol that breaks MC1-MC3 fails the test.
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Timers } from "@glia-os/abi/ports";
import {
  type AgentDescription,
  type ChunkSource,
  decodeCbor,
  encodeCbor,
  FieldReader,
  type LinkMessage,
  LinkTable,
  type LinkVerdict,
  type MeshCells,
  type Moved,
  type PostCopyCells,
  type PreCopyCells,
} from "../src/index.ts";
import { CountedPages, ServedPages } from "./counted-pages.ts";

type State = "live" | "frozen" | "staging" | "staged" | "retired";

interface Cell {
  state: State;
  epoch: Epoch;
  applied: number[];
  links: LinkTable;
  ballast: Uint8Array;
  /** Whether the ballast crossed while the agent ran, or follows when it runs elsewhere. */
  ahead: boolean;
  /** While the rest of the ballast is on its way. */
  incoming: CountedPages | undefined;
  moved: Moved | undefined;
  /** While it is frozen, and its senders are sent to its destination. */
  leaving?: Moved | undefined;
  /** From when it is staged until it runs: what came, which is acknowledged when it runs. */
  early?: PromiseWithResolvers<void> | undefined;
}

const CHUNK = 64 * 1024;
/** As {@link AHEAD}, with the length of all of it: the rest follows when the agent runs elsewhere. */
const PAGES = 0xfd;
/** First byte of an image whose ballast crossed first. No CBOR array starts with it. */
const AHEAD = 0xfe;

function checked(ballast: Uint8Array): Uint8Array {
  ballast.forEach((byte, i) => {
    if (byte !== ((i * 7) & 255)) throw new TypeError("the ballast was changed");
  });
  return ballast;
}

export class CounterCells implements MeshCells {
  readonly #self: NodeId;
  readonly #timers: Timers;
  readonly #cells = new Map<AgentId, Cell>();
  /** Every activation and thaw on this node, for the at-most-one check. */
  readonly lives: { agent: AgentId; epoch: Epoch }[] = [];
  /** Agents that ran here and whose ballast did not come. */
  readonly lost: Set<AgentId> = new Set<AgentId>();
  readonly #served = new ServedPages();
  reply:
    | ((to: NodeId, reply: { agent: AgentId; link: string; seq: number; payload: Uint8Array }) => void)
    | undefined;
  /** When set, `admit` refuses with it. */
  refuse: Error | undefined;
  /** When true, asks are never answered. */
  mute = false;

  constructor(self: NodeId, timers: Timers) {
    this.#self = self;
    this.#timers = timers;
  }

  start(agent: AgentId, epoch: Epoch, stateBytes: number): void {
    const ballast = new Uint8Array(stateBytes).map((_, i) => i * 7);
    this.#cells.set(agent, {
      state: "live",
      epoch,
      applied: [],
      links: new LinkTable(),
      ballast,
      ahead: false,
      incoming: undefined,
      moved: undefined,
    });
    this.lives.push({ agent, epoch });
  }

  state(agent: AgentId): State | undefined {
    return this.#cells.get(agent)?.state;
  }

  applied(agent: AgentId): readonly number[] {
    return this.#cells.get(agent)?.applied ?? [];
  }

  epoch(agent: AgentId): Epoch | undefined {
    return this.#cells.get(agent)?.epoch;
  }

  deliver({ agent, link, seq, floor, ask, payload, from }: LinkMessage): LinkVerdict {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return { kind: "unknown-agent" };
    if (cell.state === "retired" && cell.moved !== undefined) return { kind: "moved", ...cell.moved };
    if (cell.leaving !== undefined) return { kind: "moved", ...cell.leaving };
    const { early } = cell;
    if (cell.state !== "live" && early === undefined) return { kind: "retry", retryAfterMs: 5 };
    const verdict = cell.links.offer(link, seq, floor, ask);
    if (!("next" in verdict)) return verdict;
    const held = early === undefined ? verdict : { ...verdict, kept: early.promise };
    if (verdict.kind !== "accepted") return held;
    cell.applied.push(new DataView(payload.buffer, payload.byteOffset).getUint32(0));
    const answer = Uint8Array.of(...payload, 1);
    const reply = (): void => {
      cell.links.reply(link, seq, answer);
      this.reply?.(from, { agent, link, seq, payload: answer });
    };
    if (!ask || this.mute) return held;
    if (early === undefined) reply();
    else early.promise.then(reply, () => undefined);
    return held;
  }

  linkClosed(agent: AgentId, link: string): void {
    this.#cells.get(agent)?.links.close(link);
  }

  describe(agent: AgentId): AgentDescription | undefined {
    const cell = this.#cells.get(agent);
    if (cell?.state !== "live") return undefined;
    return { epoch: cell.epoch, meta: Uint8Array.of(1, 2, 3), estimatedBytes: cell.ballast.length };
  }

  async admit(agent: AgentId): Promise<void> {
    if (this.refuse !== undefined) throw this.refuse;
    const state = this.#cells.get(agent)?.state;
    if (state !== undefined && state !== "retired") throw new TypeError(`admit of a ${state} agent`);
  }

  /** The ballast crosses while the agent runs, behind a mark and its length. */
  readonly precopy: PreCopyCells = {
    begin: async (agent, leastBytes) => {
      const cell = this.#expect(agent, "live");
      if (cell.ballast.length < leastBytes) return undefined;
      cell.ahead = true;
      const mark = Uint8Array.of(AHEAD, 0, 0, 0, 0);
      new DataView(mark.buffer).setUint32(1, cell.ballast.length);
      return this.#chunksOf(Buffer.concat([mark, cell.ballast]));
    },
    giveUp: async (agent) => {
      const cell = this.#cells.get(agent);
      if (cell !== undefined) cell.ahead = false;
    },
  };

  /** The ballast, or with rounds the second half of it, crosses when the agent runs elsewhere. */
  readonly postcopy: PostCopyCells = {
    begin: async (agent, move, rounds) => {
      const cell = this.#expect(agent, "live");
      if (cell.incoming !== undefined) throw new TypeError("it is not whole");
      cell.ahead = true;
      const split = rounds ? cell.ballast.length >> 1 : 0;
      this.#served.open(move, cell.ballast.subarray(split));
      const mark = Uint8Array.of(PAGES, 0, 0, 0, 0, 0, 0, 0, 0);
      new DataView(mark.buffer).setUint32(1, split);
      new DataView(mark.buffer).setUint32(5, cell.ballast.length);
      return this.#chunksOf(Buffer.concat([mark, cell.ballast.subarray(0, split)]));
    },
    serve: async (move, said) => this.#served.serve(move, said),
    release: async (move) => this.#served.release(move),
    incoming: (agent) => this.#cells.get(agent)?.incoming,
  };

  #arrives(agent: AgentId, cell: Cell, first: Uint8Array, total: number): void {
    cell.incoming = new CountedPages(first, total, this.#timers, (ballast) => {
      cell.incoming = undefined;
      if (ballast === undefined) {
        this.lost.add(agent);
        this.#cells.delete(agent);
      } else cell.ballast = checked(ballast);
    });
  }

  async freeze(agent: AgentId): Promise<ChunkSource> {
    const cell = this.#expect(agent, "live");
    cell.state = "frozen";
    const ballast = cell.ahead ? new Uint8Array() : cell.ballast;
    return this.#chunksOf(encodeCbor([cell.applied, cell.links.serialize(), ballast]));
  }

  #chunksOf(image: Uint8Array): ChunkSource {
    let at = 0;
    return async () => {
      await this.#pause(0.05);
      const chunk = image.subarray(at, at + CHUNK);
      at += chunk.length;
      return chunk.length === 0 ? undefined : chunk;
    };
  }

  leaving(moved: Moved): boolean {
    this.#expect(moved.agent, "frozen").leaving = moved;
    return true;
  }

  async thaw(agent: AgentId, epoch: Epoch): Promise<void> {
    const cell = this.#expect(agent, "frozen");
    cell.leaving = undefined;
    cell.epoch = epoch;
    cell.state = "live";
    cell.ahead = false;
    this.lives.push({ agent, epoch });
  }

  async retire(agent: AgentId, moved: Moved): Promise<void> {
    const cell = this.#expect(agent, "frozen");
    cell.leaving = undefined;
    cell.state = "retired";
    cell.moved = moved;
    cell.applied = [];
  }

  async stage(agent: AgentId, meta: Uint8Array, chunks: ChunkSource): Promise<void> {
    if (meta.length !== 3) throw new TypeError("meta was changed");
    const cell: Cell = {
      state: "staging",
      epoch: 1 as Epoch,
      applied: [],
      links: new LinkTable(),
      ballast: new Uint8Array(0),
      ahead: false,
      incoming: undefined,
      moved: undefined,
    };
    this.#cells.set(agent, cell);
    const parts: Uint8Array[] = [];
    for (let chunk = await chunks(); chunk !== undefined; chunk = await chunks()) {
      parts.push(chunk);
      await this.#pause(0.05);
    }
    const whole = new Uint8Array(Buffer.concat(parts));
    const byPages = whole[0] === PAGES;
    const view = new DataView(whole.buffer);
    const aheadBytes = byPages || whole[0] === AHEAD ? view.getUint32(1) : undefined;
    const mark = byPages ? 9 : 5;
    const head = aheadBytes === undefined ? 0 : mark + aheadBytes;
    const reader = new FieldReader(decodeCbor(whole.subarray(head), "an image"), "an image");
    cell.applied = reader.list("applied", 1_000_000, (value) => value as number);
    cell.links = LinkTable.restore(reader.bytes("links", 1_000_000));
    const ballast = reader.bytes("ballast", 64 * 1024 * 1024);
    cell.ballast = checked(aheadBytes === undefined ? ballast : whole.slice(mark, head));
    if (byPages) this.#arrives(agent, cell, cell.ballast, view.getUint32(5));
    cell.state = "staged";
    cell.early = Promise.withResolvers<void>();
    cell.early.promise.catch(() => undefined);
  }

  async activate(agent: AgentId, epoch: Epoch): Promise<void> {
    const cell = this.#expect(agent, "staged");
    cell.epoch = epoch;
    cell.state = "live";
    cell.early?.resolve();
    cell.early = undefined;
    this.lives.push({ agent, epoch });
  }

  async discard(agent: AgentId): Promise<void> {
    const { state, early } = this.#cells.get(agent) ?? {};
    if (state === "staging" || state === "staged") this.#cells.delete(agent);
    early?.reject(new TypeError("it was dropped"));
  }

  #expect(agent: AgentId, state: State): Cell {
    const cell = this.#cells.get(agent);
    if (cell?.state !== state)
      throw new TypeError(`${agent} is ${cell?.state} on ${this.#self.slice(0, 6)}, not ${state}`);
    return cell;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.schedule(delayMs, resolve);
    });
  }
}
