/** The refusals of restarts, one class per failure. */
import { DurableError } from "@glia-os/abi/errors/durable";
import { syscallByNumber } from "@glia-os/abi/syscalls";
import type { FailurePlace, RestartFacts } from "./restart-facts.ts";

/** A place in words. */
export function shownPlace({ name, seq, call }: FailurePlace): string {
  if (call === undefined) return `record ${seq} (${name})`;
  const syscall = syscallByNumber(call.op)?.name ?? `syscall ${call.op}`;
  return `record ${seq}, ${syscall} of ${call.service} by ${call.task} (call ${call.key})`;
}

type Told = Pick<RestartFacts, "at" | "error" | "times">;

function detailsOf(domain: string, { at, error, times }: Told): Readonly<Record<string, unknown>> {
  const { call, ...place } = at;
  return { domain, at: call === undefined ? place : { ...place, call }, times, error };
}

/** The domain failed at the same place with the same error again: its program and its journal lead there each time. */
export class SameFailureError extends DurableError<"durable.same-failure"> {
  constructor(domain: string, facts: Told) {
    const { at, error, times } = facts;
    super(
      "durable.same-failure",
      `${domain} failed ${times} times in a row at ${shownPlace(at)}: ${error.message} (${error.code})`,
      { details: detailsOf(domain, facts) },
    );
  }
}

/** The domain was restarted as often as it may be within a period. */
export class TooManyRestartsError extends DurableError<"durable.too-many-restarts"> {
  constructor(domain: string, facts: Told, restarts: number, periodMs: number) {
    const { at, error } = facts;
    super(
      "durable.too-many-restarts",
      `${domain} was restarted ${restarts} times within ${periodMs} ms and failed at ${shownPlace(at)}: ${error.message} (${error.code})`,
      { details: { ...detailsOf(domain, facts), restarts, periodMs } },
    );
  }
}

/** A result that was to stand in for a failing one cannot. */
export class NotReplaceableError extends DurableError<"durable.not-replaceable"> {
  constructor(domain: string, at: FailurePlace, why: string) {
    super(
      "durable.not-replaceable",
      `the result at ${shownPlace(at)} of ${domain} cannot be replaced: ${why}`,
      {
        details: { domain, seq: at.seq, why },
      },
    );
  }
}

/** A domain that did not fail was to be restarted. */
export class NotFailedError extends DurableError<"durable.not-failed"> {
  constructor(domain: string, state: string) {
    super("durable.not-failed", `${domain} cannot be restarted: it ${state}`, { details: { domain, state } });
  }
}

/** What was asked of the service of domains is no request. */
export class BadDomainRequestError extends DurableError<"durable.bad-domain-request"> {
  constructor(why: string) {
    super("durable.bad-domain-request", `the request for a domain was refused: ${why}`, { details: { why } });
  }
}

/** A domain that was to be run to its end failed. */
export class DomainFailedError extends DurableError<"durable.domain-failed"> {
  constructor(domain: string, at: FailurePlace | undefined, error: RestartFacts["error"], cause: unknown) {
    const where = at === undefined ? "" : ` at ${shownPlace(at)}`;
    super("durable.domain-failed", `${domain} failed${where}: ${error.message} (${error.code})`, {
      details: { domain, error, ...(at === undefined ? {} : { seq: at.seq, place: at.name }) },
      cause,
    });
  }
}
