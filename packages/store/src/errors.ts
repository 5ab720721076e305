/**
 * The refusals of this package, one class per failure.
 *
 * R1. `details` holds every constructor argument, so a refusal survives a worker boundary or a row of the request table
 *     and comes back as the same class with the same sentences ({@link reviveError}).
 */
import {
  type ErrorCode,
  type ErrorRecord,
  type GliaError,
  MalformedError,
  RemoteError,
} from "@glia-os/abi/errors";
import { StoreError } from "@glia-os/abi/errors/store";
import { REVIVE_BLOBS } from "./blobs/errors.ts";
import { REVIVE_ENGINE } from "./engine/errors.ts";
import { REVIVE_JOURNAL } from "./journal/errors.ts";
import { REVIVE_KEYS } from "./key-value/errors.ts";
import { REVIVE_REPLICA } from "./replica/errors.ts";

/** The lease of a session ran out, or the session was closed or replaced. */
export class SessionExpiredError extends StoreError<"store.session-expired"> {
  constructor(sessionId: string) {
    super("store.session-expired", `session ${sessionId} is not live`, { details: { sessionId } });
  }
}

/** The id of a new agent has a row already. */
export class AgentExistsError extends StoreError<"store.agent-exists"> {
  constructor(agent: string) {
    super("store.agent-exists", `agent ${agent} has a row already`, { details: { agent } });
  }
}

/** A change was asked of a terminated agent. */
export class AgentTerminatedError extends StoreError<"store.agent-terminated"> {
  constructor(agent: string) {
    super("store.agent-terminated", `agent ${agent} is terminated`, { details: { agent } });
  }
}

/** An agent was to be taken from a node whose lease runs. */
export class OwnerAliveError extends StoreError<"store.owner-alive"> {
  constructor(agent: string, sessionId: string) {
    super("store.owner-alive", `agent ${agent} is held under session ${sessionId}, which is live`, {
      details: { agent, sessionId },
    });
  }
}

/** An agent was to be taken over by a node that its row does not name as replica. */
export class NotReplicaError extends StoreError<"store.not-replica"> {
  constructor(agent: string, node: string) {
    super("store.not-replica", `the row of agent ${agent} does not name node ${node} as its replica`, {
      details: { agent, node },
    });
  }
}

/** Another agent that is not terminated has the name. */
export class NameTakenError extends StoreError<"store.name-taken"> {
  constructor(name: string, agent: string) {
    super("store.name-taken", `the name ${JSON.stringify(name)} belongs to agent ${agent}`, {
      details: { name, agent },
    });
  }
}

/** A name that is empty, too long, ill-formed Unicode or has control characters. */
export class NameInvalidError extends StoreError<"store.name-invalid"> {
  constructor(why: string) {
    super("store.name-invalid", `the agent name was refused: ${why}`, { details: { why } });
  }
}

/** A lease time outside its range. */
export class TtlOutOfRangeError extends StoreError<"store.ttl-out-of-range"> {
  constructor(ttlMs: unknown) {
    super("store.ttl-out-of-range", `a lease of ${String(ttlMs)} ms was refused`, {
      details: { ttlMs: String(ttlMs) },
    });
  }
}

/** The request id was used before with other arguments. */
export class RequestIdReusedError extends StoreError<"store.request-id-reused"> {
  constructor(requestId: string) {
    super("store.request-id-reused", `request id ${requestId} was used before with other arguments`, {
      details: { requestId },
    });
  }
}

/** The store has as many agent rows as its limit allows. */
export class TooManyAgentsError extends StoreError<"store.too-many-agents"> {
  constructor(limit: number, what: string) {
    super("store.too-many-agents", `there are ${limit} ${what} already`, { details: { limit, what } });
  }
}

/** As many nodes have a live session as the limit allows. */
export class TooManySessionsError extends StoreError<"store.too-many-sessions"> {
  constructor(limit: number) {
    super("store.too-many-sessions", `${limit} nodes have a session already`, { details: { limit } });
  }
}

/** The changes asked for are no longer kept. */
export class ChangesCompactedError extends StoreError<"store.changes-compacted"> {
  constructor(after: number, oldest: number, newest: number) {
    super("store.changes-compacted", `changes after revision ${after} start at ${oldest}`, {
      details: { after, oldest, newest },
    });
  }
}

/** As many requests wait as the queue holds, or as many bytes in them. */
export class QueueFullError extends StoreError<"store.queue-full"> {
  constructor(limit: number, what: "requests" | "bytes" = "requests") {
    super("store.queue-full", `${limit} ${what} wait already`, { details: { limit, what } });
  }
}

/** A request after `close`. */
export class StoreClosedError extends StoreError<"store.closed"> {
  constructor() {
    super("store.closed", "the store is closed");
  }
}

/** The store worker ended without being asked to. */
export class WorkerStoppedError extends StoreError<"store.worker-stopped"> {
  constructor(why: string) {
    super("store.worker-stopped", `the store worker stopped: ${why}`, { details: { why } });
  }
}

/** The database refused to write. */
export class WriteFailedError extends StoreError<"store.write-failed"> {
  constructor(why: string) {
    super("store.write-failed", `the database did not commit: ${why}`, { details: { why } });
  }
}

