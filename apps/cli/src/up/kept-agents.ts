/**
 * Keeps the agents of a configuration running.
 *
 * KA1. An agent whose name lives in the mesh is left alone, wherever it is. One that is missing, failed, or was lost with an earlier run of this
 *      node is started from its file. It is lost when this node has said for {@link LOST_MS} that it does not have it, and no replica does.
 * KA2. One that ends again and again is started with growing pauses, {@link PAUSE_MS} to {@link PAUSE_MAX_MS}; a run of {@link WELL_MS}
 *      forgets them. One that cannot be started is tried again the same way; the others do not wait for it.
 * KA3. An agent that is no longer in the configuration is left as it is: ending it is for a person to ask.
 * KA4. A durable agent is started once: what it knows is in its journal, on the disk of its node. One that failed is told and left as it is.
 */
import { readFileSync } from "node:fs";
import { errorCodeOf, toErrorRecord } from "@glia-os/abi/errors";
import type { Logger } from "@glia-os/abi/ports";
import type { AgentView, NodeApi } from "@glia-os/daemon";
import type { AgentConfig } from "@glia-os/daemon/config";

/** First pause before an agent is started again, in milliseconds (KA2). */
export const PAUSE_MS = 1000;
/** Longest pause (KA2). */
export const PAUSE_MAX_MS = 60_000;
/** How long an agent has to run to count as well (KA2). */
export const WELL_MS = 300_000;
/** How often the mesh is asked who lives: an agent may have ended on another node. */
const LOOK_MS = 5000;
/** How long an agent is looked for before it counts as lost (KA1). */
export const LOST_MS = 1000;

/** What an agent is started from. */
export interface KeptModule {
  readonly bytes: Uint8Array;
  readonly grants: readonly string[] | undefined;
}

/** What it works with. */
export interface KeptAgentsParts {
  readonly node: Pick<NodeApi, "listAgents" | "spawn" | "terminate" | "status">;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** Call once after so many milliseconds; the result takes it back. */
  readonly later: (ms: number, run: () => void) => () => void;
  /** The module of a file, and the imports it wants beside those that are configured. */
  readonly module?: (file: string, durable: boolean) => Promise<KeptModule>;
}

interface Tries {
  count: number;
  startedMs: number;
  notBeforeMs: number;
}

