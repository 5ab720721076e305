/** The refusals of oversight and audit, one class per failure. */
import { OversightError } from "@glia-os/abi/errors/oversight";
import type { Approval } from "@glia-os/abi/ports";

/** An audit that somebody changed. */
export class AuditBrokenError extends OversightError<"oversight.audit-broken"> {
  constructor(entry: number, why: string) {
    super("oversight.audit-broken", `entry ${entry} of the audit does not continue it: ${why}`, {
      details: { entry, why },
    });
  }
}

/** What may not go unrecorded could not be recorded. */
export class AuditUnwritableError extends OversightError<"oversight.audit-unwritable"> {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("oversight.audit-unwritable", `the audit took no entry: ${why}`, { cause, details: { why } });
  }
}

/** What was given as a policy is none. */
export class BadPolicyError extends OversightError<"oversight.bad-policy"> {
  constructor(why: string) {
    super("oversight.bad-policy", `the oversight policy was refused: ${why}`, { details: { why } });
  }
}

/** Somebody said no. */
export class DeniedError extends OversightError<"oversight.denied"> {
  constructor(service: string, { by, reason }: Approval) {
    super("oversight.denied", `${by} denied the call of ${service}${reason ? `: ${reason}` : ""}`, {
      details: { service, by, ...(reason === undefined ? {} : { reason }) },
    });
  }
}
