/** Coordination requests on the wire (docs/spec/membership.md): one call method per operation, prefix `coord.`. */
import { type AgentId, type ClusterId, fromHex, type NodeId } from "@glia-os/abi/ids";
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
import { type CborValue, decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { MalformedMessageError } from "../errors.ts";

/** Longest session id that is carried. */
export const TOKEN_MAX = 128;
/** Longest request id. */
export const REQUEST_ID_MAX = 64;
/** Longest agent name that is carried; which names are good is the engine's to say. */
export const AGENT_NAME_MAX = 1024;
/** Most rows in one answer, as the port says. */
export const ROWS_MAX = 10_000;

const STATUSES: readonly AgentStatus[] = ["running", "suspended", "terminated", "failed", "exported"];
const HASH_MAX = 64;

/** The fence every request carries: which cluster, which anchor. */
export interface AnchorFence {
  readonly cluster: ClusterId;
  readonly anchorEpoch: number;
}

/** A request body: the fence, then the arguments. */
export function encodeRequest({ cluster, anchorEpoch }: AnchorFence, args: readonly CborValue[]): Uint8Array {
  return encodeCbor([fromHex(cluster), anchorEpoch, args]);
}

/** A reader over any body of this protocol. */
export function readBody(bytes: Uint8Array, what: string): FieldReader {
  return new FieldReader(decodeCbor(bytes, what), what);
}

/** A node session as fields. */
export function sessionFields({ sessionId, node, fence, ttlMs }: NodeSession): CborValue {
  return [sessionId, fromHex(node), fence, ttlMs];
}

/** A node session from fields. */
export function readSession(reader: FieldReader): NodeSession {
  const session = {
    sessionId: reader.text("session", TOKEN_MAX, 1),
    node: reader.node("node"),
    fence: reader.int("fence"),
    ttlMs: reader.int("ttl"),
  };
  reader.end();
  return session;
}

/** An agent row as fields; its replicas are a ninth one, where there are any. */
export function rowFields(row: AgentRow): CborValue {
  const { agent, epoch, owner, sessionId, status, name, programHash, revision, replicas } = row;
  // UTF-8 would replace a lone surrogate, and another name would arrive.
  if (!name.isWellFormed())
    throw new MalformedMessageError("an agent row", "its name is not well-formed text");
  return [
    fromHex(agent),
    epoch,
    fromHex(owner),
    sessionId,
    STATUSES.indexOf(status),
    name,
    programHash,
    revision,
    ...(replicas === undefined ? [] : [replicas.map((node) => fromHex(node))]),
  ];
}

/** An agent row from fields. */
export function readRow(value: CborValue): AgentRow {
  const reader = new FieldReader(value, "an agent row");
  const row = {
    agent: reader.agent("agent"),
    epoch: reader.epoch("epoch"),
    owner: reader.node("owner"),
    sessionId: reader.text("session", TOKEN_MAX, 1),
    status: readStatus(reader),
    name: reader.text("name", AGENT_NAME_MAX),
    programHash: reader.text("program hash", HASH_MAX),
    revision: reader.int("revision"),
    ...readReplicas(reader),
  };
  reader.end();
  return row;
}

/** A change as fields. */
export function changeFields({ owner, sessionId, status, replicas }: AgentChange): CborValue {
  const named = replicas === undefined ? [] : [replicas.map((node) => fromHex(node))];
  return [fromHex(owner), sessionId, STATUSES.indexOf(status), ...named];
}

/** A change from fields. */
export function readChange(reader: FieldReader): AgentChange {
  const change = {
    owner: reader.node("owner"),
    sessionId: reader.text("session", TOKEN_MAX, 1),
    status: readStatus(reader),
    ...readReplicas(reader),
  };
  reader.end();
  return change;
}

/** A take-over as fields. */
export function takeOverFields({ sessionId, from, status }: TakeOver): CborValue {
  return [sessionId, from, status];
}

/** A take-over from fields. */
export function readTakeOver(reader: FieldReader): TakeOver {
  const change = {
    sessionId: reader.text("session", TOKEN_MAX, 1),
    from: reader.text("owner's session", TOKEN_MAX, 1),
    status: reader.word("status", ["running", "terminated"]),
  };
  reader.end();
  return change;
}

/** An outcome as fields. */
export function outcomeFields(outcome: CasOutcome): CborValue {
  return [outcome.kind, outcome.kind === "unknown-agent" ? null : rowFields(outcome.row)];
}

/** An outcome from fields. */
export function readOutcome(reader: FieldReader): CasOutcome {
  const kind = reader.word("kind", ["committed", "conflict", "unknown-agent"]);
  const row = reader.optional("row", readRow);
  reader.end();
  if (kind === "unknown-agent") return { kind };
  if (row === undefined) throw reader.refuse("row", `missing in ${kind}`);
  return { kind, row };
}

/** A change of the log as fields. */
export function logFields({ revision, row }: CoordinationChange): CborValue {
  return [revision, rowFields(row)];
}

/** A change of the log from fields. */
export function readLogEntry(value: CborValue): CoordinationChange {
  const reader = new FieldReader(value, "a coordination change");
  const revision = reader.int("revision");
  const row = reader.optional("row", readRow);
  reader.end();
  if (row === undefined) throw reader.refuse("row", "missing");
  return { revision, row };
}

/** Ids as bytes. */
export function idBytes(id: AgentId | NodeId): Uint8Array {
  return fromHex(id);
}

function readReplicas(reader: FieldReader): { readonly replicas: readonly NodeId[] } | Record<never, never> {
  if (reader.left === 0) return {};
  const node = (value: CborValue): NodeId => new FieldReader([value], "replicas").node("replica");
  return { replicas: reader.list("replicas", REPLICAS_MAX, node) };
}

function readStatus(reader: FieldReader): AgentStatus {
  return STATUSES[reader.int("status", STATUSES.length - 1)] ?? "running";
}
