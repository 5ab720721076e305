/**
 * Which agents of other nodes end with their process, as those nodes said while they could.
 *
 * BA1. An agent is known to be bound only if its node said so. Of one that nobody spoke of before its node died nothing is told.
 * BA2. An answer replaces what a node said before the answer before it: an agent that moves is known by one of its nodes all the while.
 */

import { MalformedError } from "@glia-os/abi/errors";
import { type AgentId, fromHex, type NodeId, parseAgentId, toHex } from "@glia-os/abi/ids";

/** Agents that one node tells of. */
export const BOUND_MAX = 10_000;
const ID_BYTES = 16;

/** As bytes: 16 for each; those beyond {@link BOUND_MAX} are left out. */
export function boundBytes(agents: readonly AgentId[]): Uint8Array {
  const told = agents.slice(0, BOUND_MAX);
  const bytes = new Uint8Array(told.length * ID_BYTES);
  for (const [at, agent] of told.entries()) bytes.set(fromHex(agent), at * ID_BYTES);
  return bytes;
}

/** The agents in bytes. @throws {MalformedError} */
export function boundIn(value: Uint8Array): readonly AgentId[] {
  if (value.length % ID_BYTES !== 0 || value.length > BOUND_MAX * ID_BYTES)
    throw new MalformedError("call body", "it is no list of agents");
  return Array.from({ length: value.length / ID_BYTES }, (_, at) =>
    parseAgentId(toHex(value.subarray(at * ID_BYTES, (at + 1) * ID_BYTES))),
  );
}

/** What nodes said. */
export class BoundAgents {
  readonly #said = new Map<NodeId, { now: Set<AgentId>; before: ReadonlySet<AgentId> }>();

  /** A node said which are bound to it (BA2). */
  said(node: NodeId, agents: readonly AgentId[]): void {
    this.#said.set(node, { now: new Set(agents), before: this.#said.get(node)?.now ?? new Set() });
  }

  /** A node said that it has these, too. */
  more(node: NodeId, agents: readonly AgentId[]): void {
    const said = this.#said.get(node) ?? { now: new Set<AgentId>(), before: new Set<AgentId>() };
    this.#said.set(node, said);
    for (const agent of agents) if (said.now.size < BOUND_MAX) said.now.add(agent);
  }

  /** Whether any node said that an agent is. */
  has(agent: AgentId): boolean {
    for (const { now, before } of this.#said.values()) if (now.has(agent) || before.has(agent)) return true;
    return false;
  }

  /** Nobody is interested any more. */
  clear(): void {
    this.#said.clear();
  }
}
