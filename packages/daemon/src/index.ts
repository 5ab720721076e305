/** A Glia node as a service. */

export { FILE_CHUNK_MAX, FILE_START_MAX, readFileStart, SCRYPT_WRITTEN } from "@glia-os/cells";
export type { NodeServices } from "./agent-services.ts";
export type { AgentAct, ChildRequest } from "./agents/act.ts";
export { agentError } from "./agents/agent-words.ts";
export type { AgentsApi } from "./agents/agents-api.ts";
export {
  type AgentModuleFile,
  type ConnectOptions,
  connectSystem,
  type MeshAgentSystem,
  type MeshSpawnOptions,
} from "./agents/connect-system.ts";
export {
  DefinitionUnknownError,
  MailboxGoneError,
  NoAgentsHereError,
  OutboxFullError,
  TooManyMailboxesError,
} from "./agents/errors.ts";
export { type ControlConnection, connectControl } from "./control-client.ts";
export { controlPath } from "./control-path.ts";
export { CONTROL_METHODS, type ControlServer, serveControl } from "./control-server.ts";
export { createNode, type LocalNode } from "./create-node.ts";
export type { ProgramSettings } from "./domain/program-settings.ts";
export type { AgentEndsPage, AgentEndView, EndReason, EndsApi } from "./ends/ends-api.ts";
export {
  AlreadyRunningError,
  AmbiguousNodeError,
  AnchorLostError,
  BadOptionsError,
  ControlClosedError,
  ControlMalformedError,
  DataFolderError,
  GuestStuckError,
  HttpListenError,
  MoveUnconfirmedError,
  NoClusterKeyError,
  NoJobsError,
  NotRunningError,
  PayloadTooLargeError,
  RemovedError,
  ThreadBusyError,
  ThreadGoneError,
  TokenFileError,
  UnknownAgentError,
  UnknownNodeError,
} from "./errors.ts";
export { HTTP_CONNECTIONS, type HttpOptions, type HttpServer, serveHttp } from "./http-server.ts";
export { HttpToken, loadOrCreateHttpToken } from "./http-token.ts";
export type { JobApi } from "./jobs/job-api.ts";
export { type JobProtocol, jobProtocolOver } from "./jobs/job-protocol.ts";
export type { JobFilter, JobState, JobSubmission, JobView } from "./jobs/job-views.ts";
export type { LogEntry, LogPage, LogQuestion } from "./logs/log-ring.ts";
export type { MeshSettings } from "./mesh-settings.ts";
export { MINORITY_POLICIES, PROFILES, TRANSPORTS } from "./mesh-settings.ts";
export type { AgentFileApi, BegunExport, ExportSeal, ImportRequest } from "./movement/file-api.ts";
export { secretOfPassphrase } from "./movement/file-crypto.ts";
export type {
  ConditionedNode,
  DrainState,
  DrainView,
  MoveApi,
  NodeCondition,
  PolicyMove,
  StuckAgent,
} from "./movement/move-api.ts";
export type { MovementApi } from "./movement/movement-api.ts";
export type { MovementSettings } from "./movement/movement-settings.ts";
export type { NodePowerMode } from "./movement/node-power.ts";

export type { NodeApi } from "./node-api.ts";
export type { NodeEvent } from "./node-event.ts";
export type { JobSettings } from "./node-jobs.ts";
export type { NodeOptions } from "./node-options.ts";
export type {
  AgentView,
  AgentVitals,
  CertificateReport,
  JobRequest,
  JobsView,
  LinkStats,
  MemberDetail,
  MemberView,
  MeshHealth,
  MigrateRequest,
  MigrationPhase,
  MigrationReport,
  NodeRole,
  NodeStatus,
  PingReport,
  RouteReport,
  SessionView,
  SpawnRequest,
  WireView,
} from "./node-views.ts";
export type { TraceSettings } from "./otel/otlp-tracer.ts";
export { QueueFullError } from "./queue/errors.ts";
export { KEEP_MS } from "./queue/message-queue.ts";
export type { QueueApi, QueuedReceipt, QueuedView, QueueView } from "./queue/queue-api.ts";
export type { MoveView } from "./survey/move-log.ts";
export type { MeshSurvey, NodeReport, SurveyedNode } from "./survey/survey-service.ts";
export type { NodeStart } from "./thread-setup.ts";
export type { UpgradeApi, UpgradeReport, UpgradeRequest } from "./upgrade/upgrade-api.ts";
