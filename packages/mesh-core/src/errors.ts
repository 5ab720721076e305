/** One class per refusal of the mesh. Codes, what changed and what to do: packages/abi/src/errors/codes/mesh.ts. */
import { MeshError } from "@glia-os/abi/errors/mesh";

/** A message that is larger than its class or kind allows. */
export class MessageTooLargeError extends MeshError<"mesh.message-too-large"> {
  constructor(what: string, bytes: number, max: number) {
    super("mesh.message-too-large", `${what} has ${bytes} bytes, more than ${max}`, {
      details: { bytes, max },
    });
  }
}

/** An envelope of a version this build does not speak. */
export class UnsupportedVersionError extends MeshError<"mesh.unsupported-version"> {
  constructor(version: number, expected: number) {
    super("mesh.unsupported-version", `the envelope has version ${version}, this node speaks ${expected}`, {
      details: { version, expected },
    });
  }
}

/** An envelope of a kind this build does not know. */
export class UnknownKindError extends MeshError<"mesh.unknown-kind"> {
  constructor(kind: number) {
    super("mesh.unknown-kind", `the envelope has kind ${kind}, which is not defined`, { details: { kind } });
  }
}

/** Bytes from the network that do not have the shape their kind requires. */
export class MalformedMessageError extends MeshError<"mesh.malformed-message"> {
  constructor(what: string, why: string) {
    super("mesh.malformed-message", `${what} is malformed: ${why}`, { details: { what, why } });
  }
}

/** A peer said something that is not allowed in the state its session is in. */
export class ProtocolViolationError extends MeshError<"mesh.protocol-violation"> {
  constructor(why: string) {
    super("mesh.protocol-violation", `the peer broke the protocol: ${why}`);
  }
}

/** A part of the node that does not run. */
export class PartStoppedError extends MeshError<"mesh.part-stopped"> {
  constructor(part: string) {
    super("mesh.part-stopped", `the part ${part} of this node does not run`, { details: { part } });
  }
}

/** Text that is not a join line. */
export class JoinLineMalformedError extends MeshError<"mesh.join-line-malformed"> {
  constructor(why: string) {
    super("mesh.join-line-malformed", `this is not a join line: ${why}`);
  }
}

/** A join line with a changed or missing character. */
export class JoinLineChecksumError extends MeshError<"mesh.join-line-checksum"> {
  constructor() {
    super("mesh.join-line-checksum", "the checksum of the join line does not match its text");
  }
}

/** A token the introducer never made or has forgotten. */
export class JoinTokenUnknownError extends MeshError<"mesh.join-token-unknown"> {
  constructor() {
    super("mesh.join-token-unknown", "the introducer does not know the token of this join line");
  }
}

/** A token past its expiry. */
export class JoinTokenExpiredError extends MeshError<"mesh.join-token-expired"> {
  constructor(expiredAt: number) {
    super("mesh.join-token-expired", "the join line has expired", {
      details: { expiredAtSeconds: expiredAt },
    });
  }
}

/** A token whose uses are spent. */
export class JoinTokenUsedUpError extends MeshError<"mesh.join-token-used-up"> {
  constructor(uses: number) {
    super("mesh.join-token-used-up", `the join line admitted ${uses} nodes, as many as it may`, {
      details: { uses },
    });
  }
}

/** A join proof, of either side, that is not bound to this session by the token's secret. */
export class JoinProofInvalidError extends MeshError<"mesh.join-proof-invalid"> {
  constructor(side: "joiner" | "introducer") {
    super("mesh.join-proof-invalid", `the ${side}'s proof of the join secret is wrong`, {
      details: { side },
    });
  }
}

/** No answer to a join in time. */
export class JoinTimeoutError extends MeshError<"mesh.join-timeout"> {
  constructor(timeoutMs: number) {
    super("mesh.join-timeout", `the mesh did not admit this node within ${timeoutMs} ms`, {
      details: { timeoutMs },
    });
  }
}

/** The introducer of a join line, or every known contact, refused the connection. */
export class IntroducerUnreachableError extends MeshError<"mesh.introducer-unreachable"> {
  constructor(address: string, cause: unknown) {
    super("mesh.introducer-unreachable", `nobody of the mesh answers at ${address}`, {
      cause,
      details: { address },
    });
  }
}

/** A membership certificate or member record that its signer did not sign, or that belongs to another key. */
export class CertificateInvalidError extends MeshError<"mesh.certificate-invalid"> {
  constructor(why: string) {
    super("mesh.certificate-invalid", `the membership certificate is invalid: ${why}`);
  }
}

