/**
 * What all members of a mesh are doing, asked of each: the view of `glia top`.
 *
 * SV1. A member that does not answer within {@link ANSWER_MS} is in the survey with what this node knows of it and without a report.
 * SV2. Counters are cumulative, so that rates are differences of what was counted and survive a lost answer.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { Clock } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { decodeBody, encodeBody } from "../node-call.ts";
import type { AgentView, JobsView, MemberDetail } from "../node-views.ts";
import type { MoveLog, MoveView } from "./move-log.ts";

/** How long a member may take to answer (SV1). */
export const ANSWER_MS = 1000;
/** What members are asked. Body: null. Answer: its {@link NodeReport} as JSON. */
export const REPORT_CALL = "node.report";

/** What a node says of itself. */
export interface NodeReport {
  readonly uptimeMs: number;
  /** Memory of the node's process, resident. */
  readonly rssBytes: number;
  /** Processor time of the node's process since it started, of all its threads (SV2). */
  readonly cpuMs: number;
  /** Agents it hosts. */
  readonly hosting: number;
  /** How far it doubts its own judgement: 0 (well) to 7. */
  readonly healthScore: number;
  readonly jobs: JobsView | undefined;
  /** Messages that it keeps for agents elsewhere; absent when there are none. */
  readonly queued?: number;
  /** Moves that began there. */
  readonly moves: readonly MoveView[];
}

/** One member with its report. */
export interface SurveyedNode extends MemberDetail {
  /** Absent when it did not answer (SV1), and of members that are not alive. */
  readonly report: NodeReport | undefined;
}

/** The whole mesh, at one time. */
export interface MeshSurvey {
  /** When this node had all answers, on its monotonic clock: rates are differences over this. */
  readonly atMs: number;
  readonly nodes: readonly SurveyedNode[];
  readonly agents: readonly AgentView[];
}

/** A part of {@link NodeApi}. */
export interface SurveyApi {
  /** What all members are doing now; a silent one is there without a report. */
  survey(): Promise<MeshSurvey>;
}

/** What it works with. */
export interface SurveyServiceParts {
  readonly mesh: Mesh;
  readonly clock: Clock;
  /** Absent on a client. */
  readonly gate: Pick<CellGate, "size"> | undefined;
  readonly moves: MoveLog;
  members(): readonly MemberDetail[];
  agents(): Promise<readonly AgentView[]>;
  jobs(): JobsView | undefined;
  queued(): number;
}

/** The operations. */
export class SurveyService implements SurveyApi {
  readonly #parts: SurveyServiceParts;
  readonly #startedMs: number;

  constructor(parts: SurveyServiceParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
    parts.mesh.handle(REPORT_CALL, async () => encodeBody(this.#report()));
  }

  async survey(): Promise<MeshSurvey> {
    const { members, agents, clock } = this.#parts;
    const [nodes, living] = await Promise.all([
      Promise.all(members().map(async (member) => ({ ...member, report: await this.#ask(member) }))),
      agents(),
    ]);
    return { atMs: clock.monotonicMs(), nodes, agents: living };
  }

  #report(): NodeReport {
    const { clock, gate, mesh, jobs, moves } = this.#parts;
    const queued = this.#parts.queued();
    const { user, system } = process.cpuUsage();
    return {
      uptimeMs: clock.monotonicMs() - this.#startedMs,
      rssBytes: process.memoryUsage.rss(),
      cpuMs: (user + system) / 1000,
      hosting: gate?.size ?? 0,
      healthScore: mesh.healthScore,
      jobs: jobs(),
      ...(queued > 0 && { queued }),
      moves: moves.view(),
    };
  }

  async #ask({ node, state }: MemberDetail): Promise<NodeReport | undefined> {
    const { mesh } = this.#parts;
    if (node === mesh.self) return this.#report();
    if (state !== "alive" && state !== "suspect") return undefined;
    try {
      return checked(
        decodeBody(await mesh.call(node, REPORT_CALL, encodeBody(null), { timeoutMs: ANSWER_MS })),
      );
    } catch {
      return undefined; // The member is in the view all the same (SV1).
    }
  }
}

const NUMBERS = ["uptimeMs", "rssBytes", "cpuMs", "hosting", "healthScore"] as const;

/** A member's answer, if it has the shape of a report. */
function checked(value: unknown): NodeReport {
  const report = value as Partial<NodeReport> | null;
  if (!NUMBERS.every((name) => typeof report?.[name] === "number") || !Array.isArray(report?.moves))
    throw new MalformedError("a node's report", "it lacks a number or its moves");
  return report as NodeReport;
}
