/** Codes of the `store` namespace. */
export const STORE_CODES = {
  "store.agent-exists": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Read the row with getAgent; an id names one agent for ever, also after its end.",
  },
  "store.agent-terminated": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Create a new agent: the row of a terminated one does not change again.",
  },
  "store.blob-corrupt": {
    retryable: false,
    changed: "Nothing: the damaged blob stays until it is put again or deleted.",
    fix: "Put the same bytes again from a replica, which repairs the blob, or delete it. Then check the disk.",
  },
  "store.blob-too-large": {
    retryable: false,
    changed: "Nothing: the bytes were not sent to the store.",
    fix: "Store the bytes in parts, or raise the limit `blobBytes`.",
  },
  "store.cannot-open": {
    retryable: false,
    changed: "Nothing: the file was not written.",
    fix: "Name a file in a folder that exists and is on a local disk.",
  },
  "store.changes-compacted": {
    retryable: false,
    changed: "Nothing: reading changes nothing.",
    fix: "Read the rows with listAgents, then continue with changesSince from `details.newest`.",
  },
  "store.closed": {
    retryable: false,
    changed: "Nothing: the request was not sent.",
    fix: "Open the store again before asking.",
  },
  "store.corrupt": {
    retryable: false,
    changed: "Nothing more is written to the file.",
    fix: "Stop the node, keep a copy of the file and its -wal file, and restore the newest backup. Do not start empty: epochs would repeat.",
  },
  "store.domain-unknown": {
    retryable: false,
    changed: "Nothing: the journal has no such domain.",
    fix: "Append to the domain first, or take over its segments with acceptSegment.",
  },
  "store.engine-unfit": {
    retryable: false,
    changed: "Nothing: the store was not opened.",
    fix: "Set the database server up as the message says, or name another one.",
  },
  "store.engine-unreachable": {
    retryable: true,
    changed: "Nothing: the request was not committed.",
    fix: "Check that the database server runs and answers, and that no client holds its locks; then repeat the request.",
  },
  "store.foreign-database": {
    retryable: false,
    changed: "Nothing: the file was not written.",
    fix: "Name another file: this SQLite database belongs to another program.",
  },
  "store.full": {
    retryable: false,
    changed: "Nothing: every request of the same batch was rolled back.",
    fix: "Free disk space or raise maxBytes, then repeat with the same requestId.",
  },
  "store.in-use": {
    retryable: true,
    changed: "Nothing: the file was not written.",
    fix: "Stop the other process that has the file open, or name another file. One anchor has one file.",
  },
  "store.journal-corrupt": {
    retryable: false,
    changed: "Nothing more is written to the journal.",
    fix: "Keep a copy of the folder. Restore the named file from a backup or a replica; do not delete it: acknowledged records would be lost.",
  },
  "store.journal-gap": {
    retryable: false,
    changed: "Nothing of the batch was written.",
    fix: "Continue at `details.nextSeq`: read the records after your last known one first, another writer may have appended them.",
  },
  "store.journal-newer": {
    retryable: false,
    changed: "Nothing: the folder was not written.",
    fix: "Open the journal with the version of this package that wrote it, or a later one.",
  },
  "store.journal-truncated": {
    retryable: false,
    changed: "Nothing: reading changes nothing.",
    fix: "Start from a checkpoint at or after record `details.firstSeq`; older records were removed.",
  },
  "store.name-invalid": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Use 1 to 256 bytes of UTF-8 without control characters.",
  },
  "store.name-taken": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Choose another name, or terminate the agent that has it; then use a new requestId.",
  },
  "store.not-a-database": {
    retryable: false,
    changed: "Nothing: the file was not written.",
    fix: "Name another file: this one is not a SQLite database.",
  },
  "store.not-replica": {
    retryable: false,
    changed: "Nothing: only the replica that the row names may take an agent over.",
    fix: "Read the row: the agent has another replica, or none.",
  },
  "store.not-writable": {
    retryable: false,
    changed: "Nothing: the file was not written.",
    fix: "Give this user the right to write the file and its folder, or name another path.",
  },
  "store.outcome-unknown": {
    retryable: true,
    changed: "Not known: the request may or may not be committed.",
    fix: "Repeat it with the same requestId; for a journal, read the head of the domain before the next append.",
  },
  "store.owner-alive": {
    retryable: true,
    changed: "Nothing: the lease of the agent's owner still runs.",
    fix: "Ask the owner; or repeat the request when the owner's lease is over, if it is gone.",
  },
  "store.queue-full": {
    retryable: true,
    changed: "Nothing: the request was not sent.",
    fix: "Wait for earlier requests to finish, then repeat with the same requestId.",
  },
  "store.replica-behind": {
    retryable: true,
    changed: "Nothing: the member performed none of the requests.",
    fix: "Nothing: the leader brings the member up to date.",
  },
  "store.replica-foreign": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Name the members and copies the group was founded with; a new group needs a new name and empty journals.",
  },
  "store.replica-lost": {
    retryable: false,
    changed: "Nothing of this request was written.",
    fix: "Read the row of the group in the coordination store. Ask the node that leads it, or open the journal again to lead it.",
  },
  "store.replica-short": {
    retryable: true,
    changed: "Nothing of this request was written.",
    fix: "Bring members back that answer with the disk they had, then repeat the request or open the journal again.",
  },
  "store.request-id-reused": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Use a fresh requestId for each different request.",
  },
  "store.schema-newer": {
    retryable: false,
    changed: "Nothing: the file was not written.",
    fix: "Use the version of @glia-os/store that wrote the file, or a newer one.",
  },
  "store.segment-refused": {
    retryable: false,
    changed: "Nothing of the segment was written.",
    fix: "Ask the sender for the segment that follows the last one held (`segments`), and send it unchanged.",
  },
  "store.segment-unknown": {
    retryable: false,
    changed: "Nothing: reading changes nothing.",
    fix: "List the sealed segments with `segments`; an open segment must be sealed first.",
  },
  "store.session-expired": {
    retryable: false,
    changed: "No row changed. An expired session is removed.",
    fix: "Open a new session for the node, then repeat with a new requestId.",
  },
  "store.stale-epoch": {
    retryable: false,
    changed: "Nothing of the batch was written.",
    fix: "Stop writing: the domain has another owner. Read its row in the coordination store.",
  },
  "store.too-many-agents": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Terminate agents that are not needed or raise the limit, then use a new requestId.",
  },
  "store.too-many-blobs": {
    retryable: false,
    changed: "Nothing: the blob was not written.",
    fix: "Delete blobs that nothing refers to, or raise the limit `maxBlobs`.",
  },
  "store.too-many-domains": {
    retryable: false,
    changed: "Nothing of the batch was written.",
    fix: "Remove domains that ended, or raise the limit `maxDomains`.",
  },
  "store.too-many-keys": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Delete keys that are not needed, or raise the limit `maxKeys`.",
  },
  "store.too-many-sessions": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Close sessions of nodes that left or raise the limit, then use a new requestId.",
  },
  "store.ttl-out-of-range": {
    retryable: false,
    changed: "Nothing: the request was refused before any write.",
    fix: "Use a whole number of milliseconds from 1,000 to 600,000.",
  },
  "store.value-too-large": {
    retryable: false,
    changed: "Nothing: the value was not sent to the store.",
    fix: "Keep large values as blobs and store their hash, or raise the limit `valueBytes`.",
  },
  "store.worker-stopped": {
    retryable: false,
    changed: "Not known: a request that was under way may or may not be committed.",
    fix: "Open the store again and repeat with the same requestId.",
  },
  "store.write-failed": {
    retryable: false,
    changed: "Not known: the request may or may not be committed.",
    fix: "Check the disk, open the store again and repeat with the same requestId.",
  },
} as const;
