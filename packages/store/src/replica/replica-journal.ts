/** `Journal` on several nodes: what was acknowledged outlives the loss of any `copies` of them (docs/spec/journal-replica.md). */
import { MalformedError } from "@glia-os/abi/errors";
import { type NodeId, parseNodeId } from "@glia-os/abi/ids";
import type { Coordination, Journal, NodeSession } from "@glia-os/abi/ports";
import { GroupQueue } from "../engine/group-queue.ts";
import { CheckedJournal } from "../journal/checked-journal.ts";
import { checkWhole } from "../limit-range.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST } from "../worker-link.ts";
import { GroupRow } from "./group-row.ts";
import { bytesOf, ReplicaLeader } from "./leader.ts";
import type { ReplicaMember } from "./member.ts";
import type { ReplicaPort } from "./protocol.ts";
import { takeOver } from "./takeover.ts";

export { ReplicaMember, type ReplicaMemberOptions } from "./member.ts";
export {
  answerReplicaCalls,
  type ReplicaCalls,
  type ReplicaOverCallsOptions,
  replicaOverCalls,
} from "./over-calls.ts";
export type { MemberState, ReplicaPort, ReplicaReply, ReplicaRequest } from "./protocol.ts";

/** What a replicated journal is opened with. */
export interface ReplicaJournalOptions {
  /** The name of the group: 1 to 64 letters, digits, `.`, `_`, `-` and `/`. */
  readonly group: string;
  /** All members, this node included: 2 to {@link REPLICA_MEMBERS_MOST}, none twice. Fixed when the group is first opened. */
  readonly members: readonly NodeId[];
  /** How many members beside the leader flush a record before it is acknowledged: 1 to the number of members less one. Fixed likewise. */
  readonly copies: number;
  /** This node's session; its node is a member. */
  readonly session: NodeSession;
  /** Holds the row of the group. */
  readonly coordination: Coordination;
  /** This node's member. */
  readonly member: ReplicaMember;
  /** Reaches the others. */
  readonly port: ReplicaPort;
  /** Requests that may wait at once, 1 to 65,536. Default 4,096. */
  readonly queueLimit?: number;
}

/** A journal that this node leads. */
export interface ReplicaJournal extends Journal {
  /** Bring members up that missed something. Returns how many follow now. Call it now and then, and when a member came back. */
  mend(): Promise<number>;
}

/** The most members of a group. */
export const REPLICA_MEMBERS_MOST = 16;

const GROUP = /^[A-Za-z0-9._/-]{1,64}$/;

/**
 * Lead the group: found it where it is new, else take it over from whoever led it. The earlier leader is refused from then on.
 * @throws `store.replica-short`, `store.replica-lost`, `store.replica-foreign`, `store.session-expired`, `abi.malformed` for a bad option, and
 * what the coordination store throws when it is down.
 */
export async function openReplicaJournal(options: ReplicaJournalOptions): Promise<ReplicaJournal> {
  const { session, coordination, member, port, queueLimit = DEFAULT_QUEUE_LIMIT } = options;
  const group = checkGroup(options);
  checkWhole("queueLimit", queueLimit, 1, QUEUE_LIMIT_MOST);
  const self = session.node;
  const term = await takeOver({
    group,
    self,
    row: new GroupRow(group, coordination, session),
    callOf: (node) => (request) => (node === self ? member.handle(self, request) : port.call(node, request)),
  });
  const leader = new ReplicaLeader(group, term);
  return new LedJournal(new GroupQueue(leader, queueLimit, { bytesOf, given: false }), leader);
}

class LedJournal extends CheckedJournal implements ReplicaJournal {
  readonly #leader: ReplicaLeader;

  constructor(queue: ConstructorParameters<typeof CheckedJournal>[0], leader: ReplicaLeader) {
    super(queue);
    this.#leader = leader;
  }

  mend(): Promise<number> {
    return this.#leader.mend();
  }
}

function checkGroup({ group, members, copies, session }: ReplicaJournalOptions) {
  if (typeof group !== "string" || !GROUP.test(group))
    throw new MalformedError("group", "it is not 1 to 64 letters, digits, . _ - and /");
  if (!Array.isArray(members)) throw new MalformedError("members", "it is no list");
  checkWhole("number of members", members.length, 2, REPLICA_MEMBERS_MOST);
  const nodes = members.map((node) => parseNodeId(node));
  if (new Set(nodes).size < nodes.length) throw new MalformedError("members", "one is named twice");
  if (!nodes.includes(session.node)) throw new MalformedError("members", "this node is none of them");
  checkWhole("copies", copies, 1, nodes.length - 1);
  return { group, members: nodes, copies };
}
