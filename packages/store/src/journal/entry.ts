/**
 * What a journal store writes down: the changes of its domains, in one order. Applying the entries of a store again gives
 * its state again; that is all there is to recovery.
 */
import type { SegmentInfo } from "@glia-os/abi/ports";
import type { PlacedBatch } from "./domain-log.ts";

/** One change. `domain` is the domain's number in this store. */
export type Entry =
  /** The number belongs to this name from now on. */
  | { readonly kind: "domain"; readonly domain: number; readonly name: string }
  /** The domain starts at a record other than 1, after a segment with this hash, which is held elsewhere. */
  | { readonly kind: "start"; readonly domain: number; readonly firstSeq: number; readonly hash: string }
  | {
      readonly kind: "batch";
      readonly domain: number;
      readonly epoch: number;
      readonly firstSeq: number;
      readonly count: number;
      readonly body: Uint8Array;
    }
  /** The batches since the last sealed segment are a segment. */
  | { readonly kind: "seal"; readonly domain: number; readonly segment: SegmentInfo }
  /** Sealed segments before the record are gone. */
  | { readonly kind: "truncate"; readonly domain: number; readonly firstSeq: number }
  /** The domain is gone. */
  | { readonly kind: "remove"; readonly domain: number };

/** Where entries go and bodies are found. */
export interface EntryLog {
  /** Make room for the entries of one request, bodies of `bytes` in all. @throws `store.full`: then nothing of the request was put. */
  reserve(entries: number, bytes: number): void;
  /** Write down an entry. Returns the place of its body; 0 for an entry without one. */
  put(entry: Entry): number;
  /** A body that was put, durable or not. The bytes are the caller's to keep. */
  load(place: number, length: number): Uint8Array;
  /** The bodies of batches that follow each other as one, sooner than one by one. */
  loadJoined?(batches: readonly PlacedBatch[]): Uint8Array;
  /** A body is no longer needed. */
  release(place: number, length: number): void;
}
