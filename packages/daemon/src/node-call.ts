/**
 * Calls that nodes make to each other beside the mesh's own: bodies and answers (docs/spec/node-calls.md).
 *
 * NC1. A body is JSON of at most 64 KiB, except `agent.spawn`, whose body is an agent manifest.
 * NC2. A body that does not have the shape of its method is refused with `abi.malformed`.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { type AgentId, type NodeId, parseAgentId, parseNodeId } from "@glia-os/abi/ids";
import type { MigrateOptions } from "@glia-os/mesh-core";

/** Methods nodes answer for each other. */
export const NODE_CALLS = {
  /** Run a new agent on this node. Body: manifest. Answer: its row as JSON. */
  spawn: "agent.spawn",
  /** Numbers about an agent here. Body: `{agent}`. Answer: vitals or null. */
  vitals: "agent.vitals",
  /** Move an agent of this node. Body: `{agent, to, strategy?}`. Answer: migration report. */
  migrate: "agent.migrate",
  /** End an agent of this node. Body: `{agent}`. */
  terminate: "agent.terminate",
  /** Nothing: tells that the node is there. */
  ping: "node.ping",
} as const;

const BODY_BYTES_MAX = 64 * 1024;

/** A value as a body. */
export function encodeBody(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value ?? null));
}

/** The value in a body (NC1). @throws {MalformedError}. */
export function decodeBody(body: Uint8Array): unknown {
  if (body.length > BODY_BYTES_MAX) throw new MalformedError("call body", `it has ${body.length} bytes`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new MalformedError("call body", "it is not JSON");
  }
}

function fieldsOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  const value = decodeBody(body);
  if (typeof value !== "object" || value === null)
    throw new MalformedError("call body", "it is not an object");
  return value as Readonly<Record<string, unknown>>;
}

/** The agent a body names (NC2). */
export function agentIn(body: Uint8Array): AgentId {
  const { agent } = fieldsOf(body);
  if (typeof agent !== "string") throw new MalformedError("call body", "it names no agent");
  return parseAgentId(agent);
}

/** The agent and destination a body names, and how the agent is to be moved (NC2). */
export function moveIn(body: Uint8Array): {
  readonly agent: AgentId;
  readonly to: NodeId;
  readonly strategy: Strategy;
} {
  const { to, strategy = "auto" } = fieldsOf(body);
  if (typeof to !== "string") throw new MalformedError("call body", "it names no destination");
  return { agent: agentIn(body), to: parseNodeId(to), strategy: strategyIn(strategy) };
}

/** A way an agent can be asked to move. */
export type Strategy = NonNullable<MigrateOptions["strategy"]>;

/** Every way an agent can be asked to move. */
export const STRATEGIES: readonly Strategy[] = ["auto", "stop-and-copy", "pre-copy", "post-copy", "hybrid"];

/** The strategy that a value names. @throws {MalformedError} */
export function strategyIn(value: unknown): Strategy {
  const found = STRATEGIES.find((one) => one === value);
  if (found === undefined)
    throw new MalformedError(
      "move",
      `there is no strategy ${JSON.stringify(value)}, only ${STRATEGIES.join(", ")}`,
    );
  return found;
}
