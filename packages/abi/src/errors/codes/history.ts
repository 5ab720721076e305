/** Codes of the `history` namespace: going back to, branching off and comparing what durable programs did. */
export const HISTORY_CODES = {
  "history.bad-change": {
    retryable: false,
    changed: "Nothing: no domain was made.",
    fix: "Set `result` where a call came to its outcome, `message` where a message came in, `input` at record 1; `glia journal show` lists the records.",
  },
  "history.effect-in-the-way": {
    retryable: false,
    changed: "Nothing: the domain stands where it stood.",
    fix: "Go back to a later record, fork the domain instead, or force it: what is named may then happen a second time.",
  },
  "history.no-record": {
    retryable: false,
    changed: "Nothing.",
    fix: "Give the number of a record that is still there and was not discarded; `glia journal show` lists them.",
  },
  "history.too-long": {
    retryable: false,
    changed: "Nothing: no domain was made.",
    fix: "Fork at an earlier record: at most 65,535 records and 16 MiB are copied.",
  },
} as const;
