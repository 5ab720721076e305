/**
 * The agent, and the host of agents that each node has: it collects the readings of all sensors.
 *
 * All that the agent is moves with it: per sensor the number of its last reading and the sum of all, and the table of its links, by which a
 * message that is sent again after a move is not applied again.
 */
import type { AgentId, Epoch } from "@glia-os/abi/ids";
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
} from "@glia-os/mesh-core";

/** What the agent knows of one sensor. */
export interface Series {
  readonly sensor: number;
  /** Readings it has, and the sum of their values. */
  readonly count: number;
  readonly sum: number;
  /** Readings that came out of order or twice. */
  readonly wrong: number;
}

interface Collector {
  state: "live" | "frozen" | "staged" | "retired";
  epoch: Epoch;
  series: Map<number, Series>;
  links: LinkTable;
  moved?: Moved;
}

/** A reading as bytes: sensor, number, value, each 4 bytes. */
export function encodeReading(sensor: number, number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of [sensor, number, value].entries()) view.setInt32(4 * index, word);
  return bytes;
}

/** The agents of one node. */
export class CollectorCells implements MeshCells {
  readonly #cells = new Map<AgentId, Collector>();

  /** Begin with nothing collected. */
  start(agent: AgentId, epoch: Epoch): void {
    this.#cells.set(agent, { state: "live", epoch, series: new Map(), links: new LinkTable() });
  }

  /** What the agent has, if it lives here. */
  collected(agent: AgentId): readonly Series[] | undefined {
    const cell = this.#cells.get(agent);
    return cell?.state === "live" ? [...cell.series.values()] : undefined;
  }

  deliver({ agent, link, seq, floor, ask, payload }: LinkMessage): LinkVerdict {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return { kind: "unknown-agent" };
    if (cell.state === "retired" && cell.moved !== undefined) return { kind: "moved", ...cell.moved };
    if (cell.state !== "live") return { kind: "retry", retryAfterMs: 5 };
    const verdict = cell.links.offer(link, seq, floor, ask);
    if (verdict.kind === "accepted") apply(cell.series, payload);
    return verdict;
  }

  linkClosed(agent: AgentId, link: string): void {
    this.#cells.get(agent)?.links.close(link);
  }

  describe(agent: AgentId): AgentDescription | undefined {
    const cell = this.#cells.get(agent);
    if (cell?.state !== "live") return undefined;
    return { epoch: cell.epoch, meta: new Uint8Array(), estimatedBytes: 1024 };
  }

  async admit(): Promise<void> {}

  async freeze(agent: AgentId): Promise<ChunkSource> {
    const cell = this.#cell(agent);
    cell.state = "frozen";
    const series = [...cell.series.values()].map(({ sensor, count, sum, wrong }) => [
      sensor,
      count,
      sum,
      wrong,
    ]);
    const parts = [encodeCbor([series.flat(), cell.links.serialize()])];
    return async () => parts.shift();
  }

  async thaw(agent: AgentId, epoch: Epoch): Promise<void> {
    Object.assign(this.#cell(agent), { state: "live", epoch });
  }

  async retire(agent: AgentId, moved: Moved): Promise<void> {
    Object.assign(this.#cell(agent), { state: "retired", moved, series: new Map() });
  }

  async stage(agent: AgentId, _meta: Uint8Array, chunks: ChunkSource): Promise<void> {
    const image = (await chunks()) ?? new Uint8Array();
    while ((await chunks()) !== undefined);
    const reader = new FieldReader(decodeCbor(image, "a collector"), "a collector");
    const numbers = reader.list("series", 4096, (value) => value as number);
    const series = new Map<number, Series>();
    for (let at = 0; at < numbers.length; at += 4) {
      const [sensor, count, sum, wrong] = numbers.slice(at, at + 4) as [number, number, number, number];
      series.set(sensor, { sensor, count, sum, wrong });
    }
    const links = LinkTable.restore(reader.bytes("links", 1_000_000));
    this.#cells.set(agent, { state: "staged", epoch: 1 as Epoch, series, links });
  }

  async activate(agent: AgentId, epoch: Epoch): Promise<void> {
    Object.assign(this.#cell(agent), { state: "live", epoch });
  }

  async discard(agent: AgentId): Promise<void> {
    if (this.#cells.get(agent)?.state === "staged") this.#cells.delete(agent);
  }

  #cell(agent: AgentId): Collector {
    const cell = this.#cells.get(agent);
    if (cell === undefined) throw new TypeError(`${agent} is not here`);
    return cell;
  }
}

/** Readings of a sensor are numbered from 1 without gaps: any other order is counted as wrong. */
function apply(series: Map<number, Series>, payload: Uint8Array): void {
  const view = new DataView(payload.buffer, payload.byteOffset);
  const [sensor, number, value] = [view.getInt32(0), view.getInt32(4), view.getInt32(8)];
  const before = series.get(sensor) ?? { sensor, count: 0, sum: 0, wrong: 0 };
  const wrong = before.wrong + (number === before.count + 1 ? 0 : 1);
  series.set(sensor, { sensor, count: before.count + 1, sum: before.sum + value, wrong });
}
