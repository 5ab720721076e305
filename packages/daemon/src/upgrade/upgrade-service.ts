/**
 * Upgrades of agents by request, from any node.
 *
 * US1. The owner of an agent performs it: this node itself, or through a call to the owner.
 * US2. Every attempt of this node is counted and logged with what became of it; one that was refused changed nothing.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentRow, Logger, Meter } from "@glia-os/abi/ports";
import {
  type CellGate,
  type CellUpgradeReport,
  type CellUpgrades,
  PROGRAM_BYTES_MAX,
  UPGRADE_TIMEOUT_MS,
  UPGRADE_TIMEOUT_RANGE,
} from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { BadOptionsError, PayloadTooLargeError, UnknownAgentError } from "../errors.ts";
import { decodeBody, encodeBody } from "../node-call.ts";
import type { UpgradeApi, UpgradeReport, UpgradeRequest } from "./upgrade-api.ts";
import {
  isUpgradeTimeout,
  rollbackBody,
  rollbackIn,
  UPGRADE_CALLS,
  upgradeBody,
  upgradeIn,
} from "./upgrade-call.ts";

/** On top of what the agent may take: the way there, and the check and compilation of the module. */
const CALL_EXTRA_MS = 60_000;
const UPGRADES_TOTAL = "glia_agent_upgrades_total";
const RESULTS = ["done", "rolled-back", "refused", "busy"] as const;

/** What it works with. */
export interface UpgradeServiceParts {
  readonly mesh: Mesh;
  /** Both absent on a client. */
  readonly gate?: Pick<CellGate, "report">;
  readonly upgrades?: CellUpgrades;
  /** @throws {UnknownAgentError}, {AgentFailedError} */
  readonly agents: { find(text: string): Promise<AgentRow> };
  readonly meter: Meter;
  readonly logger: Logger;
}

/** The upgrades of one node. */
export class UpgradeService implements UpgradeApi {
  readonly #parts: UpgradeServiceParts;

  constructor(parts: UpgradeServiceParts) {
    this.#parts = parts;
    const { mesh, meter } = parts;
    for (const result of RESULTS) meter.count(UPGRADES_TOTAL, 0, { result });
    if (parts.upgrades === undefined) return;
    mesh.handle(UPGRADE_CALLS.upgrade, async (_, body) => {
      const { agent, request, timeoutMs } = upgradeIn(body);
      return encodeBody(await this.#upgradeHere(agent, request, timeoutMs));
    });
    mesh.handle(UPGRADE_CALLS.rollback, async (_, body) => {
      const { agent, timeoutMs } = rollbackIn(body);
      return encodeBody(await this.#rollbackHere(agent, timeoutMs));
    });
  }

  async upgrade(text: string, request: UpgradeRequest): Promise<UpgradeReport> {
    const { module, timeoutMs } = request;
    if (module.length > PROGRAM_BYTES_MAX)
      throw new PayloadTooLargeError("The module", module.length, PROGRAM_BYTES_MAX);
    const withinMs = checkedTimeout(timeoutMs);
    const { agent, owner } = await this.#parts.agents.find(text);
    if (owner === this.#parts.mesh.self) return this.#upgradeHere(agent, request, withinMs);
    const body = upgradeBody(agent, request, withinMs);
    return this.#atOwner(owner, UPGRADE_CALLS.upgrade, body, withinMs);
  }

  async rollback(text: string, timeoutMs?: number): Promise<UpgradeReport> {
    const withinMs = checkedTimeout(timeoutMs);
    const { agent, owner } = await this.#parts.agents.find(text);
    if (owner === this.#parts.mesh.self) return this.#rollbackHere(agent, withinMs);
    return this.#atOwner(owner, UPGRADE_CALLS.rollback, rollbackBody(agent, withinMs), withinMs);
  }

  async #atOwner(
    owner: AgentRow["owner"],
    method: string,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<UpgradeReport> {
    const options = { timeoutMs: timeoutMs + CALL_EXTRA_MS, traceparent: "new" } as const;
    return decodeBody(await this.#parts.mesh.call(owner, method, body, options)) as UpgradeReport;
  }

  #upgradeHere(agent: AgentId, request: UpgradeRequest, timeoutMs: number): Promise<UpgradeReport> {
    const { module: program, grants, memoryPages } = request;
    const change = {
      program,
      ...(grants === undefined ? {} : { grants }),
      ...(memoryPages === undefined ? {} : { memoryPages }),
    };
    return this.#counted(agent, "done", (upgrades) => upgrades.upgrade(agent, change, timeoutMs));
  }

  #rollbackHere(agent: AgentId, timeoutMs: number): Promise<UpgradeReport> {
    return this.#counted(agent, "rolled-back", (upgrades) => upgrades.rollback(agent, timeoutMs));
  }

  /** US2. */
  async #counted(
    agent: AgentId,
    result: "done" | "rolled-back",
    act: (upgrades: CellUpgrades) => Promise<CellUpgradeReport>,
  ): Promise<UpgradeReport> {
    const { mesh, gate, upgrades, agents, meter, logger } = this.#parts;
    if (upgrades === undefined) throw new UnknownAgentError(agent);
    const { name } = await agents.find(agent);
    try {
      const report = await act(upgrades);
      meter.count(UPGRADES_TOTAL, 1, { result });
      const { from, to, pauseMs } = report;
      logger.log("info", "an agent was upgraded", {
        agent,
        name,
        from: from.version,
        to: to.version,
        pauseMs,
      });
      const programHash = (await gate?.report(agent))?.programHash ?? "";
      return { ...report, name, node: mesh.self, programHash };
    } catch (error) {
      const code = errorCodeOf(error);
      const busy = code === "cells.upgrade-busy" || code === "cells.illegal-transition";
      meter.count(UPGRADES_TOTAL, 1, { result: busy ? "busy" : "refused" });
      logger.log("warn", "an agent was not upgraded", { agent, name, code, error: (error as Error).message });
      throw error;
    }
  }
}

function checkedTimeout(timeoutMs: number = UPGRADE_TIMEOUT_MS): number {
  if (isUpgradeTimeout(timeoutMs)) return timeoutMs;
  const [least, most] = UPGRADE_TIMEOUT_RANGE;
  throw new BadOptionsError(`timeoutMs ${String(timeoutMs)} is not from ${least} to ${most}`);
}
