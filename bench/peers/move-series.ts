/** The moves of one agent, made once and looked at in several ways: by windows of the latest ones. */
import type { MovingAgent } from "./glia/moving-agents.ts";
import { NodeMoves, type ProbedMove } from "./node-moves.ts";

/** How many moves are made. */
export interface SeriesLength {
  /** Before the first that counts. */
  readonly warmUp: number;
  /** In a window. */
  readonly window: number;
  /** New ones in each further window. */
  readonly step: number;
}

/** A series. */
export class MoveSeries {
  readonly #agent: () => MovingAgent | Promise<MovingAgent>;
  readonly #answered: number;
  readonly #length: SeriesLength;
  readonly #moves: ProbedMove[] = [];
  #nodes: NodeMoves | undefined;

  /** `answered`: messages that the agent answers before its first move. */
  constructor(agent: () => MovingAgent | Promise<MovingAgent>, answered: number, length: SeriesLength) {
    this.#agent = agent;
    this.#answered = answered;
    this.#length = length;
  }

  /** Window `number`, from 0; the moves that it lacks are made. */
  async window(number: number): Promise<readonly ProbedMove[]> {
    const { window, step } = this.#length;
    const from = number * step;
    while (this.#moves.length < from + window) this.#moves.push(await (await this.#open()).move());
    return this.#moves.slice(from, from + window);
  }

  /** Let the nodes go; the moves stay. */
  async close(): Promise<void> {
    const nodes = this.#nodes;
    this.#nodes = undefined;
    await nodes?.close();
  }

  async #open(): Promise<NodeMoves> {
    if (this.#nodes !== undefined) return this.#nodes;
    const nodes = await NodeMoves.of(await this.#agent(), this.#answered);
    this.#nodes = nodes;
    for (let left = this.#length.warmUp; left > 0; left--) await nodes.move();
    return nodes;
  }
}
