/** Agents as cells: identity, mailbox, links and lifecycle; frozen, moved and continued. */
export {
  type AgentManifest,
  checkManifest,
  decodeManifest,
  encodeManifest,
  MEMORY_PAGES_DEFAULT,
  MEMORY_PAGES_MAX,
  PROGRAM_BYTES_MAX,
  type ProgramKind,
} from "./agent-manifest.ts";
export { BAGGAGE_BYTES_MAX, type CellBaggage, type CellLeft } from "./cell-baggage.ts";
export {
  CELLS_MAX,
  CellGate,
  FREEZE_TIMEOUT_MS,
  MAILBOX_BYTES_MAX,
} from "./cell-gate.ts";
export { CellRunner } from "./cell-runner.ts";
export type { CellService } from "./cell-services.ts";
export { type CellState, TRANSITIONS, transition } from "./cell-state.ts";
export { MAILBOX_MESSAGES_MAX } from "./constants.ts";
export {
  AlreadyHereError,
  BadBundleError,
  BadImageError,
  BadManifestError,
  GuestFailedError,
  IllegalTransitionError,
  ImmovableCapabilityError,
  NotHereError,
  NoYieldError,
  ProgramsRefusedError,
  ServiceMissingError,
  TakesNoneError,
  TooManyCellsError,
} from "./errors.ts";
export {
  FileAgentEndedError,
  FileCorruptError,
  FileOtherClusterError,
  FileOwnerLivesError,
  FileUntrustedError,
  FileVersionError,
  FileWrongKeyError,
  NotAgentFileError,
} from "./export/errors.ts";
export {
  type AgentFileHeader,
  decodeFileHeader,
  encodeFileHeader,
  type FileSeal,
  SCRYPT_WRITTEN,
  signerOf,
} from "./export/file-header.ts";
export { FILE_CHUNK_MAX, type FileCipher, type FileCrypto, type RunningHash } from "./export/file-keys.ts";
export { AgentFileReader, type AgentFileStart, FILE_START_MAX, readFileStart } from "./export/file-reader.ts";
export { AgentFileWriter } from "./export/file-writer.ts";
export type { CellGateEvents, CellGateOptions, CellReport } from "./gate-options.ts";
export type { KeptCells, KeptMail, StoredCell, UnreadCell } from "./kept-cells.ts";
export { CALLERS_MAX, CallerCounts } from "./policy/caller-counts.ts";
export {
  CALLER_SHARE,
  LATENCY_LOOKS,
  LATENCY_THRESHOLD_MS,
  type LatencyLook,
  LatencyPolicy,
  type LatencySettings,
  type LatencyWish,
  LOOK_MESSAGES,
  type NearbyNode,
  nearer,
  RESIDENCE_MS,
} from "./policy/latency-policy.ts";
export { MoveBudget } from "./policy/move-budget.ts";
export {
  MovementPolicies,
  type MoveWish,
  POLICIES,
  type PolicyLook,
  type PolicyName,
  REBALANCE_GAP,
  REBALANCE_LOOKS,
} from "./policy/movement-policies.ts";
export { type PlacementCandidate, placementCost, ranked } from "./policy/placement.ts";
export { LostOnTheWayError, NoPostCopyError, PagesReleasedError } from "./postcopy/errors.ts";
export type {
  ArrivingPages,
  AwayGuest,
  AwayOutcome,
  PagesArrival,
  PagesCodec,
  PagesGatePort,
  PagesRunnerPort,
  ReadingPages,
} from "./postcopy/pages-port.ts";
export { SERVED_MAX } from "./postcopy/runner-pages.ts";
export type { TapeItem } from "./replica/entries.ts";
export {
  MidRecordError,
  NotReplicableError,
  OutcomeUnknownError,
  ReplayDivergedError,
  ReplicaLostError,
} from "./replica/errors.ts";
export {
  checkReplicable,
  REPLICA_GRANTS,
  type ReplicaWish,
  replicaGrant,
  replicaOf,
  type WithoutReplica,
} from "./replica/grants.ts";
export type { CellOutputs, RecordedCell, ResumedOutputs } from "./replica/outputs.ts";
export type { Copy } from "./replica/rebuild.ts";
export {
  type CellCheckpoint,
  type ReplicaFeeder,
  ReplicaGate,
  UNFED_RETRY_MS,
} from "./replica/replica-gate.ts";
export type {
  CheckpointCodec,
  CheckpointFacts,
  Rebuild,
  ReplicaPort,
  ReplicaRunnerPort,
  RunnerReplication,
} from "./replica/replica-ports.ts";
export { type EntryFeed, ReplicatedCell } from "./replica/replicated-cell.ts";
export { OUTPUTS_MAX, type Tape } from "./replica/tape.ts";
export { FORWARD_MS, RETIRED_MAX } from "./retired-cells.ts";
export type {
  AheadCodec,
  ArrivingAhead,
  CellRunnerOptions,
  ImageCodec,
  ReadingAhead,
} from "./runner-options.ts";
export type {
  Asker,
  CellEnd,
  CellGatePort,
  CellRunnerPort,
  CellVitals,
  FrozenMail,
  MailItem,
} from "./runner-port.ts";
export {
  type CellUpgradeReport,
  CellUpgrades,
  type CellUpgradesParts,
  type CodeChange,
  UPGRADE_TIMEOUT_MS,
  UPGRADE_TIMEOUT_RANGE,
} from "./upgrade/cell-upgrades.ts";
export {
  NoEarlierCodeError,
  NotUpgradableError,
  UpgradeBusyError,
  UpgradeRefusedError,
} from "./upgrade/errors.ts";
export { TURNS_MAX } from "./upgrade/guest-dialogue.ts";
export type {
  KeptUpgrade,
  KeptUpgradePort,
  PreparedUpgrade,
  UpgradeRunnerPort,
} from "./upgrade/upgrade-port.ts";
export {
  askHandOver,
  type CodeVersion,
  giveTakeOver,
  STATE_PARTS_MAX,
  UPGRADE_EXPORT,
} from "./upgrade/upgrade-words.ts";
