/**
 * The leader of a replicated journal.
 *
 * L1. A group of requests is performed by the leader's own member first; what changed something there is then performed by every
 *     member that follows, and answered when `copies` of them flushed it.
 * L2. When too few do, nobody knows what stays: the outcome of the group is unknown, and everything is refused from then on until the
 *     journal is opened again, which decides it.
 * L3. A group that only reads is answered after `copies` members said that the term still holds: no answer is older than what another
 *     leader acknowledged before it was asked.
 * L4. A member that does not perform a request is behind. It is brought up before it counts again.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import { OutcomeUnknownError } from "../engine/errors.ts";
import type { GroupPerformer } from "../engine/group-queue.ts";
import type { JournalReply, JournalRequest } from "../journal/request.ts";
import type { Answer } from "../serve.ts";
import { ReplicaLostError, ReplicaShortError } from "./errors.ts";
import type { ReplicaGroup } from "./group-row.ts";
import type { ReplicaPeer } from "./peer.ts";
import { changes } from "./perform.ts";
import { bringUp, type Term } from "./takeover.ts";

/** Bodies of one group. */
const GROUP_BYTES = 16 * 2 ** 20;
/** After any of these nobody knows what the leader's own member wrote. */
const UNKNOWN: ReadonlySet<unknown> = new Set([
  "store.outcome-unknown",
  "store.write-failed",
  "store.worker-stopped",
]);

/** With these a member says that it performed nothing. */
const REFUSED: ReadonlySet<unknown> = new Set(["store.stale-epoch", "store.replica-behind"]);
const SUCCEEDED = "another node leads it since";

/** Performs groups of requests under one term. */
export class ReplicaLeader implements GroupPerformer<JournalRequest, JournalReply> {
  readonly #group: ReplicaGroup;
  readonly #own: ReplicaPeer;
  readonly #following: Set<ReplicaPeer>;
  readonly #behind: Set<ReplicaPeer>;
  #index = 0;
  #lost: string | undefined;
  /** Groups and mends take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(group: ReplicaGroup, { own, following, behind }: Term) {
    this.#group = group;
    this.#own = own;
    this.#following = new Set(following);
    this.#behind = new Set(behind);
  }

  groupOf(requests: readonly JournalRequest[]): number {
    let bytes = 0;
    // What is left by a truncation is judged on what was performed before it.
    const first = requests.findIndex((request, i) => {
      bytes += bytesOf(request)?.length ?? 0;
      return (
        i > 0 && (bytes > GROUP_BYTES || request.op === "truncate" || requests[i - 1]?.op === "truncate")
      );
    });
    return first < 0 ? requests.length : first;
  }

  perform(requests: readonly JournalRequest[]): Promise<readonly Answer<JournalReply>[]> {
    return this.#inTurn(() => this.#perform(requests));
  }

  /** Bring up the members that are behind (L4). Returns how many follow now. */
  async mend(): Promise<number> {
    const waiting = [...this.#behind];
    // Most of the way beside the requests, the rest while none is performed.
    for (const peer of waiting)
      if (await peer.prepare().then(() => true, this.#heard))
        await bringUp(this.#own, peer, 0).catch(() => false);
    return this.#inTurn(async () => {
      for (const peer of waiting)
        if (this.#lost === undefined && (await bringUp(this.#own, peer, this.#index))) this.#follows(peer);
      return this.#following.size;
    });
  }

  async close(): Promise<void> {
    await this.#turn;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #perform(requests: readonly JournalRequest[]): Promise<readonly Answer<JournalReply>[]> {
    const { group, copies } = this.#group;
    if (this.#lost !== undefined) throw new ReplicaLostError(group, this.#lost);
    if (this.#following.size < copies) throw new ReplicaShortError(group, this.#following.size, copies);
    const after = this.#index;
    const asked = await this.#clamped(requests);
    const answers = await this.#performHere(after, asked);
    const changed = asked.filter((request, i) => changes(request, answers[i] as Answer<JournalReply>));
    if (changed.length > 0) this.#index = after + 1;
    await this.#performThere(after, changed);
    return answers;
  }

  async #performHere(
    after: number,
    requests: readonly JournalRequest[],
  ): Promise<readonly Answer<JournalReply>[]> {
    const { group } = this.#group;
    const answers = await this.#own.perform(after, requests).catch((error: unknown) => {
      const definite = REFUSED.has(errorCodeOf(error));
      this.#lose(definite ? SUCCEEDED : `its own member failed: ${String((error as Error).message)}`);
      const why = this.#lost ?? "";
      throw definite ? new ReplicaLostError(group, why) : new OutcomeUnknownError(group, why);
    });
    const unknown = answers.some((answer) => "refused" in answer && UNKNOWN.has(answer.refused.code));
    if (unknown) this.#lose("its own member does not know what it wrote");
    return answers;
  }

  /** L1 to L4. */
  async #performThere(after: number, requests: readonly JournalRequest[]): Promise<void> {
    const { group, copies } = this.#group;
    const peers = [...this.#following];
    const acknowledged = peers.map(async (peer) => {
      const answers = await peer.perform(after, requests).catch((error: unknown) => {
        this.#heard(error);
        return undefined;
      });
      const flushed = answers?.every((answer) => !("refused" in answer)) === true;
      if (!flushed) this.#fallsBehind(peer);
      return flushed;
    });
    // Every member is waited for, so that no two requests are under way to one of them.
    const flushed = (await Promise.all(acknowledged)).filter(Boolean).length;
    if (flushed >= copies && this.#lost === undefined) return;
    this.#lose(this.#lost ?? `${flushed} of ${copies} copies were flushed`);
    if (requests.length === 0) throw new ReplicaLostError(group, this.#lost ?? "");
    throw new OutcomeUnknownError(group, this.#lost ?? "");
  }

  /** A domain keeps its last segment: without it no other member could take the domain over. */
  async #clamped(requests: readonly JournalRequest[]): Promise<readonly JournalRequest[]> {
    const [request] = requests;
    if (request?.op !== "truncate") return requests;
    const { journal } = this.#own;
    const last = (await journal.segments(request.domain).catch(() => [])).at(-1);
    const head = await journal.head(request.domain).catch(() => undefined);
    const bare = last !== undefined && head?.nextSeq === last.lastSeq + 1;
    return bare ? [{ ...request, beforeSeq: Math.min(request.beforeSeq, last.firstSeq) }] : requests;
  }

  #follows(peer: ReplicaPeer): void {
    this.#behind.delete(peer);
    this.#following.add(peer);
  }

  #fallsBehind(peer: ReplicaPeer): void {
    this.#following.delete(peer);
    this.#behind.add(peer);
  }

  /** A member that promised a later term ends this one. */
  readonly #heard = (error: unknown): false => {
    if (errorCodeOf(error) === "store.stale-epoch") this.#lose(SUCCEEDED);
    return false;
  };

  #lose(why: string): void {
    this.#lost ??= why;
  }
}

/** The bytes a request carries. */
export function bytesOf(request: JournalRequest): Uint8Array | undefined {
  if (request.op === "append") return request.body;
  return request.op === "acceptSegment" ? request.segment : undefined;
}
