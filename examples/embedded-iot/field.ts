/**
 * A field of sensors in virtual time: a gateway on mains power that is the mesh's anchor, and nodes on batteries. Same options, same run.
 */
import { type AgentId, parseAgentId } from "@glia-os/abi/ids";
import { MemoryNetwork, VirtualTime } from "@glia-os/mesh-core/testing";
import { SIMULATED_DIGESTS, simulatedSigner } from "@glia-os/sim";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { Board, type Move } from "./board.ts";
import type { Series } from "./collector.ts";

/** The nodes on batteries, with the charge each begins with. Small batteries, so that the story takes an hour and a half. */
const NODES = [
  { name: "north", percent: 34 },
  { name: "east", percent: 80 },
  { name: "south", percent: 65 },
  { name: "west", percent: 50 },
] as const;
const MILLIAMP_HOURS = 8;
const READ_EVERY_SECONDS = 10;
const SAMPLE_EVERY_SECONDS = 60;
const MINUTE_SECONDS = 60;

/** How to run the field. */
export interface FieldOptions {
  readonly seed: number;
  /** Default 90. */
  readonly minutes?: number;
  /** Do not move the agent, to see what that costs. */
  readonly stays?: boolean;
}

/** The battery of a node over time, and where the agent was. */
export interface Track {
  readonly name: string;
  /** Percent, once a minute; undefined when the node is off. */
  readonly percent: readonly (number | undefined)[];
  /** Whether the agent lived here, at the same times. */
  readonly hosts: readonly boolean[];
}

/** What became of it. */
export interface FieldResult {
  readonly moves: readonly Move[];
  readonly tracks: readonly Track[];
  /** Readings that were measured, and that the agent has in the end, each once and in order. */
  readonly taken: number;
  readonly collected: number;
  /** Readings that came twice, out of order or with another value. */
  readonly wrong: number;
  /** Nodes that died with the agent on them. */
  readonly diedHosting: readonly string[];
  /** Of all that was sent, when and to whom. */
  readonly traceHash: string;
}

/** Run the field to its end. */
export async function runField(options: FieldOptions): Promise<FieldResult> {
  const field = new Field(options);
  await field.begin();
  await field.run();
  return field.result();
}

class Field {
  readonly #options: FieldOptions;
  readonly #time = new VirtualTime();
  readonly #network: MemoryNetwork;
  readonly #engine: ReturnType<typeof createMemoryCoordination>;
  readonly #boards: Board[] = [];
  readonly #moves: Move[] = [];
  readonly #diedHosting: string[] = [];
  readonly #tracks = new Map<Board, { percent: (number | undefined)[]; hosts: boolean[] }>();
  readonly #agent: AgentId = parseAgentId("00000000000000000000000000000001");

  constructor(options: FieldOptions) {
    this.#options = options;
    const faults = { loss: 0.02, duplication: 0.01, breaks: 0.001, delayMs: 3, jitterMs: 5 };
    this.#network = new MemoryNetwork(this.#time, SIMULATED_DIGESTS, options.seed, faults);
    this.#engine = createMemoryCoordination({ clock: this.#time });
  }

  /** Every node joins; the agent begins on the one that will be low first. */
  async begin(): Promise<void> {
    const { seed } = this.#options;
    const common = { time: this.#time, network: this.#network, seed };
    const clusterSigner = simulatedSigner(`${seed} cluster`);
    const gateway = new Board({
      ...common,
      index: 0,
      name: "gateway",
      milliampHours: undefined,
      percent: 100,
      engine: this.#engine,
      start: { kind: "found", clusterSigner },
    });
    this.#boards.push(gateway);
    await gateway.begin();
    const line = gateway.mesh.createJoinLine({ ttlMs: 600_000, uses: NODES.length });
    for (const [at, { name, percent }] of NODES.entries()) {
      const start = { kind: "join", line } as const;
      const board = new Board({
        ...common,
        index: at + 1,
        name,
        milliampHours: MILLIAMP_HOURS,
        percent,
        engine: undefined,
        start,
      });
      this.#boards.push(board);
      await board.begin();
    }
    const byId = new Map(this.#boards.map((board) => [board.id, board]));
    this.#network.onDelivery = ({ from, to }) => {
      byId.get(from)?.radio();
      byId.get(to)?.radio();
      return true;
    };
    await this.#spawn(this.#boards[1] as Board);
  }

  async #spawn(board: Board): Promise<void> {
    const row = {
      agent: this.#agent,
      owner: board.id,
      sessionId: board.sessionId,
      status: "running" as const,
      name: "collector",
      programHash: "0".repeat(64),
    };
    const created = await this.#time.settle(board.mesh.coordination.createAgent(row, "create"));
    board.cells.start(this.#agent, created.epoch);
  }

  async run(): Promise<void> {
    const seconds = (this.#options.minutes ?? 90) * MINUTE_SECONDS;
    for (let second = 0; second < seconds; second++) {
      if (second % SAMPLE_EVERY_SECONDS === 0) this.#sample();
      for (const [index, board] of this.#boards.entries()) {
        const hosted = board.cells.collected(this.#agent) !== undefined;
        const measures = second % READ_EVERY_SECONDS === index;
        board
          .second(this.#agent, measures, this.#options.stays === true)
          .then((move) => void (move !== undefined && this.#moves.push(move)));
        if (board.state === "dead" && hosted && !this.#diedHosting.includes(board.name))
          this.#diedHosting.push(board.name);
      }
      await this.#time.advance(1000);
    }
    // What is still on its way arrives.
    await this.#time.advance(60_000);
  }

  #sample(): void {
    for (const board of this.#boards) {
      const track = this.#tracks.get(board) ?? { percent: [], hosts: [] };
      const on = board.state === "on" || board.state === "leaving";
      track.percent.push(on ? board.mcu.battery.percent : undefined);
      track.hosts.push(on && board.cells.collected(this.#agent) !== undefined);
      this.#tracks.set(board, track);
    }
  }

  result(): FieldResult {
    const alive = this.#boards.filter(({ state }) => state !== "dead");
    const series: readonly Series[] =
      alive.map(({ cells }) => cells.collected(this.#agent)).find((found) => found !== undefined) ?? [];
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const off = series.filter(({ sensor, count, sum: total }) => {
      const board = this.#boards[sensor];
      return board?.taken === count && board.sum !== total;
    });
    return {
      moves: this.#moves,
      tracks: this.#boards.map((board) => ({
        name: board.name,
        percent: this.#tracks.get(board)?.percent ?? [],
        hosts: this.#tracks.get(board)?.hosts ?? [],
      })),
      taken: sum(this.#boards.map(({ taken }) => taken)),
      collected: sum(series.map(({ count }) => count)),
      wrong: sum(series.map(({ wrong }) => wrong)) + off.length,
      diedHosting: this.#diedHosting,
      traceHash: this.#network.traceHash,
    };
  }
}
