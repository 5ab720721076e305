/**
 * Moves by post-copy as the mesh asks for them, on the gate's side (docs/spec/postcopy.md).
 *
 * GP1. What is to be said to a source is kept until it is asked for, at most {@link SAID_BYTES_MAX}: a guest waits for one page at a time.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { IncomingPages, PagesAnswer, PieceSource, PostCopyCells } from "@glia-os/mesh-core";
import type { GateCell } from "../gate-cell.ts";
import { piecesSource } from "../image-source.ts";
import { PAGES_MARK } from "../image-stream.ts";
import type { CellRunnerPort } from "../runner-port.ts";
import { LostOnTheWayError, NoPostCopyError } from "./errors.ts";
import type { PagesGatePort, PagesRunnerPort } from "./pages-port.ts";

/** Most bytes that wait to be said to one source. */
export const SAID_BYTES_MAX = 65_536;

/** What it needs of its gate. */
export interface GatePagesOptions {
  readonly runner: Pick<CellRunnerPort, "readAhead">;
  readonly pages: PagesRunnerPort;
  /** @throws {NotHereError} */
  readonly here: (agent: AgentId) => GateCell;
}

/** The pages of the cells of one gate. */
export class GatePages implements PostCopyCells, PagesGatePort {
  readonly #o: GatePagesOptions;
  readonly #incoming = new Map<AgentId, Incoming>();

  constructor(options: GatePagesOptions) {
    this.#o = options;
  }

  async begin(agent: AgentId, move: string, rounds: boolean): Promise<PieceSource | undefined> {
    const { runner, pages, here } = this.#o;
    const cell = here(agent);
    if (cell.state !== "running") return undefined; // What stands still is best copied as it is.
    cell.readAhead = true;
    try {
      const first = await pages.beginPages(agent, move, rounds);
      cell.readAhead = first !== undefined;
      return first && piecesSource(runner, agent, 0, first, PAGES_MARK);
    } catch (error) {
      cell.readAhead = false;
      throw error;
    }
  }

  serve(move: string, said: Uint8Array): Promise<PagesAnswer> {
    return this.#o.pages.servePages(move, said);
  }

  release(move: string): Promise<void> {
    return this.#o.pages.releasePages(move);
  }

  incoming(agent: AgentId): IncomingPages | undefined {
    return this.#incoming.get(agent);
  }

  /** A cell arrives whose pages come after it. @throws {NoPostCopyError} also where there is nothing for it */
  static async stage(pages: GatePages | undefined, agent: AgentId): Promise<void> {
    if (pages === undefined) throw new NoPostCopyError(agent, "this node takes no agents so");
    pages.#incoming.set(agent, new Incoming(agent, pages.#o.pages));
    await pages.#o.pages.stagePages(agent);
  }

  /** It is not here any more. */
  gone(agent: AgentId, why: string): void {
    const incoming = this.#incoming.get(agent);
    this.#incoming.delete(agent);
    incoming?.gone(why);
  }

  // What the runner tells (PagesGatePort)

  said(agent: AgentId, bytes: Uint8Array): void {
    this.#incoming.get(agent)?.add(bytes);
  }

  whole(agent: AgentId): void {
    const incoming = this.#incoming.get(agent);
    this.#incoming.delete(agent);
    incoming?.arrived();
  }
}

class Incoming implements IncomingPages {
  readonly whole: Promise<void>;
  onSaid: (() => void) | undefined;
  readonly #agent: AgentId;
  readonly #pages: PagesRunnerPort;
  readonly #end = Promise.withResolvers<void>();
  #said: Uint8Array = new Uint8Array();

  constructor(agent: AgentId, pages: PagesRunnerPort) {
    this.#agent = agent;
    this.#pages = pages;
    this.whole = this.#end.promise;
    this.whole.catch(() => undefined);
  }

  said(): Uint8Array {
    const said = this.#said;
    this.#said = new Uint8Array();
    return said;
  }

  /** GP1. */
  add(bytes: Uint8Array): void {
    if (this.#said.length + bytes.length > SAID_BYTES_MAX) {
      this.lose("it says too much to its source");
      return;
    }
    const said = new Uint8Array(this.#said.length + bytes.length);
    said.set(this.#said);
    said.set(bytes, this.#said.length);
    this.#said = said;
    this.onSaid?.();
  }

  take(bytes: Uint8Array): Promise<boolean> {
    return this.#pages.takePages(this.#agent, bytes);
  }

  lose(why: string): void {
    this.#pages.losePages(this.#agent, why);
  }

  arrived(): void {
    this.#end.resolve();
  }

  gone(why: string): void {
    this.#end.reject(new LostOnTheWayError(this.#agent, why));
  }
}
