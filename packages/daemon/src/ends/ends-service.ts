/**
 * Tells of agents that ended to the nodes that want to know (docs/spec/agents-service.md, "Ends").
 *
 * EN1. A node tells only those that asked within {@link WATCH_MS}; who watches asks again every {@link RENEW_MS}. While nobody watches, an end costs
 *      nothing.
 * EN2. An end is told up to {@link TRIES} times until it is answered, and kept once. One whose node is killed, or out of reach for all of the tries, is
 *      not told.
 * EN3. The newest {@link ENDS_KEPT} are kept; who looks later hears how many it missed.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { type AgentId, type NodeId, parseAgentId } from "@glia-os/abi/ids";
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { decodeBody, encodeBody } from "../node-call.ts";
import type { AgentEndsPage, AgentEndView, EndReason, EndsApi } from "./ends-api.ts";

/** Asks a member to tell of ends. Body and answer: null. */
export const WATCH_CALL = "agents.watch-ends";
/** Tells of an end. Body: `{agent, name, reason, why}`. Answer: null. */
export const ENDED_CALL = "agents.ended";
/** How long a watch lasts without being renewed. */
export const WATCH_MS = 60_000;
/** How often it is renewed. */
export const RENEW_MS = 15_000;
/** How often an end is told until it is answered. */
export const TRIES = 3;
/** Ends that are kept. */
export const ENDS_KEPT = 1024;
const ANSWER_MS = 2000;
const WAIT_MAX_MS = 30_000;
const REASONS: readonly EndReason[] = ["stopped", "failed", "killed"];
const TEXT_CHARS = 500;

/** What it works with. */
export interface AgentEndsParts {
  readonly mesh: Mesh;
  readonly clock: Clock;
  readonly timers: Timers;
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
  #stopped = false;

  constructor(parts: AgentEndsParts) {
    this.#parts = parts;
    const { mesh } = parts;
    mesh.handle(WATCH_CALL, async ({ node }) => {
      this.#watchers.set(node, parts.clock.monotonicMs() + WATCH_MS);
      return encodeBody(null);
    });
    mesh.handle(ENDED_CALL, async (_caller, body) => {
      this.#hear(endIn(decodeBody(body)));
      return encodeBody(null);
    });
  }

  /** An agent of this node ended (EN1). */
  async ended(agent: AgentId, reason: EndReason, why: string | undefined): Promise<void> {
    const { mesh, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    for (const [node, untilMs] of this.#watchers) if (untilMs < nowMs) this.#watchers.delete(node);
    const isWatched = this.#lookedMs + WATCH_MS > nowMs;
    if (this.#watchers.size === 0 && !isWatched) return;
    const row = await mesh.coordination.getAgent(agent).catch(() => undefined);
    const end = { agent, name: row?.name, reason, why: why?.slice(0, TEXT_CHARS) };
    if (isWatched) this.#hear(end);
    await Promise.all([...this.#watchers.keys()].map((node) => this.#tell(node, end)));
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
      return;
    }
    this.#renewal = timers.schedule(RENEW_MS, () => void this.#renew());
    const others = mesh.members().filter(({ node, state }) => node !== mesh.self && state === "alive");
    const options = { timeoutMs: ANSWER_MS };
    await Promise.all(
      others.map(({ node }) => mesh.call(node, WATCH_CALL, encodeBody(null), options).catch(() => undefined)),
    );
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
    if (this.#ends.some(({ agent, reason }) => agent === end.agent && reason === end.reason)) return;
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
