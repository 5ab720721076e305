/**
 * An image on its way from the gate to the runner, which builds a cell of it.
 *
 * IW1. At most {@link WRITES_MAX} pieces are on their way: more would be memory that the sender believes taken. In order, they need no answer before
 *      the next one goes (RP1).
 * IW2. What the runner refuses is told by the next write, or by the end.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { CellRunnerPort } from "./runner-port.ts";

/** Pieces on their way, each of at most 1 MiB. */
export const WRITES_MAX = 4;

/** The pieces of one image. */
export class ImageWrites {
  readonly #runner: Pick<CellRunnerPort, "writeImage">;
  readonly #agent: AgentId;
  readonly #most: number;
  readonly #onTheirWay: Promise<void>[] = [];

  /** Not `several`: each piece waits for the one before it, for runners that take one at a time. */
  constructor(runner: Pick<CellRunnerPort, "writeImage">, agent: AgentId, several: boolean) {
    this.#runner = runner;
    this.#agent = agent;
    this.#most = several ? WRITES_MAX : 1;
  }

  /** Hand a piece over; resolves when there is room for another. @throws what the runner refused of an earlier one */
  async write(piece: Uint8Array): Promise<void> {
    const written = this.#runner.writeImage(this.#agent, piece);
    // Told later (IW2).
    written.catch(() => undefined);
    this.#onTheirWay.push(written);
    if (this.#onTheirWay.length >= this.#most) await this.#onTheirWay.shift();
  }

  /** All pieces so far; resolves when the runner has done with them what can be done. @throws what it refused first */
  async taken(): Promise<void> {
    for (const written of this.#onTheirWay.splice(0)) await written;
  }

  /** All pieces, and then `finished`. @throws what the runner refused first */
  async end(finished: Promise<void>): Promise<void> {
    finished.catch(() => undefined);
    await this.taken();
    await finished;
  }
}
