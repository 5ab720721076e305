/**
 * Two nodes in processes of their own between which an agent moves, and a prober on a third, the anchor: it asks the agent 1000 times a second over
 * the mesh. What a move costs the agent's callers is the largest gap between two answers.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, type LocalNode, type MigrationReport } from "@glia-os/daemon";
import type { MovingAgent } from "./glia/moving-agents.ts";

const PROBE_MS = 1;
/** Probed before and after a move, too. */
const MARGIN_MS = 20;
/** Probed without a move after one in so many. */
const STILL_EVERY = 4;
/** A link has at most 64 asks without a reply. */
const OUT_MAX = 60;
const TIMEOUT_MS = 60_000;
const AGENT = "agent";
const ASK = new Uint8Array(8);

/** What one move showed. */
export interface ProbedMove {
  /** Largest gap between answers in a time that holds the move. */
  readonly gapMs: number;
  /** The same in as long a time without a move, right after; not looked at after each. */
  readonly stillMs: number | undefined;
  readonly report: MigrationReport;
}

/** The nodes and the prober. */
export class NodeMoves {
  readonly #anchor: LocalNode;
  readonly #folder: string;
  readonly #nodes: readonly ChildProcess[];
  #at = 0;
  #moves = 0;
  #out = 0;
  #lastMs = 0;
  #gapMs = 0;

  private constructor(anchor: LocalNode, folder: string, nodes: readonly ChildProcess[]) {
    this.#anchor = anchor;
    this.#folder = folder;
    this.#nodes = nodes;
  }

  /** Two nodes with the agent on the first, after it answered so often. */
  static async of(agent: MovingAgent, answered = 0): Promise<NodeMoves> {
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    const anchor = await createNode({
      dataDir: join(folder, "anchor"),
      role: "core",
      name: "anchor",
      bind: { host: "127.0.0.1", port: 0 },
      start: { kind: "new-cluster" },
    });
    const nodes: ChildProcess[] = [];
    for (const name of ["n0", "n1"]) {
      const line = await anchor.createJoinLine({ ttlMs: TIMEOUT_MS, uses: 1 });
      const node = fork(join(import.meta.dirname, "glia/moving-node.ts"), [join(folder, name), name, line]);
      await once(node, "message");
      nodes.push(node);
    }
    await anchor.spawn({ ...agent, name: AGENT, on: "n0" });
    for (let left = answered; left >= 0; left--) await anchor.ask(AGENT, ASK, TIMEOUT_MS);
    for (const to of ["n1", "n0"]) await movedOnce(anchor, to);
    return new NodeMoves(anchor, folder, nodes);
  }

  /** Move the agent to the other node. */
  async move(): Promise<ProbedMove> {
    const startMs = performance.now();
    await this.#probe(MARGIN_MS);
    this.#gapMs = 0;
    this.#at = 1 - this.#at;
    let over = false;
    const moving = this.#anchor.migrate(AGENT, `n${this.#at}`, { strategy: "pre-copy" }).finally(() => {
      over = true;
    });
    // A failure is told below, when probing has ended.
    moving.catch(() => undefined);
    while (!over) await this.#probe(MARGIN_MS);
    const report = await moving;
    await this.#probe(MARGIN_MS);
    const gapMs = this.#gapMs;
    if (this.#moves++ % STILL_EVERY > 0) return { gapMs, stillMs: undefined, report };
    this.#gapMs = 0;
    await this.#probe(performance.now() - startMs);
    return { gapMs, stillMs: this.#gapMs, report };
  }

  async close(): Promise<void> {
    for (const node of this.#nodes) {
      const ended = once(node, "exit");
      node.disconnect();
      await ended;
    }
    await this.#anchor.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ask once a millisecond for as long. */
  async #probe(forMs: number): Promise<void> {
    const start = performance.now();
    let askedMs = 0;
    for (let now = start; now - start < forMs; now = performance.now()) {
      if (now - askedMs >= PROBE_MS && this.#out < OUT_MAX) {
        askedMs = now;
        this.#ask();
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  #ask(): void {
    this.#out += 1;
    this.#anchor.ask(AGENT, ASK, TIMEOUT_MS).then(
      () => {
        this.#out -= 1;
        const now = performance.now();
        if (this.#lastMs > 0) this.#gapMs = Math.max(this.#gapMs, now - this.#lastMs);
        this.#lastMs = now;
      },
      () => {
        this.#out -= 1;
      },
    );
  }
}

/** Move the agent once: nodes that have just joined may need a moment to know each other. */
async function movedOnce(anchor: LocalNode, to: string): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      await anchor.migrate(AGENT, to);
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise<void>((resolve) => setTimeout(resolve, 100));
    }
  }
}
