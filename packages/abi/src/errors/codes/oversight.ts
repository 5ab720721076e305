/** Codes of the `oversight` namespace: approvals by people, modes of oversight, and the audit of what was allowed and refused. */
export const OVERSIGHT_CODES = {
  "oversight.answered-before": {
    retryable: false,
    changed: "Nothing: the first answer stands.",
    fix: "Read the answer with `glia approvals FOLDER --all`; a program that needs another one asks again.",
  },
  "oversight.audit-broken": {
    retryable: false,
    changed: "Nothing: the audit was only read.",
    fix: "Keep the file as evidence and compare it with a copy; entries before the one that is named are sound.",
  },
  "oversight.audit-unwritable": {
    retryable: false,
    changed: "The call was not started.",
    fix: "Make room on the disk or make the file writable, and run the program again.",
  },
  "oversight.bad-answer": {
    retryable: false,
    changed: "Nothing: the approval still waits.",
    fix: "Give who decides in 1 to 200 characters and, if any, a reason of at most 2,000.",
  },
  "oversight.bad-policy": {
    retryable: false,
    changed: "Nothing: no program was started.",
    fix: 'Give {"mode":"supervised"}, {"mode":"spot-check","fraction":0.3} or {"mode":"autonomous"}, with "exempt" and "always" as lists of services.',
  },
  "oversight.board-damaged": {
    retryable: false,
    changed: "Nothing.",
    fix: "Restore the file from a copy, or remove it: the program then asks again.",
  },
  "oversight.board-full": {
    retryable: true,
    changed: "Nothing: the call was not started.",
    fix: "Answer approvals that wait: `glia approvals FOLDER` lists them.",
  },
  "oversight.changed-arguments": {
    retryable: false,
    changed: "Nothing: an answer holds for the arguments that were shown only.",
    fix: "List the approvals again and answer the one that is wanted.",
  },
  "oversight.denied": {
    retryable: false,
    changed: "Nothing: the call was not started.",
    fix: "Go another way; `details.reason` holds what was said, if anything.",
  },
  "oversight.unknown-approval": {
    retryable: false,
    changed: "Nothing.",
    fix: "List the approvals that wait with `glia approvals FOLDER`.",
  },
} as const;
