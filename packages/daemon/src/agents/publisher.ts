/**
 * Topics over the mesh: a publication asks every member who subscribes, and goes to each of those over a link.
 *
 * PB1. Whoever subscribed, on a member that is reached in time, before the publication began gets it once, also while it moves: a node names those
 *      who left it as well.
 * PB2. Publications of one sender to one topic are made one after the other, in order; at most {@link WAITING_MAX} wait, then the oldest are dropped
 *      and counted in the log.
 * PB3. A member that does not answer within {@link ASK_MS} is left out, and that is logged.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, type NodeId, parseAgentId } from "@glia-os/abi/ids";
import type { Logger } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { decodeBody, encodeBody } from "../node-call.ts";
import { weightOfAll } from "./weight.ts";

/** The method that members answer: `{topic}`, answered by a list of ids. */
export const SUBSCRIBERS_CALL = "agents.subscribers";
/** Publications of one sender to one topic that wait. */
export const WAITING_MAX = 1024;
/** How long a member may take to answer. */
export const ASK_MS = 2000;

/** What a publisher needs. */
export interface PublisherParts {
  readonly mesh: Mesh;
  readonly logger: Logger;
  /** Who hears a topic on this node. */
  here(topic: string): ReadonlySet<AgentId>;
  send(to: AgentId, payload: Uint8Array): void;
  /** Publications of so much weight of a sender do not wait any more. */
  released(sender: AgentId, weight: number): void;
}

/** The publications of one node. */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #lines = new Map<string, Uint8Array[]>();

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Publish (PB2). */
  publish(sender: AgentId, topic: string, payload: Uint8Array): void {
    const key = `${sender}/${topic}`;
    const waiting = this.#lines.get(key);
    if (waiting === undefined) {
      const line = [payload];
      this.#lines.set(key, line);
      void this.#run(sender, topic, line);
      return;
    }
    if (waiting.length >= WAITING_MAX) {
      this.#parts.released(sender, weightOfAll(waiting.splice(0, 1)));
      this.#parts.logger.log("warn", "a publication was dropped: too many wait", { topic });
    }
    waiting.push(payload);
  }

  /** Everything that waits goes to those who subscribe now: one question serves many publications. */
  async #run(sender: AgentId, topic: string, line: Uint8Array[]): Promise<void> {
    while (line.length > 0) {
      const payloads = line.splice(0);
      for (const agent of await this.subscribers(topic))
        for (const payload of payloads) this.#parts.send(agent, payload);
      this.#parts.released(sender, weightOfAll(payloads));
    }
    this.#lines.delete(`${sender}/${topic}`);
  }

  /** Who hears a topic now, here and on members that answer in time (PB1). */
  async subscribers(topic: string): Promise<ReadonlySet<AgentId>> {
    const { mesh, here } = this.#parts;
    const found = new Set(here(topic));
    const members = mesh.members().filter(({ node, state, role }) => {
      return node !== mesh.self && role !== "client" && (state === "alive" || state === "suspect");
    });
    const answers = await Promise.all(members.map(({ node }) => this.#ask(node, topic)));
    for (const agent of answers.flat()) found.add(agent);
    return found;
  }

  async #ask(node: NodeId, topic: string): Promise<readonly AgentId[]> {
    try {
      const answer = decodeBody(
        await this.#parts.mesh.call(node, SUBSCRIBERS_CALL, encodeBody({ topic }), { timeoutMs: ASK_MS }),
      );
      return Array.isArray(answer) ? answer.filter((id) => typeof id === "string").map(parseAgentId) : [];
    } catch (error) {
      this.#parts.logger.log("warn", "a member was left out of a publication", {
        node,
        topic,
        code: errorCodeOf(error),
      });
      return [];
    }
  }
}
