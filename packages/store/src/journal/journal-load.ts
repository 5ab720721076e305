/** What requests of a journal weigh in a worker's queue. Bodies stay the caller's until `append` settles, so they are copied. */
import type { Load } from "../worker-link.ts";
import type { JournalRequest } from "./request.ts";

/** The body of an append and the segment that is taken over. */
export const JOURNAL_LOAD: Load<JournalRequest> = {
  bytesOf(request) {
    if (request.op === "append") return request.body;
    return request.op === "acceptSegment" ? request.segment : undefined;
  },
  given: false,
};
