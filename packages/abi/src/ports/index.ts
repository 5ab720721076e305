export type { CancelSignal } from "./cancel-signal.ts";
export type { Clock, TimerHandle, Timers } from "./clock.ts";
export type {
  AgentChange,
  AgentRow,
  AgentStatus,
  CasOutcome,
  Coordination,
  CoordinationChange,
  NodeSession,
} from "./coordination.ts";
export type {
  AdmittedProgram,
  CallResult,
  Engine,
  EngineInstance,
  EngineLimits,
  GuestHost,
  HostFunction,
  HostModule,
  InstanceImage,
  PendingCall,
  StepOutcome,
} from "./engine.ts";
export type { JobEngine, JobEngineClose, JobEngineStats, JobEnvelope } from "./job-engine.ts";
export type { LogFields, Logger, LogLevel } from "./logger.ts";
export type { Meter } from "./meter.ts";
export type {
  Approval,
  Approver,
  FileOperation,
  Files,
  Http,
  HttpRequest,
  HttpResponse,
  Model,
  Tool,
} from "./outside.ts";
export type { Random } from "./random.ts";
export type { BatteryReading, Sensors } from "./sensors.ts";
export type { Digests, Signer } from "./signer.ts";
export type { Blobs, Journal, JournalRecord, KeyValue } from "./storage.ts";
export type { Span, SpanAttributes, SpanContext, SpanLink, SpanOptions, Tracer } from "./tracer.ts";
export {
  type HostPort,
  MESSAGE_LIMIT_BYTES,
  type Session,
  type SessionClosed,
  type TrafficClass,
  type Transport,
} from "./transport.ts";
