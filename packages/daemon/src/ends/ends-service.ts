/**
 * Tells of agents that ended to the nodes that want to know (docs/spec/agents-service.md, "Ends").
 *
 * EN1. A node tells only those that asked within {@link WATCH_MS}; who watches asks again every {@link RENEW_MS}. While nobody watches, an end costs
 *      nothing.
 * EN2. An end is told up to {@link TRIES} times until it is answered, and kept once.
 * EN4. While somebody watches, a node tells which of its agents end with its process. When it is away for longer than its lease, or came back as another
 *      process, whoever watches takes those for lost that are still its own by their rows: once each. What has a journal or a replica is never among them.
 * EN3. The newest {@link ENDS_KEPT} are kept; who looks later hears how many it missed.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { type AgentId, type NodeId, parseAgentId } from "@glia-os/abi/ids";
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Member, Mesh } from "@glia-os/mesh-core";
import { decodeBody, encodeBody } from "../node-call.ts";
import type { Absences } from "./absences.ts";
import { BoundAgents, boundBytes, boundIn } from "./bound-agents.ts";
import type { AgentEndsPage, AgentEndView, EndReason, EndsApi } from "./ends-api.ts";

/** Asks a member to tell of ends. Body: null. Answer: 16 bytes for each of its agents that end with its process. */
export const WATCH_CALL = "agents.watch-ends";
/** Tells of an end. Body: `{agent, name, reason, why}`. Answer: null. */
export const ENDED_CALL = "agents.ended";
/** Tells of agents that began and end with their node's process. Body: 16 bytes for each. Answer: null. */
export const BEGAN_CALL = "agents.began-bound";
/** How long a watch lasts without being renewed. */
export const WATCH_MS = 60_000;
/** How often it is renewed. */
export const RENEW_MS = 15_000;
/** How often an end is told until it is answered. */
export const TRIES = 3;
/** Ends that are kept. */
export const ENDS_KEPT = 1024;
const ANSWER_MS = 2000;
/** Agents that began within this are told together. */
const BEGAN_MS = 50;
const WAIT_MAX_MS = 30_000;
const REASONS: readonly EndReason[] = ["stopped", "failed", "killed", "lost"];
const LOST = "its node is gone, and nobody goes on with it";
const TEXT_CHARS = 500;

/** What it works with. */
export interface AgentEndsParts {
  readonly mesh: Mesh;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly absences: Absences;
  /** The agents here that end with this process; absent on a client. */
  readonly cells?: Pick<CellGate, "boundAgents" | "isBound"> | undefined;
}

/** The ends that one node knows of. */
export class AgentEnds implements EndsApi {
  readonly #parts: AgentEndsParts;
  readonly #watchers = new Map<NodeId, number>();
  #ends: AgentEndView[] = [];
  /** Ends heard since the start. */
  #heard = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #renewal: TimerHandle | undefined;
  /** Every member that answers knows of the watch. */
  #begun: Promise<void> = Promise.resolve();
  #waiting: (() => void)[] = [];
  readonly #bound = new BoundAgents();
  /** The process that a node was when it answered last. */
  readonly #boots = new Map<NodeId, number>();
  /** Nodes whose agents are to be looked at when coordination answers again. */
  readonly #away = new Set<NodeId>();
  #began: AgentId[] = [];
  #telling: TimerHandle | undefined;
  #stopped = false;

  constructor(parts: AgentEndsParts) {
    this.#parts = parts;
    const { mesh } = parts;
    mesh.handle(WATCH_CALL, async ({ node }) => {
      this.#watchers.set(node, parts.clock.monotonicMs() + WATCH_MS);
      return boundBytes(parts.cells?.boundAgents() ?? []);
    });
    mesh.handle(BEGAN_CALL, async ({ node }, body) => {
      this.#bound.more(node, boundIn(body));
      return encodeBody(null);
    });
    parts.absences.onAway((node) => {
      this.#away.add(node);
      void this.#lookForLost();
    });
    mesh.handle(ENDED_CALL, async (_caller, body) => {
      this.#hear(endIn(decodeBody(body)));
      return encodeBody(null);
    });
  }

