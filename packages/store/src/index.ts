export { BlobCorruptError, BlobTooLargeError, TooManyBlobsError } from "./blobs/errors.ts";
export type { BlobLimits } from "./blobs/limits.ts";
export { EngineUnfitError, EngineUnreachableError, OutcomeUnknownError } from "./engine/errors.ts";
export {
  AgentExistsError,
  AgentTerminatedError,
  CannotOpenError,
  ChangesCompactedError,
  CorruptError,
  ForeignDatabaseError,
  InUseError,
  NameInvalidError,
  NameTakenError,
  NotADatabaseError,
  NotWritableError,
  QueueFullError,
  RequestIdReusedError,
  reviveError,
  SchemaNewerError,
  SessionExpiredError,
  StoreClosedError,
  StoreFullError,
  TooManyAgentsError,
  TooManySessionsError,
  TtlOutOfRangeError,
  WorkerStoppedError,
  WriteFailedError,
} from "./errors.ts";
export type { EtcdPlace, EtcdTls } from "./etcd/place.ts";
export {
  DomainUnknownError,
  JournalCorruptError,
  JournalGapError,
  JournalNewerError,
  JournalTruncatedError,
  SegmentRefusedError,
  SegmentUnknownError,
  StaleEpochError,
  TooManyDomainsError,
} from "./journal/errors.ts";
export {
  BATCH_BYTES,
  BATCH_RECORDS,
  DOMAIN_LENGTH,
  type JournalLimits,
  SEGMENT_BYTES_MOST,
} from "./journal/limits.ts";
export { TooManyKeysError, ValueTooLargeError } from "./key-value/errors.ts";
export { KEY_BYTES, type KeyValueLimits } from "./key-value/limits.ts";
export {
  CHANGES_LIMIT,
  type CoordinationLimits,
  DEFAULT_LIMITS,
  NAME_LIMIT_BYTES,
  REQUEST_ID_LIMIT,
  TTL_MAX_MS,
  TTL_MIN_MS,
} from "./limits.ts";
export type { PostgresPlace } from "./postgres/place.ts";
export {
  ReplicaBehindError,
  ReplicaForeignError,
  ReplicaLostError,
  ReplicaShortError,
} from "./replica/errors.ts";
export { type NewAgent, nodeOfSession } from "./request.ts";
