/**
 * An upgrade of several agents: canaries first, then the others, and back again when one fails (RO1 to RO4 of rolling.ts).
 *
 * UG1. An agent is well when it runs, or is suspended, with the program that it was given; canaries are looked at after the time to observe.
 * UG2. Ctrl-C is a failure: the upgrade that is under way ends, and those that were upgraded go back.
 */
import { setTimeout as pass } from "node:timers/promises";
import type { AgentRef } from "@glia-os/cells/agent";
import {
  createGroup,
  type MemberAction,
  type RollingReport,
  rollOutside,
} from "@glia-os/cells/orchestration";
import type { AgentView, NodeApi, UpgradeReport, UpgradeRequest } from "@glia-os/daemon";
import type { Context } from "../context.ts";
import { AgentUnknownError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { UpgradeStoppedError } from "./errors.ts";
import { upgradeLine } from "./upgrade-line.ts";
import type { GroupPlan } from "./upgrade-options.ts";

/** What goes through a group. */
export interface GroupUpgrade {
  readonly node: Pick<NodeApi, "upgrade" | "rollback" | "listAgents">;
  readonly agents: readonly AgentView[];
  readonly request: UpgradeRequest;
  readonly plan: GroupPlan;
  readonly context: Context;
}

/** Whether a text names several agents. */
export function isPattern(text: string): boolean {
  return text.includes("*");
}

/** The agents that live and whose name fits, by name. @throws {AgentUnknownError} for none */
export async function agentsNamed(
  node: Pick<NodeApi, "listAgents">,
  pattern: string,
): Promise<readonly AgentView[]> {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[^a-z0-9_-]/g, "\\$&"));
  const fits = new RegExp(`^${parts.join(".*")}$`);
  const found = (await node.listAgents()).filter(
    ({ name, status }) => (status === "running" || status === "suspended") && fits.test(name),
  );
  if (found.length === 0) throw new AgentUnknownError(pattern.slice(0, 80), undefined);
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Run it. @throws {UpgradeStoppedError} */
export async function upgradeGroup(upgrade: GroupUpgrade): Promise<ExitCode> {
  const { agents, plan, context } = upgrade;
  const refs = agents.map(({ agent, name }): AgentRef => ({ id: agent, name }));
  const doing = new Upgrading(upgrade);
  const { canary, atATime } = plan;
  const report = await rollOutside(createGroup("upgrade", refs), doing.action(), { canary, atATime });
  if (report.outcome !== "done") throw stopped(report, agents);
  context.terminal.record({ ok: true, outcome: report.outcome, upgraded: doing.reports });
  const count = agents.length === 1 ? "1 agent" : `${agents.length} agents`;
  context.terminal.line(`${count} upgraded`);
  return EXIT.ok;
}

/** What is done to each agent. */
class Upgrading {
  readonly reports: UpgradeReport[] = [];
  readonly #upgrade: GroupUpgrade;
  #observed: Promise<void> | undefined;

  constructor(upgrade: GroupUpgrade) {
    this.#upgrade = upgrade;
  }

  action(): MemberAction {
    const apply = (member: AgentRef): Promise<void> => this.#apply(member);
    const check = (member: AgentRef): Promise<boolean> => this.#check(member);
    const { rollback } = this.#upgrade.plan;
    return rollback ? { apply, check, undo: (member) => this.#undo(member) } : { apply, check };
  }

  async #apply({ id }: AgentRef): Promise<void> {
    const { node, request, context } = this.#upgrade;
    context.interrupt.throwIfAborted(); // UG2.
    const report = await node.upgrade(id, request);
    this.reports.push(report);
    context.terminal.line(upgradeLine(report));
  }

  async #undo(member: AgentRef): Promise<void> {
    const { node, request, context } = this.#upgrade;
    const report = await node.rollback(member.id, request.timeoutMs);
    context.terminal.line(`back: ${upgradeLine(report)}`);
  }

  /** UG1. */
  async #check({ id }: AgentRef): Promise<boolean> {
    const { node, context } = this.#upgrade;
    this.#observed ??= this.#observe();
    await this.#observed;
    context.interrupt.throwIfAborted();
    const wanted = this.reports.find(({ agent }) => agent === id)?.programHash;
    const now = (await node.listAgents()).find(({ agent }) => agent === id);
    return (now?.status === "running" || now?.status === "suspended") && now.programHash === wanted;
  }

  async #observe(): Promise<void> {
    const { plan, context } = this.#upgrade;
    if (plan.observeMs === 0) return;
    context.terminal.line(`observing ${this.reports.length} for ${plan.observeMs / 1000} s`);
    await pass(plan.observeMs, undefined, { signal: context.interrupt }).catch(() => undefined);
  }
}

function stopped(report: RollingReport, agents: readonly AgentView[]): UpgradeStoppedError {
  const nameOf = (id: string): string => agents.find(({ agent }) => agent === id)?.name ?? id;
  const { failed, done, undone, stuck, outcome } = report;
  return new UpgradeStoppedError(agents.length, {
    outcome: outcome === "stopped" ? "stopped" : "rolled-back",
    failed: {
      agent: failed?.member ?? "",
      name: nameOf(failed?.member ?? ""),
      why: whyOf(failed?.error),
    },
    upgraded: done.map(nameOf),
    undone: undone.map(nameOf),
    stuck: stuck.map(({ member, error }) => ({ name: nameOf(member), why: whyOf(error) })),
  });
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