/** A node that was removed from the cluster. */
export class NodeRemovedError extends MeshError<"mesh.node-removed"> {
  constructor(node: string) {
    super("mesh.node-removed", `node ${node.slice(0, 12)} was removed from the cluster`, {
      details: { node },
    });
  }
}

/** A membership certificate outside its validity. */
export class CertificateExpiredError extends MeshError<"mesh.certificate-expired"> {
  constructor(why: string) {
    super("mesh.certificate-expired", `the membership certificate is not valid now: ${why}`);
  }
}

/** A peer of another cluster. */
export class WrongClusterError extends MeshError<"mesh.wrong-cluster"> {
  constructor(theirs: string, ours: string) {
    super(
      "mesh.wrong-cluster",
      `the peer belongs to cluster ${theirs.slice(0, 12)}, this node to ${ours.slice(0, 12)}`,
    );
  }
}

/** A message from a session without a membership certificate. */
export class NotAdmittedError extends MeshError<"mesh.not-admitted"> {
  constructor(what: string) {
    super("mesh.not-admitted", `${what} needs a session with a membership certificate`);
  }
}

/** A join line asked of a node without the cluster key. */
export class NoClusterKeyError extends MeshError<"mesh.no-cluster-key"> {
  constructor() {
    super("mesh.no-cluster-key", "this node does not hold the cluster key");
  }
}

/** A setting outside its range. */
export class InvalidOptionError extends MeshError<"mesh.invalid-option"> {
  constructor(name: string, why: string) {
    super("mesh.invalid-option", `option ${name} is invalid: ${why}`, { details: { name } });
  }
}

/** The mesh on this node was stopped, or has not started. */
export class MeshStoppedError extends MeshError<"mesh.stopped"> {
  constructor() {
    super("mesh.stopped", "the mesh does not run on this node");
  }
}

/** A node that is no member as far as this node knows. */
export class UnknownMemberError extends MeshError<"mesh.unknown-member"> {
  constructor(node: string) {
    super("mesh.unknown-member", `no member ${node.slice(0, 12)} is known here`, { details: { node } });
  }
}

/** A member that cannot be reached. */
export class PeerUnreachableError extends MeshError<"mesh.peer-unreachable"> {
  constructor(node: string, cause?: unknown) {
    super("mesh.peer-unreachable", `node ${node.slice(0, 12)} cannot be reached`, {
      cause,
      details: { node },
    });
  }
}

/** A call without an answer in time. */
export class CallTimeoutError extends MeshError<"mesh.call-timeout"> {
  constructor(method: string, timeoutMs: number) {
    super("mesh.call-timeout", `${method} got no answer within ${timeoutMs} ms`, {
      details: { method, timeoutMs },
    });
  }
}

/** The table of calls in flight is full, here or at the peer. */
export class TooManyCallsError extends MeshError<"mesh.too-many-calls"> {
  constructor(max: number) {
    super("mesh.too-many-calls", `${max} calls are in flight, as many as may be`, { details: { max } });
  }
}

/** A method the peer does not offer. */
export class UnknownMethodError extends MeshError<"mesh.unknown-method"> {
  constructor(method: string) {
    super("mesh.unknown-method", `method ${method} does not exist there`, { details: { method } });
  }
}

/** No answer from the anchor in a bounded time. */
export class AnchorUnreachableError extends MeshError<"mesh.anchor-unreachable"> {
  constructor(operation: string, timeoutMs: number, cause?: unknown) {
    super("mesh.anchor-unreachable", `the anchor did not answer ${operation} within ${timeoutMs} ms`, {
      cause,
      details: { operation, timeoutMs },
    });
  }
}

/** A coordination request of another anchor epoch. */
export class AnchorEpochError extends MeshError<"mesh.anchor-epoch"> {
  constructor(asked: number, served: number) {
    super("mesh.anchor-epoch", `the request names anchor epoch ${asked}, this anchor serves ${served}`, {
      details: { asked, served },
    });
  }
}

/** A coordination request to a node that is not the anchor. */
export class NotAnchorError extends MeshError<"mesh.not-anchor"> {
  constructor() {
    super("mesh.not-anchor", "this node does not serve coordination");
  }
}

/** A coordination request on behalf of another node. */
export class NotYoursError extends MeshError<"mesh.not-yours"> {
  constructor(what: string) {
    super("mesh.not-yours", `the caller may not act for ${what}`);
  }
}