/** No room is left, on the disk or under the limit of the file's size. */
export class StoreFullError extends StoreError<"store.full"> {
  constructor(why: string) {
    super("store.full", `the database has no room: ${why}`, { details: { why } });
  }
}

/** Another process, or another store in this one, has the file. */
export class InUseError extends StoreError<"store.in-use"> {
  constructor(path: string) {
    super("store.in-use", `${path} is in use`, { details: { path } });
  }
}

/** The file or its folder cannot be written by this user. */
export class NotWritableError extends StoreError<"store.not-writable"> {
  constructor(path: string) {
    super("store.not-writable", `${path} or its folder is not writable`, { details: { path } });
  }
}

/** The file is not a SQLite database. */
export class NotADatabaseError extends StoreError<"store.not-a-database"> {
  constructor(path: string) {
    super("store.not-a-database", `${path} is not a SQLite database`, { details: { path } });
  }
}

/** The file is a damaged SQLite database. */
export class CorruptError extends StoreError<"store.corrupt"> {
  constructor(path: string, why: string) {
    super("store.corrupt", `${path} is damaged: ${why}`, { details: { path, why } });
  }
}

/** The file is a SQLite database of some other program. */
export class ForeignDatabaseError extends StoreError<"store.foreign-database"> {
  constructor(path: string, expected: string) {
    super("store.foreign-database", `${path} is a SQLite database, but not ${expected}`, {
      details: { path, expected },
    });
  }
}

/** The file was written by a later version of this package. */
export class SchemaNewerError extends StoreError<"store.schema-newer"> {
  constructor(path: string, found: number, known: number) {
    super("store.schema-newer", `${path} has schema ${found}; this version knows up to ${known}`, {
      details: { path, found, known },
    });
  }
}

/** The file cannot be opened at all. */
export class CannotOpenError extends StoreError<"store.cannot-open"> {
  constructor(path: string, why: string) {
    super("store.cannot-open", `${path} cannot be opened: ${why}`, { details: { path, why } });
  }
}

type Details = Readonly<Record<string, unknown>>;
type StoreCode = Extract<ErrorCode, `store.${string}`>;

const text = (details: Details, key: string): string => String(details[key]);
const count = (details: Details, key: string): number => Number(details[key]);

const REVIVE: { readonly [Code in StoreCode]: (details: Details) => GliaError } = {
  ...REVIVE_BLOBS,
  ...REVIVE_ENGINE,
  ...REVIVE_JOURNAL,
  ...REVIVE_KEYS,
  ...REVIVE_REPLICA,
  "store.agent-exists": (d) => new AgentExistsError(text(d, "agent")),
  "store.agent-terminated": (d) => new AgentTerminatedError(text(d, "agent")),
  "store.cannot-open": (d) => new CannotOpenError(text(d, "path"), text(d, "why")),
  "store.changes-compacted": (d) =>
    new ChangesCompactedError(count(d, "after"), count(d, "oldest"), count(d, "newest")),
  "store.closed": () => new StoreClosedError(),
  "store.corrupt": (d) => new CorruptError(text(d, "path"), text(d, "why")),
  "store.foreign-database": (d) => new ForeignDatabaseError(text(d, "path"), text(d, "expected")),
  "store.full": (d) => new StoreFullError(text(d, "why")),
  "store.in-use": (d) => new InUseError(text(d, "path")),
  "store.name-invalid": (d) => new NameInvalidError(text(d, "why")),
  "store.not-replica": (d) => new NotReplicaError(text(d, "agent"), text(d, "node")),
  "store.owner-alive": (d) => new OwnerAliveError(text(d, "agent"), text(d, "sessionId")),
  "store.name-taken": (d) => new NameTakenError(text(d, "name"), text(d, "agent")),
  "store.not-a-database": (d) => new NotADatabaseError(text(d, "path")),
  "store.not-writable": (d) => new NotWritableError(text(d, "path")),
  "store.queue-full": (d) =>
    new QueueFullError(count(d, "limit"), d["what"] === "bytes" ? "bytes" : "requests"),
  "store.request-id-reused": (d) => new RequestIdReusedError(text(d, "requestId")),
  "store.schema-newer": (d) => new SchemaNewerError(text(d, "path"), count(d, "found"), count(d, "known")),
  "store.session-expired": (d) => new SessionExpiredError(text(d, "sessionId")),
  "store.too-many-agents": (d) => new TooManyAgentsError(count(d, "limit"), text(d, "what")),
  "store.too-many-sessions": (d) => new TooManySessionsError(count(d, "limit")),
  "store.ttl-out-of-range": (d) => new TtlOutOfRangeError(d["ttlMs"]),
  "store.worker-stopped": (d) => new WorkerStoppedError(text(d, "why")),
  "store.write-failed": (d) => new WriteFailedError(text(d, "why")),
};

/** The error a record describes: of its own class when the code is one of this package, else a `RemoteError` (R1). */
export function reviveError(record: Pick<ErrorRecord, "code" | "details"> & Partial<ErrorRecord>): GliaError {
  const details = record.details ?? {};
  if (Object.hasOwn(REVIVE, record.code)) return REVIVE[record.code as StoreCode](details);
  if (record.code === "abi.malformed")
    return new MalformedError(text(details, "what"), text(details, "why"), details);
  const unknown = { message: record.code, changed: "", fix: "", retryable: false };
  return new RemoteError({ ...unknown, ...record });
}