/** The agents of one configuration. */
export class KeptAgents {
  readonly #parts: KeptAgentsParts;
  readonly #tries = new Map<string, Tries>();
  /** Since when agents are not where their rows say. */
  readonly #lostMs = new Map<string, number>();
  readonly #failed = new Set<string>();
  #agents: readonly AgentConfig[] = [];
  #cancel: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: KeptAgentsParts) {
    this.#parts = parts;
  }

  /** Keep these from now on (KA3). Resolves when each was looked at once. */
  keep(agents: readonly AgentConfig[]): Promise<void> {
    this.#agents = agents;
    this.#lostMs.clear();
    return this.look();
  }

  /** Look now: something ended. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Start nothing more; what was begun is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#looking;
  }

  async #look(): Promise<void> {
    this.#cancel?.();
    if (this.#stopped || this.#agents.length === 0) return;
    try {
      const [living, { node }] = await Promise.all([
        this.#parts.node.listAgents(),
        this.#parts.node.status(),
      ]);
      const byName = new Map(living.map((agent) => [agent.name, agent]));
      for (const agent of this.#agents) {
        if (this.#stopped) return;
        await this.#tend(agent, byName.get(agent.name), node);
      }
    } catch (error) {
      this.#parts.logger.log("warn", "the agents could not be looked at", {
        error: toErrorRecord(error).message,
      });
    }
    if (!this.#stopped) this.#cancel = this.#parts.later(this.#pauseMs(), () => void this.look());
  }

  /** Until the next look: the first start that waits for its pause, the end of a search, or {@link LOOK_MS}. */
  #pauseMs(): number {
    const nowMs = this.#parts.nowMs();
    const starts = [...this.#tries.values()].map(({ notBeforeMs }) => notBeforeMs);
    const searches = [...this.#lostMs.values()].map((sinceMs) => sinceMs + LOST_MS);
    const waits = [...starts, ...searches].map((ms) => ms - nowMs).filter((ms) => ms > 0);
    return Math.min(LOOK_MS, ...waits);
  }

  async #tend(agent: AgentConfig, found: AgentView | undefined, self: string): Promise<void> {
    const { node, logger, nowMs } = this.#parts;
    if (found !== undefined && (agent.durable === true || !this.#isOver(found, self))) {
      this.#tellFailed(agent, found);
      const tries = this.#tries.get(agent.name);
      if (tries !== undefined && nowMs() - tries.startedMs >= WELL_MS) this.#tries.delete(agent.name);
      return;
    }
    const tries = this.#tries.get(agent.name) ?? { count: 0, startedMs: 0, notBeforeMs: 0 };
    if (nowMs() < tries.notBeforeMs) return;
    const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** Math.min(tries.count, 16));
    this.#tries.set(agent.name, {
      count: tries.count + 1,
      startedMs: nowMs(),
      notBeforeMs: nowMs() + pauseMs,
    });
    this.#lostMs.delete(agent.name);
    try {
      if (found !== undefined) await node.terminate(found.agent);
      await this.#start(agent);
      logger.log("info", "agent started", { agent: agent.name, start: tries.count + 1 });
    } catch (error) {
      // Another node was quicker: the name lives (KA1).
      if (errorCodeOf(error) === "store.name-taken") return;
      const { code, message } = toErrorRecord(error);
      logger.log("error", "agent not started", {
        agent: agent.name,
        code,
        error: message,
        againInMs: pauseMs,
      });
    }
  }

  /** KA4. */
  #tellFailed({ name, durable }: AgentConfig, { status, failure }: AgentView): void {
    const isNews = durable === true && status === "failed" && !this.#failed.has(name);
    if (status === "failed") this.#failed.add(name);
    else this.#failed.delete(name);
    if (isNews)
      this.#parts.logger.log("error", "a durable agent has failed: end it to have it begin anew", {
        agent: name,
        ...(failure === undefined ? {} : { error: failure }),
      });
  }

  /** (KA1) */
  #isOver({ name, status, owner, lost, replicas }: AgentView, self: string): boolean {
    const isLost = lost === true && (owner === self || status === "failed") && replicas === undefined;
    if (!isLost) {
      this.#lostMs.delete(name);
      return status === "failed" && lost !== true;
    }
    const nowMs = this.#parts.nowMs();
    const sinceMs = this.#lostMs.get(name) ?? nowMs;
    this.#lostMs.set(name, sinceMs);
    return nowMs - sinceMs >= LOST_MS;
  }

  async #start(agent: AgentConfig): Promise<void> {
    const { name, file, grants, memoryPages, on, replicas, withoutReplica, durable = false } = agent;
    const { bytes, grants: wanted } = await (this.#parts.module ?? moduleOf)(file, durable);
    const granted = grants ?? wanted;
    await this.#parts.node.spawn({
      module: bytes,
      name,
      ...(durable ? { kind: "domain" as const } : {}),
      ...(granted === undefined ? {} : { grants: granted }),
      ...(memoryPages === undefined ? {} : { memoryPages }),
      ...(on === undefined ? {} : { on }),
      ...(replicas === undefined ? {} : { replicas }),
      ...(withoutReplica === undefined ? {} : { withoutReplica }),
    });
  }
}

/** A module as it is in its file, or made of a source as `glia agent build` makes it; or the bundle of durable agents. */
async function moduleOf(file: string, durable: boolean): Promise<KeptModule> {
  if (durable) return (await import("../agent-source/durable-bundle.ts")).durableModule(file);
  if (/\.wasm$/i.test(file)) return { bytes: new Uint8Array(readFileSync(file)), grants: ["glia.v1"] };
  const { buildAgent } = await import("@glia-os/guest-js/build");
  const { bytes, grants } = await buildAgent({ entry: file });
  return { bytes, grants };
}
