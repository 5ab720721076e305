/**
 * What the members of a replicated journal say to each other (docs/spec/journal-replica.md). Plain data that can cross a thread or a wire.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { JournalReply, JournalRequest } from "../journal/request.ts";
import type { Answer } from "../serve.ts";

/** A request to a member. `term` is the epoch of the group's row under which the sender leads it. */
export type ReplicaRequest =
  /** Promise to refuse every earlier term from now on. */
  | { readonly kind: "prepare"; readonly group: string; readonly term: number }
  /** Perform these requests as the ones after number `after` of the term; an empty list asks whether the term still holds. */
  | {
      readonly kind: "perform";
      readonly group: string;
      readonly term: number;
      readonly after: number;
      readonly requests: readonly JournalRequest[];
    }
  /** Perform one request of a copy, outside the numbers. */
  | { readonly kind: "copy"; readonly group: string; readonly term: number; readonly request: JournalRequest }
  /** What the member holds counts for nothing until the copy is done: parts of it are about to be removed. */
  | { readonly kind: "begin-copy"; readonly group: string; readonly term: number }
  /** The member holds what the leader held after request `index` of the term. */
  | { readonly kind: "end-copy"; readonly group: string; readonly term: number; readonly index: number };

/** What a member remembers durably beside its journal. */
export interface MemberState {
  /** The newest term it promised. */
  readonly promised: number;
  /** The newest term in which it held everything; 0 when it never did. */
  readonly term: number;
  /** The last request of that term that it holds. */
  readonly index: number;
  /** The term in which a copy over it began and was not finished; 0 when there is none. */
  readonly copying: number;
}

/** The answer to a request. */
export type ReplicaReply =
  | { readonly kind: "state"; readonly state: MemberState }
  | { readonly kind: "answers"; readonly answers: readonly Answer<JournalReply>[] }
  | { readonly kind: "refused"; readonly refused: ErrorRecord };

/** Carries requests to members: within a process, or over a mesh that knows who speaks. */
export interface ReplicaPort {
  /** The answer of a member. Rejects, in bounded time, when there is none; then the request may or may not have been performed. */
  call(to: NodeId, request: ReplicaRequest): Promise<ReplicaReply>;
}
