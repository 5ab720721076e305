/**
 * An agent on a node in a process of its own that is upgraded while a prober on another, the anchor, asks it 1000 times a second. What an upgrade costs the
 * agent's callers is the largest gap between two answers; the agent counts what it was asked, so what was lost or done twice shows.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentSystem } from "@glia-os/cells/agent";
import { connectSystem, createNode, type LocalNode } from "@glia-os/daemon";
import type { counter, UpgradedAgent } from "./glia/upgraded-agents.ts";

const PROBE_MS = 1;
/** Probed before and after an upgrade, too. */
const MARGIN_MS = 50;
const OUT_MAX = 60;
const TIMEOUT_MS = 60_000;
const AGENT = "agent";

/** What one upgrade showed. */
export interface ProbedUpgrade {
  /** Largest gap between answers in a time that holds the upgrade. */
  readonly gapMs: number;
  /** The same in as long a time without an upgrade, right after. */
  readonly stillMs: number;
  /** From when the agent began no message until its new code went on, as its node reports it. */
  readonly pauseMs: number;
  /** Asks per second in that time. */
  readonly offeredPerS: number;
  /** Asks that the agent did not count, or counted twice. */
  readonly wrong: number;
}

/** The nodes and the prober. */
export class NodeUpgrades {
  readonly #anchor: LocalNode;
  readonly #system: AgentSystem;
  readonly #folder: string;
  readonly #node: ChildProcess;
  readonly #agent: UpgradedAgent;
  #out = 0;
  #asked = 0;
  #counted = 0;
  #lastMs = 0;
  #gapMs = 0;

  private constructor(anchor: LocalNode, folder: string, node: ChildProcess, agent: UpgradedAgent) {
    this.#anchor = anchor;
    this.#system = connectSystem(anchor);
    this.#folder = folder;
    this.#node = node;
    this.#agent = agent;
  }

  static async of(agent: UpgradedAgent): Promise<NodeUpgrades> {
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    const anchor = await createNode({
      dataDir: join(folder, "anchor"),
      role: "core",
      name: "anchor",
      bind: { host: "127.0.0.1", port: 0 },
      start: { kind: "new-cluster" },
    });
    const line = await anchor.createJoinLine({ ttlMs: TIMEOUT_MS, uses: 1 });
    const node = fork(join(import.meta.dirname, "glia/moving-node.ts"), [join(folder, "host"), "host", line]);
    await once(node, "message");
    const [{ bytes: module, grants, kind }] = agent.modules;
    const more = { ...(grants.length === 0 ? {} : { grants }), ...(kind === undefined ? {} : { kind }) };
    await anchor.spawn({ name: AGENT, on: "host", module, ...more });
    return new NodeUpgrades(anchor, folder, node, agent);
  }

  /** Upgrade the agent to its other code. */
  async upgrade(): Promise<ProbedUpgrade> {
    const [, { bytes: module }] = this.#agent.modules;
    await this.#probe(MARGIN_MS);
    this.#gapMs = 0;
    const [startMs, before] = [performance.now(), this.#asked];
    let over = false;
    const upgrading = this.#anchor.upgrade(AGENT, { module, timeoutMs: TIMEOUT_MS }).finally(() => {
      over = true;
    });
    upgrading.catch(() => undefined); // Told below, when probing has ended.
    while (!over) await this.#probe(1);
    const { pauseMs } = await upgrading;
    await this.#probe(MARGIN_MS);
    const tookMs = performance.now() - startMs;
    const offeredPerS = (this.#asked - before) / (tookMs / 1000);
    const gapMs = this.#gapMs;
    this.#gapMs = 0;
    await this.#probe(tookMs);
    const stillMs = this.#gapMs;
    while (this.#out > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    return { gapMs, stillMs, pauseMs, offeredPerS, wrong: Math.abs(this.#asked - this.#counted) };
  }

  async close(): Promise<void> {
    await this.#system.close();
    const ended = once(this.#node, "exit");
    this.#node.disconnect();
    await ended;
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
        void this.#ask();
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async #ask(): Promise<void> {
    this.#out += 1;
    this.#asked += 1;
    try {
      this.#counted = Math.max(this.#counted, await this.#count());
      const now = performance.now();
      if (this.#lastMs > 0) this.#gapMs = Math.max(this.#gapMs, now - this.#lastMs);
      this.#lastMs = now;
    } finally {
      this.#out -= 1;
    }
  }

  /** How many asks the agent has counted with this one. */
  async #count(): Promise<number> {
    if (this.#agent.plain !== true)
      return await this.#system.ask<typeof counter, "add">(AGENT, "add", 1, { timeoutMs: TIMEOUT_MS });
    const reply = await this.#anchor.ask(AGENT, new Uint8Array(8), TIMEOUT_MS);
    return Number(new DataView(reply.buffer, reply.byteOffset).getBigUint64(0, true));
  }
}
