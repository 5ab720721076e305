/**
 * What is asked of a coordination store, as plain data that can cross a thread.
 *
 * Q1. Every argument is checked here, before a request is queued or any state is read; a bad one changes nothing.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { type AgentId, type Epoch, type NodeId, parseAgentId, parseNodeId, toEpoch } from "@glia-os/abi/ids";
import {
  type AgentChange,
  type AgentRow,
  type AgentStatus,
  type CasOutcome,
  type CoordinationChange,
  type NodeSession,
  REPLICAS_MAX,
  type TakeOver,
} from "@glia-os/abi/ports";
import { NameInvalidError, TtlOutOfRangeError } from "./errors.ts";
import { CHANGES_LIMIT, NAME_LIMIT_BYTES, REQUEST_ID_LIMIT, TTL_MAX_MS, TTL_MIN_MS } from "./limits.ts";
import { faultOfText } from "./plain-text.ts";

/** What a new row says; the store adds epoch and revision. */
export type NewAgent = Omit<AgentRow, "epoch" | "revision">;

/** A request whose effect happens once per `requestId`. */
export type Mutation =
  | { readonly op: "open-session"; readonly node: NodeId; readonly ttlMs: number; readonly requestId: string }
  | { readonly op: "create-agent"; readonly row: NewAgent; readonly requestId: string }
  | {
      readonly op: "compare-and-swap";
      readonly agent: AgentId;
      readonly expected: Epoch;
      readonly change: AgentChange;
      readonly requestId: string;
    }
  | {
      readonly op: "take-over";
      readonly agent: AgentId;
      readonly expected: Epoch;
      readonly change: TakeOver;
      readonly requestId: string;
    };

/** A request to a coordination store. */
export type CoordinationRequest =
  | Mutation
  | { readonly op: "renew-session"; readonly sessionId: string }
  | { readonly op: "close-session"; readonly sessionId: string }
  | { readonly op: "get-agent"; readonly agent: AgentId }
  | { readonly op: "find-agent"; readonly name: string }
  | { readonly op: "list-agents" }
  | { readonly op: "changes-since"; readonly revision: number; readonly limit: number };

/** What a mutation answers. */
export type MutationReply = NodeSession | AgentRow | CasOutcome;

/** What a request answers; `null` stands for "none". */
export type CoordinationReply = MutationReply | readonly AgentRow[] | readonly CoordinationChange[] | null;

const SESSION_ID = /^([0-9a-f]{64}):([1-9][0-9]{0,15})$/;
const PROGRAM_HASH = /^[0-9a-f]{64}$/;
const REQUEST_ID = /^[ -~]+$/;
const STATUSES: readonly AgentStatus[] = ["running", "suspended", "terminated", "failed", "exported"];

/** The id of a session: its node and its fence, so that an id never comes back and says whose it is. */
export function sessionIdOf(node: NodeId, fence: number): string {
  return `${node}:${fence}`;
}

/** The node in a session id. @throws `abi.malformed` unless it is `<node id>:<fence>`. */
export function nodeOfSession(sessionId: string): NodeId {
  const match = typeof sessionId === "string" && sessionId.length <= 81 ? SESSION_ID.exec(sessionId) : null;
  if (match === null) throw new MalformedError("session id", "it is not <node id>:<fence>");
  return match[1] as NodeId;
}

/** A lease time that is in range. @throws `store.ttl-out-of-range`. */
export function checkTtl(ttlMs: number): number {
  if (!Number.isInteger(ttlMs) || ttlMs < TTL_MIN_MS || ttlMs > TTL_MAX_MS)
    throw new TtlOutOfRangeError(ttlMs);
  return ttlMs;
}

/** A name that can be stored. @throws `store.name-invalid`. */
export function checkName(name: string): string {
  const fault = name === "" ? "it is empty" : faultOfText(name, NAME_LIMIT_BYTES);
  if (fault !== undefined) throw new NameInvalidError(fault);
  return name;
}

/** A request id that can be stored. @throws `abi.malformed` unless it is 1 to 64 characters of printable ASCII. */
export function checkRequestId(requestId: string): string {
  const good =
    typeof requestId === "string" && requestId.length <= REQUEST_ID_LIMIT && REQUEST_ID.test(requestId);
  if (!good)
    throw new MalformedError(
      "request id",
      `it is not 1 to ${REQUEST_ID_LIMIT} characters of printable ASCII`,
    );
  return requestId;
}

function checkStatus(status: AgentStatus): AgentStatus {
  if (!STATUSES.includes(status))
    throw new MalformedError("agent status", `it is not one of ${STATUSES.join(", ")}`);
  return status;
}