/** An agent the registry does not know, or knows as terminated. */
export class AgentUnknownError extends MeshError<"mesh.agent-unknown"> {
  constructor(agent: string) {
    super("mesh.agent-unknown", `agent ${agent} does not exist`, { details: { agent } });
  }
}

/** A link whose two ends disagree about what was applied. */
export class LinkBrokenError extends MeshError<"mesh.link-broken"> {
  constructor(agent: string, why: string) {
    super("mesh.link-broken", `the link to agent ${agent} is broken: ${why}`, { details: { agent } });
  }
}

/** A message, answer or flush of a link that took too long. */
export class LinkTimeoutError extends MeshError<"mesh.link-timeout"> {
  constructor(agent: string, what: string, timeoutMs: number) {
    super("mesh.link-timeout", `${what} of agent ${agent} took longer than ${timeoutMs} ms`, {
      details: { agent, timeoutMs },
    });
  }
}

/** A bound of a link. */
export class LinkLimitError extends MeshError<"mesh.link-limit"> {
  constructor(what: string, max: number) {
    super("mesh.link-limit", `${what} is limited to ${max}`, { details: { max } });
  }
}

/** A move asked of a node that does not host the agent. */
export class NotHostedError extends MeshError<"mesh.not-hosted"> {
  constructor(agent: string) {
    super("mesh.not-hosted", `agent ${agent} does not run on this node`, { details: { agent } });
  }
}

/** A second move of an agent that is being moved. */
export class MigrationInProgressError extends MeshError<"mesh.migration-in-progress"> {
  constructor(agent: string) {
    super("mesh.migration-in-progress", `agent ${agent} is being moved already`, { details: { agent } });
  }
}

/** A copy of an agent that a node does not keep, or does not go on with. */
export class ReplicaRefusedError extends MeshError<"mesh.replica-refused"> {
  constructor(agent: string, why: string) {
    super("mesh.replica-refused", `the replica of agent ${agent} is refused: ${why}`, {
      details: { agent, why },
    });
  }
}

/** A move refused before the agent was frozen. */
export class MigrationRefusedError extends MeshError<"mesh.migration-refused"> {
  constructor(agent: string, why: string, cause?: unknown) {
    super("mesh.migration-refused", `agent ${agent} cannot be moved: ${why}`, {
      cause,
      details: { agent, why },
    });
  }
}

/** A move that was rolled back after the freeze. */
export class MigrationAbortedError extends MeshError<"mesh.migration-aborted"> {
  constructor(agent: string, why: string, cause?: unknown) {
    super("mesh.migration-aborted", `the move of agent ${agent} was rolled back: ${why}`, {
      cause,
      details: { agent, why },
    });
  }
}

/** A move that was cancelled by request, and rolled back. */
export class MigrationCancelledError extends MeshError<"mesh.migration-cancelled"> {
  constructor(agent: string) {
    super("mesh.migration-cancelled", `the move of agent ${agent} was cancelled and rolled back`, {
      details: { agent },
    });
  }
}

/** An agent that is to move no more, and does not move. */
export class NoMigrationError extends MeshError<"mesh.no-migration"> {
  constructor(agent: string) {
    super("mesh.no-migration", `agent ${agent} is not on its way`, { details: { agent } });
  }
}

/** A move that found another owner committed. */
export class MigrationFencedError extends MeshError<"mesh.migration-fenced"> {
  constructor(agent: string, owner: string) {
    super("mesh.migration-fenced", `agent ${agent} belongs to ${owner.slice(0, 12)} by now`, {
      details: { agent, owner },
    });
  }
}

/** The destination of a post-copy did not say that it has all pages. */
export class PagesLeftError extends MeshError<"mesh.pages-left"> {
  constructor(why: string) {
    super("mesh.pages-left", `the destination did not get all pages: ${why}`, { details: { why } });
  }
}

/** A snapshot chunk that does not continue the ones before it. */
export class ChunkCorruptError extends MeshError<"mesh.chunk-corrupt"> {
  constructor(why: string) {
    super("mesh.chunk-corrupt", `a snapshot chunk is corrupt: ${why}`);
  }
}

/** A move that was committed, whose destination did not say that the agent is live. */
export class MigrationUnconfirmedError extends MeshError<"mesh.migration-unconfirmed"> {
  constructor(agent: string, owner: string, cause: unknown) {
    super(
      "mesh.migration-unconfirmed",
      `agent ${agent} belongs to ${owner.slice(0, 12)} by now, which did not confirm that it runs`,
      { cause, details: { agent, owner } },
    );
  }
}
