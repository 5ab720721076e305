/**
 * How a node comes to lead a replicated journal (docs/spec/journal-replica.md).
 *
 * T1. With n members and k copies a record is acknowledged when k + 1 members flushed it. A leader asks at least n - k members for their
 *     promise, so at least one of them holds whatever was acknowledged, and no earlier leader finds k members any more.
 * T2. Of those that promised, the one with the newest (term, index) holds everything that was acknowledged. The new leader's journal
 *     becomes its copy before anything else.
 * T3. A member that never held everything does not count: it is new, or it lost its disk. One over which a copy began in a term counts
 *     only beside one that held everything in that term or a later one.
 * T4. Nothing is served before k members beside the leader hold what it holds.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import { copyJournal } from "./copy.ts";
import { ReplicaForeignError, ReplicaShortError } from "./errors.ts";
import type { GroupRow, ReplicaGroup } from "./group-row.ts";
import { type CallMember, ReplicaPeer } from "./peer.ts";
import type { MemberState } from "./protocol.ts";

/** What a takeover works with. */
export interface Takeover {
  readonly group: ReplicaGroup;
  readonly self: NodeId;
  readonly row: GroupRow;
  /** How a member is reached. */
  readonly callOf: (node: NodeId) => CallMember;
}

/** A term that can be served. */
export interface Term {
  readonly term: number;
  readonly own: ReplicaPeer;
  /** The members that hold what the leader holds. */
  readonly following: readonly ReplicaPeer[];
  /** The others. */
  readonly behind: readonly ReplicaPeer[];
}

interface Promised {
  readonly peer: ReplicaPeer;
  readonly state: MemberState;
}

/** Lead the next term. @throws `store.replica-short`, `store.replica-lost`, `store.replica-foreign` and what the coordination store throws. */
export async function takeOver(takeover: Takeover): Promise<Term> {
  let row = await takeover.row.read();
  if (row.status === "suspended") row = await found(takeover, row);
  const { epoch: term } = await takeover.row.claim(row, "running");
  const peers = peersOf(takeover, term);
  const promised = await promisesOf(peers);
  const own = peers.find(({ node }) => node === takeover.self) as ReplicaPeer;
  const source = newestOf(takeover.group, promised);
  if (source !== own)
    await copyJournal(source.journal, own.journal, async () => void (await own.beginCopy()));
  await own.endCopy(0);
  const others = peers.filter((peer) => peer !== own);
  const caught = await Promise.all(
    others.map((peer) => promised.some((one) => one.peer === peer) && bringUp(own, peer, 0)),
  );
  const following = others.filter((_peer, i) => caught[i]);
  refuseShort(takeover.group, following.length, takeover.group.copies);
  return { term, own, following, behind: others.filter((peer) => !following.includes(peer)) };
}

/** Make a member hold what the leader holds after request `index`. Whether it does. */
export async function bringUp(own: ReplicaPeer, peer: ReplicaPeer, index: number): Promise<boolean> {
  try {
    await copyJournal(own.journal, peer.journal, async () => void (await peer.beginCopy()));
    await peer.endCopy(index);
    return true;
  } catch {
    // It does not answer, or refuses: it stays behind, and the caller counts.
    return false;
  }
}

/** R3 of the row: all members, all of them empty. */
async function found(takeover: Takeover, suspended: AgentRow): Promise<AgentRow> {
  const { group, row } = takeover;
  const claimed = await row.claim(suspended, "suspended");
  const peers = peersOf(takeover, claimed.epoch);
  const promised = await promisesOf(peers);
  refuseShort(group, promised.length, group.members.length);
  for (const { peer } of promised)
    if ((await peer.journal.domains("", 1)).length > 0)
      throw new ReplicaForeignError(
        group.group,
        `the journal of member ${peer.node.slice(0, 8)} is not empty, and the group is new`,
      );
  await Promise.all(peers.map((peer) => peer.endCopy(0)));
  return claimed;
}

function peersOf({ group, callOf }: Takeover, term: number): readonly ReplicaPeer[] {
  return group.members.map((node) => new ReplicaPeer(node, callOf(node), group.group, term));
}

/** The members that promised. A refusal because of a later term ends the takeover; one that does not answer does not count. */
async function promisesOf(peers: readonly ReplicaPeer[]): Promise<readonly Promised[]> {
  const asked = await Promise.allSettled(peers.map((peer) => peer.prepare()));
  return asked.flatMap((one, i) => {
    if (one.status === "fulfilled") return [{ peer: peers[i] as ReplicaPeer, state: one.value }];
    if (isGliaError(one.reason) && one.reason.code === "store.stale-epoch") throw one.reason;
    return [];
  });
}

/** T2, T3. */
function newestOf({ group, members, copies }: ReplicaGroup, promised: readonly Promised[]): ReplicaPeer {
  const whole = promised.filter(({ state }) => state.term > 0 && state.copying === 0);
  const newest = whole.reduce<Promised | undefined>(
    (best, one) => (best === undefined || later(one.state, best.state) ? one : best),
    undefined,
  );
  const term = newest?.state.term ?? 0;
  const count = promised.filter(({ state }) => state.term > 0 && state.copying <= term).length;
  const need = members.length - copies;
  if (newest === undefined || count < need) throw new ReplicaShortError(group, count, need);
  return newest.peer;
}

function later(one: MemberState, other: MemberState): boolean {
  return one.term > other.term || (one.term === other.term && one.index > other.index);
}

function refuseShort({ group }: ReplicaGroup, have: number, need: number): void {
  if (have < need) throw new ReplicaShortError(group, have, need);
}