  /** An agent of this node ended (EN1). */
  async ended(agent: AgentId, reason: EndReason, why: string | undefined): Promise<void> {
    const { mesh, clock } = this.#parts;
    this.#forgetWatchers();
    const isWatched = this.#lookedMs + WATCH_MS > clock.monotonicMs();
    if (this.#watchers.size === 0 && !isWatched) return;
    const row = await mesh.coordination.getAgent(agent).catch(() => undefined);
    const end = { agent, name: row?.name, reason, why: why?.slice(0, TEXT_CHARS) };
    if (isWatched) this.#hear(end);
    await Promise.all([...this.#watchers.keys()].map((node) => this.#tell(node, end)));
  }

  /** An agent of this node is about to begin (EN4). */
  began(agent: AgentId): void {
    this.#forgetWatchers();
    if (this.#watchers.size === 0) return;
    this.#began.push(agent);
    this.#telling ??= this.#parts.timers.schedule(BEGAN_MS, () => {
      this.#telling = undefined;
      const { cells, mesh } = this.#parts;
      const agents = this.#began.splice(0).filter((one) => cells?.isBound(one) === true);
      const body = boundBytes(agents);
      for (const node of agents.length > 0 ? this.#watchers.keys() : [])
        mesh.call(node, BEGAN_CALL, body, { timeoutMs: ANSWER_MS }).catch(() => undefined); // It asks again.
    });
  }

  async agentEnds(after: number | null, waitMs: number): Promise<AgentEndsPage> {
    if (!(waitMs >= 0 && waitMs <= WAIT_MAX_MS))
      throw new MalformedError("wait", `${waitMs} is not from 0 to ${WAIT_MAX_MS} ms`);
    this.#lookedMs = this.#parts.clock.monotonicMs();
    if (this.#renewal === undefined) this.#begun = this.#renew();
    await this.#begun;
    if (after !== null && after >= this.#heard && waitMs > 0) await this.#news(waitMs);
    this.#lookedMs = this.#parts.clock.monotonicMs();
    const from = after ?? this.#heard;
    const many = Math.min(this.#ends.length, Math.max(0, this.#heard - from));
    const ends = many === 0 ? [] : this.#ends.slice(-many);
    return { next: this.#heard, missed: Math.max(0, this.#heard - from - many), ends };
  }

  /** Watch no more. */
  stop(): void {
    this.#stopped = true;
    this.#renewal?.cancel();
    this.#telling?.cancel();
    for (const go of this.#waiting.splice(0)) go();
  }

  #news(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        timer.cancel();
        resolve();
      };
      const timer = this.#parts.timers.schedule(waitMs, go);
      this.#waiting.push(go);
    });
  }

  /** EN1. */
  async #renew(): Promise<void> {
    const { mesh, timers, clock } = this.#parts;
    if (this.#stopped || this.#lookedMs + WATCH_MS < clock.monotonicMs()) {
      this.#renewal = undefined;
      this.#bound.clear();
      this.#boots.clear();
      return;
    }
    this.#renewal = timers.schedule(RENEW_MS, () => void this.#renew());
    const others = mesh.members().filter(({ node, state }) => node !== mesh.self && state === "alive");
    await Promise.all(others.map((member) => this.#ask(member)));
    if (this.#away.size > 0) await this.#lookForLost();
  }

  async #ask({ node, bootEpoch }: Pick<Member, "node" | "bootEpoch">): Promise<void> {
    let agents: readonly AgentId[];
    try {
      const { mesh } = this.#parts;
      agents = boundIn(await mesh.call(node, WATCH_CALL, encodeBody(null), { timeoutMs: ANSWER_MS }));
    } catch {
      return; // It is asked again.
    }
    const boot = this.#boots.get(node);
    this.#boots.set(node, bootEpoch);
    // Another process than before: what is lost is what it does not have.
    if (boot !== undefined && boot !== bootEpoch) await this.#lostOf([node], new Set(agents));
    this.#bound.said(node, agents);
  }

  /** EN4. Coordination may be away with the node: then it is asked at the next renewal. */
  async #lookForLost(): Promise<void> {
    const nodes = [...this.#away];
    if (await this.#lostOf(nodes, new Set())) for (const node of nodes) this.#away.delete(node);
  }

  /** Hear of what nodes had and have not any more. Returns whether that could be known. */
  async #lostOf(nodes: readonly NodeId[], had: ReadonlySet<AgentId>): Promise<boolean> {
    if (this.#lookedMs + WATCH_MS < this.#parts.clock.monotonicMs()) return true;
    const rows = await this.#parts.mesh.coordination.listAgents().catch(() => undefined);
    for (const { agent, name, owner, status } of rows ?? []) {
      const runs = status === "running" || status === "suspended";
      if (runs && nodes.includes(owner) && !had.has(agent) && this.#bound.has(agent))
        this.#hear({ agent, name, reason: "lost", why: LOST });
    }
    return rows !== undefined;
  }

  #forgetWatchers(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [node, untilMs] of this.#watchers) if (untilMs < nowMs) this.#watchers.delete(node);
  }

  /** EN2. */
  async #tell(node: NodeId, end: AgentEndView): Promise<void> {
    for (let tries = 0; tries < TRIES && !this.#stopped; tries++)
      try {
        await this.#parts.mesh.call(node, ENDED_CALL, encodeBody(end), { timeoutMs: ANSWER_MS });
        return;
      } catch {
        // Told again, or given up.
      }
  }

  #hear(end: AgentEndView): void {
    const isTold = ({ agent, reason }: AgentEndView): boolean =>
      agent === end.agent && (reason === end.reason || reason === "lost");
    if (this.#ends.some(isTold)) return;
    this.#heard++;
    this.#ends = [...this.#ends, end].slice(-ENDS_KEPT);
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** The end in a body. @throws {MalformedError} */
function endIn(value: unknown): AgentEndView {
  const { agent, name, reason, why } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isText = (text: unknown): text is string | undefined =>
    text === undefined || (typeof text === "string" && text.length <= TEXT_CHARS);
  if (!isText(name) || !isText(why) || !REASONS.includes(reason as EndReason))
    throw new MalformedError("call body", "it is no end of an agent");
  return { agent: parseAgentId(String(agent)), name, reason: reason as EndReason, why };
}
