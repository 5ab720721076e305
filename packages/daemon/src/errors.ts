/** Refusals of a node and its control socket, one class each. */
import { DaemonError } from "@glia-os/abi/errors/daemon";
import type { HostPort } from "@glia-os/abi/ports";

/** A thread of this node ended while it was asked for something. */
export class ThreadGoneError extends DaemonError<"daemon.thread-gone"> {
  constructor() {
    super("daemon.thread-gone", "The thread that should have answered has ended");
  }
}

/** Too many calls to a thread wait for answers. */
export class ThreadBusyError extends DaemonError<"daemon.thread-busy"> {
  constructor(limit: number) {
    super("daemon.thread-busy", `${limit} calls to the thread are waiting already`, { details: { limit } });
  }
}

/** No node serves a control socket for this data folder. */
export class NotRunningError extends DaemonError<"daemon.not-running"> {
  constructor(dataDir: string, cause?: unknown) {
    super("daemon.not-running", `No node is running with data folder ${dataDir}`, {
      cause,
      details: { dataDir },
    });
  }
}

/** Another process runs a node with this data folder. */
export class AlreadyRunningError extends DaemonError<"daemon.already-running"> {
  constructor(dataDir: string, pid: number) {
    super("daemon.already-running", `A node with data folder ${dataDir} is running as process ${pid}`, {
      details: { dataDir, pid },
    });
  }
}

/** The data folder cannot be used. */
export class DataFolderError extends DaemonError<"daemon.data-folder"> {
  constructor(dataDir: string, why: string, cause?: unknown) {
    super("daemon.data-folder", `The data folder ${dataDir} cannot be used: ${why}`, {
      cause,
      details: { dataDir },
    });
  }
}

/** A node was asked to start with options that contradict each other or the data folder. */
export class BadOptionsError extends DaemonError<"daemon.bad-options"> {
  constructor(why: string) {
    super("daemon.bad-options", why);
  }
}

/** The node went away while it was asked for something over its control socket. */
export class ControlClosedError extends DaemonError<"daemon.control-closed"> {
  constructor() {
    super("daemon.control-closed", "The node closed its control socket before it answered");
  }
}

/** A line on the control socket was not a request or an answer. */
export class ControlMalformedError extends DaemonError<"daemon.control-malformed"> {
  constructor(why: string) {
    super("daemon.control-malformed", `A line on the control socket was refused: ${why}`);
  }
}

/** A name or prefix fits no member. */
export class UnknownNodeError extends DaemonError<"daemon.unknown-node"> {
  constructor(text: string, known: readonly string[]) {
    super(
      "daemon.unknown-node",
      `No living node is called ${JSON.stringify(text)}; there are ${known.join(", ") || "none"}`,
    );
  }
}

/** A name or prefix fits several members. */
export class AmbiguousNodeError extends DaemonError<"daemon.ambiguous-node"> {
  constructor(text: string, matches: readonly string[]) {
    super("daemon.ambiguous-node", `${JSON.stringify(text)} names several nodes: ${matches.join(", ")}`);
  }
}

/** No living agent has this id or name. */
export class UnknownAgentError extends DaemonError<"daemon.unknown-agent"> {
  constructor(text: string) {
    super("daemon.unknown-agent", `No living agent is called ${JSON.stringify(text)}`);
  }
}

/** The agent failed, and is there until it is removed. */
export class AgentFailedError extends DaemonError<"daemon.agent-failed"> {
  constructor(name: string, failure: string | undefined) {
    const why = failure ?? "its node does not know why any more";
    super("daemon.agent-failed", `${name} failed: ${why}`, { details: { name, why } });
  }
}

/** Only a node that holds the cluster key admits, removes, and replaces the key. */
export class NoClusterKeyError extends DaemonError<"daemon.no-cluster-key"> {
  constructor() {
    super(
      "daemon.no-cluster-key",
      "This node does not hold the cluster key, so it admits and removes nobody and cannot replace the key",
    );
  }
}

/** This node runs no jobs. */
export class NoJobsError extends DaemonError<"daemon.no-jobs"> {
  constructor() {
    super("daemon.no-jobs", "This node was started without a module of jobs, so it takes none");
  }
}

/** A member says that this node was removed from the mesh. */
export class RemovedError extends DaemonError<"daemon.removed"> {
  constructor(by: string) {
    super("daemon.removed", `This node was removed from the mesh, says ${by}`, { details: { by } });
  }
}

/** The address of the HTTP face cannot be had. */
export class HttpListenError extends DaemonError<"daemon.http-listen"> {
  constructor({ host, port }: HostPort, why: string, cause: unknown) {
    super("daemon.http-listen", `HTTP cannot be served at ${host} port ${port}: ${why}`, {
      cause,
      details: { host, port },
    });
  }
}

/** The file with the token of the HTTP face cannot be used. */
export class TokenFileError extends DaemonError<"daemon.token-file"> {
  constructor(path: string, why: string) {
    super("daemon.token-file", `The token file ${path} cannot be used: ${why}`, { details: { path } });
  }
}

/** The node that serves coordination is gone. */
export class AnchorLostError extends DaemonError<"daemon.anchor-lost"> {
  constructor(name: string, why: string) {
    super("daemon.anchor-lost", `The anchor node ${name} is gone: ${why}`);
  }
}

/** A message or module is too large for one call. */
export class PayloadTooLargeError extends DaemonError<"daemon.payload-too-large"> {
  constructor(what: string, bytes: number, limit: number) {
    super("daemon.payload-too-large", `${what} has ${bytes} bytes; the limit is ${limit}`, {
      details: { bytes, limit },
    });
  }
}

/** A guest ran longer in one step than it may. */
export class GuestStuckError extends DaemonError<"daemon.guest-stuck"> {
  constructor(runningMs: number, limitMs: number) {
    super(
      "daemon.guest-stuck",
      `A guest has run for ${Math.round(runningMs)} ms without a blocking call; the limit is ${limitMs} ms`,
    );
  }
}

/** The answer of a move was lost, and coordination shows that something was committed. */
export class MoveUnconfirmedError extends DaemonError<"daemon.move-unconfirmed"> {
  constructor(agent: string, owner: string, epoch: number, cause: unknown) {
    super("daemon.move-unconfirmed", `The answer of the move of agent ${agent} was lost`, {
      cause,
      changed: `Coordination says that it is on node ${owner} under epoch ${epoch}.`,
      details: { agent, owner, epoch },
    });
  }
}
