/** Requests to a journal store and their replies, as they cross to the worker. */
import type { DomainHead, JoinedBatches, JournalBatch, SegmentInfo } from "@glia-os/abi/ports";

/** A request whose form was checked already. */
export type JournalRequest =
  | ({ readonly op: "append" } & JournalBatch)
  | {
      readonly op: "read";
      readonly domain: string;
      readonly fromSeq: number;
      readonly most: number;
      /** Whether one reply for all is as good; who has nothing quicker does not look at it. */
      readonly joined?: boolean;
    }
  | { readonly op: "head"; readonly domain: string }
  | { readonly op: "domains"; readonly after: string; readonly limit: number }
  | { readonly op: "seal"; readonly domain: string }
  | { readonly op: "segments"; readonly domain: string }
  | { readonly op: "readSegment"; readonly domain: string; readonly firstSeq: number }
  | { readonly op: "acceptSegment"; readonly segment: Uint8Array }
  | { readonly op: "truncate"; readonly domain: string; readonly beforeSeq: number }
  | { readonly op: "remove"; readonly domain: string };

/** The reply to each request. */
export interface JournalReplies {
  readonly append: undefined;
  /** Batches until they have `most` bytes or all were read; joined only where that was asked for. */
  readonly read: readonly JournalBatch[] | JoinedBatches;
  readonly head: DomainHead | undefined;
  readonly domains: readonly DomainHead[];
  readonly seal: SegmentInfo | undefined;
  readonly segments: readonly SegmentInfo[];
  readonly readSegment: Uint8Array;
  readonly acceptSegment: SegmentInfo;
  readonly truncate: number;
  readonly remove: undefined;
}

/** Any reply. */
export type JournalReply = JournalReplies[keyof JournalReplies];
