/** Durable domains: programs that go on after their process ended. */

export type { AmbientGuard } from "./ambient-guard.ts";
export { approvalService, askOn, type OnAsked } from "./approvals.ts";
export {
  type AppendFile,
  type AuditAction,
  type AuditEntry,
  type AuditEvent,
  type AuditHead,
  auditEntries,
  EMPTY_HEAD,
  encodeEntry,
} from "./audit.ts";
export { AuditLog } from "./audit-log.ts";
export type { Exchanged, Exchanging, NewCode } from "./code-exchange.ts";
export { callBefore, type DomainDifference, type DomainOf, diffDomains, type RecordPair } from "./diff.ts";
export { domainEdition } from "./domain-edition.ts";
export type { DomainState } from "./domain-setup.ts";
export {
  Domains,
  type DomainsOptions,
} from "./domains.ts";
export type { DurableCall } from "./durable-call.ts";
export type { DurableDomain } from "./durable-domain.ts";
export {
  AmbientUseError,
  BadJournalError,
  BadMailError,
  BadProgramError,
  BadSecretError,
  DivergedError,
  type Divergence,
  DomainEndedError,
  DomainExistsError,
  DomainLostError,
  DomainMovedError,
  DomainUnknownError,
  ExchangeReplacedError,
  NotDurableError,
  NotRecordableError,
  OutcomeUnknownError,
  ProgramChangedError,
  ProgramUnknownError,
  SecretRefusedError,
  ValueMissingError,
} from "./errors.ts";
export { type ForkChange, type ForkOptions, forkDomain } from "./fork.ts";
export {
  BadChangeError,
  type EffectInTheWay,
  EffectInTheWayError,
  NoRecordError,
  TooLongError,
} from "./history-errors.ts";
export { KeptValue } from "./kept-value.ts";
export { LargeValues, namesValues } from "./large-values.ts";
export type { DomainLedger, MakeLedger } from "./ledger.ts";
export { type LiveReplayOptions, replayLive } from "./live-replay.ts";
export {
  type Discarded,
  discardedOf,
  isDiscarded,
  type LoggedRecord,
  loggedRecords,
  type ReadableJournal,
  ROLLBACK,
  recordsIn,
} from "./logged-record.ts";
export {
  type Delivery,
  type DeliveryState,
  type Mail,
  type MailCarrier,
  type MailItem,
  nameOfSender,
  type Receipt,
} from "./mailbox-delivery.ts";
export { type MailRequest, PostOffice, type PostOfficeOptions } from "./mailbox-post.ts";
export type { AsideMessage, MailboxForm } from "./mailbox-state.ts";
export { type CarryOptions, carryDomain, type SegmentSource } from "./moved-domain.ts";
export { type Oversight, overseen } from "./oversight.ts";
export {
  AuditBrokenError,
  AuditUnwritableError,
  BadPolicyError,
  DeniedError,
} from "./oversight-errors.ts";
export {
  type AskedBecause,
  askedBecause,
  checkedPolicy,
  OVERSIGHT_MODES,
  type OversightPolicy,
} from "./oversight-policy.ts";
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
export { type DomainRequest, type DomainServiceOptions, domainService } from "./recovery/domain-service.ts";
export { type DurableChildOptions, durableChild } from "./recovery/durable-child.ts";
export type { RestartEvent } from "./recovery/recovery.ts";
export {
  BadDomainRequestError,
  DomainFailedError,
  NotFailedError,
  NotReplaceableError,
  SameFailureError,
  TooManyRestartsError,
} from "./recovery/recovery-errors.ts";
export type { DomainFailure, RecoveryOptions } from "./recovery/recovery-plan.ts";
export type { ChoiceName, FailedCall, FailurePlace, RestartFacts } from "./recovery/restart-facts.ts";
export type { RecoveryReport } from "./recovery-report.ts";
export { Replay, type ReplayOptions } from "./replay.ts";
export { type RollbackOptions, type RolledBack, rollbackDomain } from "./rollback.ts";
export { type SecretValue, secret } from "./secrets.ts";
export { judgeUpgrade, type UpgradeOptions, type UpgradeVerdict } from "./upgrade.ts";
