/** Codes of the `orchestration` namespace: channels, quorums, leases, groups, topologies, pipelines and shared state among agents. */
export const ORCHESTRATION_CODES = {
  "orchestration.bad-option": {
    retryable: false,
    changed: "Nothing: no message was sent.",
    fix: "Correct the option that the message names.",
  },
  "orchestration.bad-update": {
    retryable: false,
    changed: "Nothing: the state is as it was before.",
    fix: "Pass on what `save` or `changesSince` of a shared state gave, whole and unchanged.",
  },
  "orchestration.channel-closed": {
    retryable: false,
    changed: "Nothing: the value was not sent.",
    fix: "Open another channel; `details.reason` says why this one ended.",
  },
  "orchestration.group-full": {
    retryable: false,
    changed: "Nothing.",
    fix: "Take a member out first, or make another group.",
  },
  "orchestration.group-state": {
    retryable: false,
    changed: "Nothing.",
    fix: "Read the state of the group; `docs/orchestration.md` has the table of steps.",
  },
  "orchestration.lease-held": {
    retryable: true,
    changed: "Nothing: the lease stays with its holder.",
    fix: "Try again after `details.retryAfterMs`.",
  },
  "orchestration.lease-lost": {
    retryable: false,
    changed: "Nothing: what the lease protected was not touched.",
    fix: "Acquire the lease again and begin anew; somebody else may have held it meanwhile.",
  },
  "orchestration.stage-cycle": {
    retryable: false,
    changed: "Nothing: the pipeline was not started.",
    fix: "Let a stage take from stages that were added before it.",
  },
  "orchestration.stage-failed": {
    retryable: false,
    changed: "The pipeline ended; what it had given before stands.",
    fix: "Read `details.stage` and the message: they name the stage that failed and why.",
  },
  "orchestration.unknown-member": {
    retryable: false,
    changed: "Nothing.",
    fix: "Name one of the members; the view of the group has them.",
  },
} as const;
