/** The refusals of durable domains, one class per failure. */
import { DurableError } from "@glia-os/abi/errors/durable";
import { insteadOf } from "./ambient-instead.ts";

/** A journal whose records do not have the form of docs/spec/journal.md. */
export class BadJournalError extends DurableError<"durable.bad-journal"> {
  constructor(domain: string, seq: number, why: string) {
    super("durable.bad-journal", `record ${seq} of ${domain} cannot be used: ${why}`, {
      details: { domain, seq, why },
    });
  }
}

/** A task used what no replay can repeat, in strict mode. */
export class AmbientUseError extends DurableError<"durable.ambient-use"> {
  constructor(domain: string, what: string, position: readonly string[]) {
    const where = position.length > 0 ? ` at ${position[0]}` : "";
    const instead = insteadOf(what);
    const hint = instead === undefined ? "" : `; ask for ${instead} instead`;
    super("durable.ambient-use", `${domain} used ${what}${where}${hint}`, {
      details: { domain, what, position, ...(instead === undefined ? {} : { instead }) },
    });
  }
}

/** What was to be sent to another domain is no message. */
export class BadMailError extends DurableError<"durable.bad-mail"> {
  constructor(why: string) {
    super("durable.bad-mail", `the message was refused: ${why}`, { details: { why } });
  }
}

/** What was given as a program is none. */
export class BadProgramError extends DurableError<"durable.bad-program"> {
  constructor(why: string) {
    super("durable.bad-program", `the program was refused: ${why}`, { details: { why } });
  }
}

/** What a domain did when its journal was replayed, where it differs from what it had done. */
export interface Divergence {
  readonly domain: string;
  /** The record that did not fit. */
  readonly seq: number;
  /** What was recorded, in words. */
  readonly recorded: string;
  /** What the program did instead, in words. */
  readonly attempted: string;
  /** Where in the source, innermost first; empty when the program asked for nothing. */
  readonly position: readonly string[];
}

/** The program did something else than its journal says. */
export class DivergedError extends DurableError<"durable.diverged"> {
  readonly divergence: Divergence;

  constructor(divergence: Divergence) {
    const { domain, seq, recorded, attempted, position } = divergence;
    const where = position.length > 0 ? ` at ${position[0]}` : "";
    super(
      "durable.diverged",
      `record ${seq} of ${domain} says ${recorded}, but the program ${attempted}${where}`,
      {
        details: { ...divergence },
      },
    );
    this.divergence = divergence;
  }
}

/** A message for a domain whose root task has ended. */
export class DomainEndedError extends DurableError<"durable.domain-ended"> {
  constructor(domain: string) {
    super("durable.domain-ended", `${domain} has ended`, { details: { domain } });
  }
}

/** Another exchange of code was asked for before this one came to a boundary. */
export class ExchangeReplacedError extends DurableError<"durable.exchange-replaced"> {
  constructor(domain: string) {
    super("durable.exchange-replaced", `${domain} was given other code before it took this`, {
      details: { domain },
    });
  }
}

/** The journal has records of the domain. */
export class DomainExistsError extends DurableError<"durable.domain-exists"> {
  constructor(domain: string) {
    super("durable.domain-exists", `${domain} was started before`, { details: { domain } });
  }
}

/** The journal took no more of the domain's records: another owner writes it, or the disk failed. */
export class DomainLostError extends DurableError<"durable.domain-lost"> {
  constructor(domain: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("durable.domain-lost", `${domain} cannot go on here: ${why}`, { details: { domain, why }, cause });
  }
}

/** The domain was given away. */
export class DomainMovedError extends DurableError<"durable.domain-moved"> {
  constructor(domain: string, to: string) {
    super("durable.domain-moved", `${domain} was given to ${to}`, { details: { domain, to } });
  }
}

/** No domain of this name runs here. */
export class DomainUnknownError extends DurableError<"durable.domain-unknown"> {
  constructor(domain: string) {
    super("durable.domain-unknown", `${domain} does not run here`, { details: { domain } });
  }
}

/** A task did something that no replay could repeat. */
export class NotDurableError extends DurableError<"durable.not-durable"> {
  constructor(domain: string, what: string) {
    super("durable.not-durable", `${domain} used ${what}, which cannot be replayed`, {
      details: { domain, what },
    });
  }
}

/** A value that no journal can hold. */
export class NotRecordableError extends DurableError<"durable.not-recordable"> {
  constructor(what: string, why: string) {
    super("durable.not-recordable", `${what} cannot be recorded: ${why}`, { details: { what, why } });
  }
}

/** The process ended between the intent of an effect and its outcome. */
export class OutcomeUnknownError extends DurableError<"durable.outcome-unknown"> {
  constructor(service: string, key: string) {
    super("durable.outcome-unknown", `nobody knows whether ${service} performed call ${key}`, {
      details: { service, key },
    });
  }
}

/** The program is another version than the one that wrote the journal, and does not say that it continues it. */
export class ProgramChangedError extends DurableError<"durable.program-changed"> {
  constructor(domain: string, program: string, recorded: string, offered: string) {
    const [was, is] = [recorded, offered].map((version) =>
      version === "" ? "no version" : `version ${version}`,
    );
    super("durable.program-changed", `${domain} runs ${program} of ${was}; offered is ${is}`, {
      details: { domain, program, recorded, offered },
    });
  }
}

/** A domain's program, or a service of it, is not offered here. */
export class ProgramUnknownError extends DurableError<"durable.program-unknown"> {
  constructor(domain: string, what: string) {
    super("durable.program-unknown", `${domain} needs ${what}, which is not offered here`, {
      details: { domain, what },
    });
  }
}

/** A value that stands in a journal by its hash, and whose bytes are not to be had. */
export class ValueMissingError extends DurableError<"durable.value-missing"> {
  constructor(domain: string, blob: string, why: string) {
    super("durable.value-missing", `a value of ${domain} needs blob ${blob}: ${why}`, {
      details: { domain, blob, why },
    });
  }
}

/** A request holds the handle of a secret that this service may not get. */
export class SecretRefusedError extends DurableError<"durable.secret-refused"> {
  constructor(secret: string, service: string, why: string) {
    super("durable.secret-refused", `secret ${secret} was not given to ${service}: ${why}`, {
      details: { secret, service, why },
    });
  }
}

/** What was given as a secret is none. */
export class BadSecretError extends DurableError<"durable.bad-secret"> {
  constructor(secret: string, why: string) {
    super("durable.bad-secret", `secret ${secret} was refused: ${why}`, { details: { secret, why } });
  }
}
