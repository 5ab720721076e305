/**
 * How a chunk of a moving agent is called for (docs/spec/migration.md).
 *
 * CK1. A chunk is answered when it is built in, which may take a slow destination seconds. It is sent again after {@link CHUNK_RESEND_MS}, and then after
 *      pauses that double up to {@link CHUNK_RESEND_MOST_MS}: one that was lost comes, and one that is built in slowly crosses a few times at most.
 * CK2. A chunk of at most {@link SMALL_CHUNK} bytes does not hold up requests, and so takes their way.
 */
import type { CallOptions } from "../mesh-types.ts";

/** CK1. */
export const CHUNK_RESEND_MS = 1000;
/** CK1. */
export const CHUNK_RESEND_MOST_MS = 8000;
/** CK2. */
export const SMALL_CHUNK = 65_536;

/** For a chunk of so many bytes. */
export function chunkCall(bytes: number): CallOptions {
  return {
    resendMs: CHUNK_RESEND_MS,
    resendMostMs: CHUNK_RESEND_MOST_MS,
    trafficClass: bytes <= SMALL_CHUNK ? "request" : "bulk",
  };
}
