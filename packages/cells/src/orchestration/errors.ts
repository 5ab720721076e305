/** Refusals of orchestration, one class each. */
import { OrchestrationError } from "@glia-os/abi/errors/orchestration";

/** An option is outside its range. */
export class BadOptionError extends OrchestrationError<"orchestration.bad-option"> {
  constructor(option: string, why: string) {
    super("orchestration.bad-option", `The option ${option} is refused: ${why}`, { details: { option } });
  }
}

/** Bytes that should be a change or a copy of a shared state are not. */
export class BadUpdateError extends OrchestrationError<"orchestration.bad-update"> {
  constructor(why: string, cause?: unknown) {
    super("orchestration.bad-update", `The shared state cannot be read: ${why}`, { cause });
  }
}

/** The channel has ended. */
export class ChannelClosedError extends OrchestrationError<"orchestration.channel-closed"> {
  constructor(reason: string, cause?: unknown) {
    super("orchestration.channel-closed", `The channel takes no more values: ${reason}`, {
      cause,
      details: { reason },
    });
  }
}

/** The group has as many members as it may. */
export class GroupFullError extends OrchestrationError<"orchestration.group-full"> {
  constructor(group: string, limit: number) {
    super("orchestration.group-full", `The group ${group} has ${limit} members, its limit`, {
      details: { group, limit },
    });
  }
}

/** The group is in a state that does not allow this. */
export class GroupStateError extends OrchestrationError<"orchestration.group-state"> {
  constructor(group: string, state: string, wanted: string) {
    super("orchestration.group-state", `The group ${group} is ${state}: it cannot ${wanted}`, {
      details: { group, state, wanted },
    });
  }
}

/** Somebody else holds the lease. */
export class LeaseHeldError extends OrchestrationError<"orchestration.lease-held"> {
  constructor(resource: string, holder: string, retryAfterMs: number) {
    super(
      "orchestration.lease-held",
      `${holder} holds the lease on ${resource} for ${retryAfterMs} ms more`,
      {
        details: { resource, holder, retryAfterMs },
      },
    );
  }
}

/** The lease is held no longer, or by somebody else. */
export class LeaseLostError extends OrchestrationError<"orchestration.lease-lost"> {
  constructor(resource: string, epoch: number) {
    super("orchestration.lease-lost", `Epoch ${epoch} of the lease on ${resource} is over`, {
      details: { resource, epoch },
    });
  }
}

/** A stage takes from one that was not added before it. */
export class StageCycleError extends OrchestrationError<"orchestration.stage-cycle"> {
  constructor(stage: string, from: string) {
    super("orchestration.stage-cycle", `Stage ${stage} takes from ${from}, which is not an earlier stage`, {
      details: { stage, from },
    });
  }
}

/** A stage of a pipeline failed. */
export class StageFailedError extends OrchestrationError<"orchestration.stage-failed"> {
  constructor(stage: string, why: string, cause?: unknown) {
    super("orchestration.stage-failed", `Stage ${stage} failed: ${why}`, { cause, details: { stage, why } });
  }
}

/** Nobody of that name or id is a member. */
export class UnknownMemberError extends OrchestrationError<"orchestration.unknown-member"> {
  constructor(group: string, member: string) {
    super("orchestration.unknown-member", `${member} is no member of ${group}`, {
      details: { group, member },
    });
  }
}
