/** Two processes between which a guest moves by post-copy, and what each move took. */
import { type ChildProcess, fork } from "node:child_process";
import { on } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Notice, Order } from "./glia/postcopy-node.ts";
import { rewritingGuest, type Size } from "./glia/rewriting-guest.ts";

const NS_PER_MS = 1e6;

/** What one move showed. */
export interface HandedOver {
  /** From the end of the last slice at the source to the end of the first one at the destination. */
  readonly firstSliceMs: number;
  /** Until every page was there. */
  readonly residentMs: number;
  /** Time of a slice at the source, over that of one while pages were missing; undefined when there was none. */
  readonly checkedSpeed: number | undefined;
  /** The same after all of them were there. */
  readonly settledSpeed: number;
}

/** One process. */
class Node {
  readonly #process: ChildProcess;
  readonly #said: AsyncIterator<[Notice]>;
  #closing = false;

  constructor(path: string) {
    this.#process = fork(join(import.meta.dirname, "glia/postcopy-node.ts"), [path]);
    this.#said = on(this.#process, "message") as unknown as AsyncIterator<[Notice]>;
    this.#process.once("exit", (code) => {
      if (!this.#closing) throw new TypeError(`a process of the move ended with ${code}`);
    });
  }

  tell(order: Order): void {
    this.#process.send(order);
  }

  /** The next thing it says, which must be this. */
  async notice<Did extends Notice["did"]>(did: Did): Promise<Extract<Notice, { readonly did: Did }>> {
    const { value } = await this.#said.next();
    const [said] = value as [Notice];
    if (said.did !== did) throw new TypeError(`the process said ${said.did}, not ${did}`);
    return said as Extract<Notice, { readonly did: Did }>;
  }

  close(): void {
    this.#closing = true;
    this.#process.disconnect();
  }
}

/** The two processes. */
export class HandedMoves {
  readonly #folder: string;
  readonly #nodes: readonly [Node, Node];
  #at: 0 | 1 = 0;

  private constructor(folder: string, nodes: readonly [Node, Node]) {
    this.#folder = folder;
    this.#nodes = nodes;
  }

  static async of(size: Size): Promise<HandedMoves> {
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    const path = join(folder, "guest.wasm");
    writeFileSync(path, await rewritingGuest(size));
    const [a, b] = [new Node(path), new Node(path)];
    const [{ port: toA }, { port: toB }] = await Promise.all([a.notice("ready"), b.notice("ready")]);
    a.tell({ do: "connect", port: toB });
    b.tell({ do: "connect", port: toA });
    await Promise.all([a.notice("connect"), b.notice("connect")]);
    a.tell({ do: "begin" });
    await a.notice("begin");
    return new HandedMoves(folder, [a, b]);
  }

  /** Move the guest to the other process, and wait until all of it is there. */
  async move(): Promise<HandedOver> {
    const to = this.#at === 0 ? 1 : 0;
    const [source, target] = [this.#nodes[this.#at], this.#nodes[to]];
    this.#at = to;
    source.tell({ do: "move" });
    const [left, first] = await Promise.all([source.notice("leave"), target.notice("slice")]);
    const resident = await target.notice("resident");
    const settled = await target.notice("settled");
    const since = (atNs: string): number => Number(BigInt(atNs) - BigInt(left.atNs)) / NS_PER_MS;
    return {
      firstSliceMs: since(first.atNs),
      residentMs: since(resident.atNs),
      checkedSpeed: resident.checkedMs === undefined ? undefined : left.sliceMs / resident.checkedMs,
      settledSpeed: left.sliceMs / settled.sliceMs,
    };
  }

  close(): void {
    for (const node of this.#nodes) node.close();
    rmSync(this.#folder, { recursive: true });
  }
}
