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
  ValueMissingError,
} from "./errors.ts";
export { KeptValue } from "./kept-value.ts";
export { LargeValues, namesValues } from "./large-values.ts";
export type { DurableProgram, DurableService } from "./program.ts";
export {
  type DurableRecord,
  decodeRecord,
  KIND,
  type NumberedRecord,
  type Outcome,
  VALUE_BYTES,
  type ValueKeeper,
  type ValueSource,
} from "./record.ts";
export { Replay, type ReplayOptions } from "./replay.ts";