/** The owner named in a row must be the node of the session named beside it (K3). */
function checkOwner(
  owner: NodeId,
  sessionId: string,
): { readonly owner: NodeId; readonly sessionId: string } {
  if (nodeOfSession(sessionId) !== parseNodeId(owner)) {
    throw new MalformedError("owner", "the session named beside it belongs to another node", {
      owner,
      sessionId,
    });
  }
  return { owner, sessionId };
}

/** Check the arguments of `openSession` (Q1). */
export function openSessionRequest(node: NodeId, ttlMs: number, requestId: string): CoordinationRequest {
  return {
    op: "open-session",
    node: parseNodeId(node),
    ttlMs: checkTtl(ttlMs),
    requestId: checkRequestId(requestId),
  };
}

/** The replicas named in a row: different nodes, and none the owner. */
function checkReplicas(
  replicas: readonly NodeId[] | undefined,
  owner: NodeId,
): { readonly replicas: readonly NodeId[] } | Record<never, never> {
  if (replicas === undefined) return {};
  if (!Array.isArray(replicas) || replicas.length > REPLICAS_MAX)
    throw new MalformedError("replicas", `they are not a list of at most ${REPLICAS_MAX} nodes`);
  const named = replicas.map((replica: unknown) => parseNodeId(replica as string));
  if (named.includes(owner)) throw new MalformedError("replicas", "one is the owner itself");
  if (new Set(named).size < named.length) throw new MalformedError("replicas", "one is named twice");
  return { replicas: named };
}

/** Check the arguments of `createAgent` (Q1). */
export function createAgentRequest(row: NewAgent, requestId: string): CoordinationRequest {
  if (typeof row !== "object" || row === null) throw new MalformedError("agent row", "it is not an object");
  const agent = parseAgentId(row.agent);
  const owner = checkOwner(row.owner, row.sessionId);
  const status = checkStatus(row.status);
  if (status === "terminated") throw new MalformedError("agent status", "a new agent is not terminated");
  if (!PROGRAM_HASH.test(row.programHash))
    throw new MalformedError("program hash", "it is not 64 characters of 0-9a-f");
  const replicas = checkReplicas(row.replicas, row.owner);
  const name = checkName(row.name);
  const checked = { agent, ...owner, status, name, programHash: row.programHash, ...replicas };
  return { op: "create-agent", row: checked, requestId: checkRequestId(requestId) };
}

/** Check the arguments of `compareAndSwap` (Q1). */
export function compareAndSwapRequest(
  agent: AgentId,
  expected: Epoch,
  change: AgentChange,
  requestId: string,
): CoordinationRequest {
  if (typeof change !== "object" || change === null)
    throw new MalformedError("agent change", "it is not an object");
  return {
    op: "compare-and-swap",
    agent: parseAgentId(agent),
    expected: toEpoch(expected),
    change: {
      ...checkOwner(change.owner, change.sessionId),
      status: checkStatus(change.status),
      ...checkReplicas(change.replicas, change.owner),
    },
    requestId: checkRequestId(requestId),
  };
}

/** Check the arguments of `takeOver` (Q1). */
export function takeOverRequest(
  agent: AgentId,
  expected: Epoch,
  change: TakeOver,
  requestId: string,
): CoordinationRequest {
  if (typeof change !== "object" || change === null)
    throw new MalformedError("take-over", "it is not an object");
  const { sessionId, from, status } = change;
  nodeOfSession(sessionId);
  nodeOfSession(from);
  if (status !== "running" && status !== "terminated")
    throw new MalformedError("take-over", "it makes an agent run, or ends it");
  return {
    op: "take-over",
    agent: parseAgentId(agent),
    expected: toEpoch(expected),
    change: { sessionId, from, status },
    requestId: checkRequestId(requestId),
  };
}

/** Check the arguments of `renewSession` and `closeSession` (Q1). */
export function sessionRequest(
  op: "renew-session" | "close-session",
  sessionId: string,
): CoordinationRequest {
  nodeOfSession(sessionId);
  return { op, sessionId };
}

/** Check the arguments of `changesSince` (Q1). */
export function changesSinceRequest(revision: number, limit: number): CoordinationRequest {
  if (!Number.isSafeInteger(revision) || revision < 0) {
    throw new MalformedError("revision", `${String(revision)} is not a whole number from 0`);
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > CHANGES_LIMIT) {
    throw new MalformedError("limit", `${String(limit)} is not a whole number from 1 to ${CHANGES_LIMIT}`);
  }
  return { op: "changes-since", revision, limit };
}
