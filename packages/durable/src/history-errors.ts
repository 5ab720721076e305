/** The refusals of time travel, one class per failure. */
import { HistoryError } from "@glia-os/abi/errors/history";

/** A fork was to change something that its record does not have. */
export class BadChangeError extends HistoryError<"history.bad-change"> {
  constructor(domain: string, seq: number, what: string) {
    super("history.bad-change", `record ${seq} of ${domain} has no ${what} that could be set`, {
      details: { domain, seq, what },
    });
  }
}

/** An effect on the world that may happen once only. */
export interface EffectInTheWay {
  readonly seq: number;
  /** The path of its task. */
  readonly task: string;
  readonly call: string;
}

/** A rollback would forget effects that cannot be taken back. */
export class EffectInTheWayError extends HistoryError<"history.effect-in-the-way"> {
  constructor(domain: string, to: number, effects: readonly EffectInTheWay[]) {
    const [first] = effects as [EffectInTheWay];
    const more = effects.length > 1 ? ` and ${effects.length - 1} more` : "";
    super(
      "history.effect-in-the-way",
      `${domain} cannot go back to record ${to}: ${first.call} of ${first.task} at record ${first.seq}${more} may have happened`,
      { details: { domain, to, effects } },
    );
  }
}

/** A record that is not there, or does not count any more. */
export class NoRecordError extends HistoryError<"history.no-record"> {
  constructor(domain: string, seq: number) {
    super("history.no-record", `${domain} has no record ${seq} to go back to`, { details: { domain, seq } });
  }
}

/** A shared part that does not fit into one batch. */
export class TooLongError extends HistoryError<"history.too-long"> {
  constructor(domain: string, at: number, why: string) {
    super("history.too-long", `${domain} cannot be forked at record ${at}: ${why}`, {
      details: { domain, at },
    });
  }
}
