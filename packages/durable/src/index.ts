/** Durable domains: programs that go on after their process ended. */
export type { DomainState } from "./domain.ts";
export {
  Domains,
  type DomainsOptions,
  type DurableDomain,
  type RecoveryReport,
} from "./domains.ts";
export {
  BadJournalError,
  BadProgramError,
  DivergedError,
  type Divergence,
  DomainEndedError,
  DomainExistsError,
  DomainLostError,
  DomainUnknownError,
  NotDurableError,
  NotRecordableError,
  OutcomeUnknownError,
  ProgramUnknownError,
} from "./errors.ts";
export type { DurableProgram, DurableService } from "./program.ts";
export {
  type DurableRecord,
  decodeRecord,
  KIND,
  type NumberedRecord,
  type Outcome,
  VALUE_BYTES,
} from "./record.ts";
export { Replay, type ReplayOptions } from "./replay.ts";
