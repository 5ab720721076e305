/** Codes of the `overlay` namespace: the parts of the mesh that work through other members. */

export const OVERLAY_CODES = {
  "overlay.limit": {
    retryable: true,
    changed: "Nothing: the request was refused before use.",
    fix: "Ask less at once, or again later.",
  },
  "overlay.record-refused": {
    retryable: false,
    changed: "Nothing: the record was not stored.",
    fix: "Look at the reason: publish again with a higher sequence number, a valid certificate, or a clock that is right.",
  },
  "overlay.store-full": {
    retryable: true,
    changed: "Nothing: the record was not stored.",
    fix: "Try again later, or run more nodes that store records.",
  },
  "overlay.not-serving": {
    retryable: false,
    changed: "Nothing: the request was refused before use.",
    fix: "Ask a relay or core node: edge nodes and clients serve nothing for others.",
  },
  "overlay.message-refused": {
    retryable: false,
    changed: "Nothing: the message was neither delivered nor passed on.",
    fix: "Look at the reason; a message that was refused as old or repeated was seen before.",
  },
  "overlay.no-route": {
    retryable: true,
    changed: "Nothing here: the message did not leave this node.",
    fix: "Check that the destination is a member and that a relay is alive.",
  },
  "overlay.blob-not-found": {
    retryable: true,
    changed: "Verified parts are kept for the next attempt until they are dropped.",
    fix: "Try again when a node that has the blob is reachable.",
  },
  "overlay.job-refused": {
    retryable: true,
    changed: "Nothing: the job did not run there.",
    fix: "Submit the job again here or elsewhere.",
  },
  "overlay.job-unknown": {
    retryable: false,
    changed: "The job may have run: its node ended before it said so.",
    fix: "Ask whoever the job acts on by its id, then submit it again if it did not run.",
  },
  "overlay.no-quorum": {
    retryable: true,
    changed: "Votes were asked for; nobody acted on them.",
    fix: "Try again when more of the voters are reachable.",
  },
} as const;
