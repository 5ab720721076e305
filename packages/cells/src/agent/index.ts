/** Agents: one definition, which runs in a thread, in a worker, in a WebAssembly cell, on one node or on many, unchanged. */
export { agent } from "./agent.ts";
export { AgentProcess, type ProcessOptions } from "./agent-process.ts";
export { isDefinition } from "./check-definition.ts";
export type {
  Accepted,
  AgentContext,
  AgentStream,
  AskOptions,
  Settled,
  SettledOptions,
  SpawnOptions,
  StreamItem,
  SystemTellOptions,
  TellOptions,
  Ticket,
} from "./context.ts";
export type { AgentDefinition, AgentOptions, MessageHandler, StateSource } from "./definition.ts";
export { AgentDesk, DESK, type RoutineEnd, routineAgent } from "./desk.ts";
export {
  type AgentEnvelope,
  ENVELOPE_KINDS,
  ENVELOPE_VERSION,
  type EnvelopeKind,
  prioritised,
} from "./envelope.ts";
export { decodeEnvelope, encodeEnvelope } from "./envelope-codec.ts";
export { errorOf, recordOf } from "./error-record.ts";
export {
  AgentEndedError,
  AgentMailboxFullError,
  AgentNameTakenError,
  AskSelfError,
  AskTimeoutError,
  AsyncSchemaError,
  BadArgumentError,
  BadChunkError,
  BadDefinitionError,
  BadEnvelopeError,
  BadMessageError,
  BadReplyError,
  BadStateError,
  HandlerFailedError,
  InvariantError,
  NotAStreamError,
  NotParentAgentError,
  PausedTooLongError,
  PlaceUnknownError,
  StreamClosedError,
  SystemClosedError,
  TooManyError,
  UnknownAgentError,
  UnknownMessageError,
  UpgradeFailedError,
  ValueNotPlainError,
  WaitsInPlainHandlerError,
  WrongKindError,
} from "./errors.ts";
export type { Issue } from "./issue.ts";
export {
  type AnyAgent,
  type ChunkOf,
  type CompiledMessage,
  type InputOf,
  kindKey,
  type MessageName,
  type MessageTypes,
  type ReplyOf,
  type SpawnInputOf,
  type StopReason,
} from "./kind.ts";
export { createLocalSystem, type LocalAgentSystem, type LocalSystemOptions } from "./local/local-system.ts";
export type { MessageRecord } from "./message-record.ts";
export {
  type MessageFacts,
  MessageSpans,
  OPEN_SPAN_MS,
  OPEN_SPANS_MAX,
  type Traced,
} from "./message-spans.ts";
export type { AgentOutside, AgentSpeaker, Sent } from "./outside.ts";
export { type PackedProcess, packedText, unpackedProcess } from "./packed-process.ts";
export type { ThreadPort } from "./places/place-message.ts";
export { type ServeOptions, serveAgents } from "./places/serve-agents.ts";
export {
  isPriority,
  type MessagePriority,
  OVERTAKES_MAX,
  PriorityTurns,
  type UnusualPriority,
} from "./priority.ts";
export type { AgentProfile } from "./profile.ts";
export { type AgentRef, type AgentTarget, isAgentId, isAgentName, isAgentRef } from "./reference.ts";
export type { AgentOperation, AgentRoutine, AgentStep } from "./routine.ts";
export {
  isSchema,
  type SchemaIssue,
  type SchemaResult,
  type StandardSchema,
} from "./standard-schema.ts";
export type { SupervisionPolicy } from "./supervision.ts";
export type {
  AgentEnd,
  AgentObservation,
  AgentReport,
  AgentState,
  AgentSystem,
} from "./system.ts";
export { type MessageTrace, TRACEPARENT_CHARS, traceOf } from "./trace.ts";
