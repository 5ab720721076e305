export type { ApprovalBoard, ApprovalRequest, PostedApproval } from "./approval-board.ts";
export type { CancelSignal } from "./cancel-signal.ts";
export { CancelSource } from "./cancel-source.ts";
export type { Clock, TimerHandle, TimerOptions, Timers } from "./clock.ts";
export {
  type AgentChange,
  type AgentRow,
  type AgentStatus,
  type CasOutcome,
  type Coordination,
  type CoordinationChange,
  type NodeSession,
  REPLICAS_MAX,
  type TakeOver,
} from "./coordination.ts";
export type { Announcement, Discovery, FoundNode } from "./discovery.ts";
export {
  type AdmittedProgram,
  type CallResult,
  type CapabilityKind,
  type Engine,
  type EngineInstance,
  type EngineLimits,
  type GuestCapabilities,
  type GuestCapability,
  type GuestHost,
  type InstanceImage,
  type PendingCall,
  PREEMPTED_OP,
  type StepOutcome,
} from "./engine.ts";
export type { FenceRow, FenceStore } from "./fence-store.ts";
export {
  GUEST_NOTES,
  type GuestAnswer,
  type GuestListener,
  type GuestNews,
  type GuestNote,
  type GuestPlace,
  type GuestPlacement,
  type GuestRange,
  type GuestStand,
  type PlacedGuest,
  type PlacedGuestEnd,
} from "./guest-place.ts";
export type {
  GuestAccess,
  GuestMemory,
  HandleCodec,
  HandleTable,
  HostCall,
  HostFunction,
  HostModule,
  HostResume,
  HostValue,
  HostWait,
  OpenHostModule,
} from "./host-module.ts";
export type { JobEngine, JobEngineClose, JobEngineStats, JobEnvelope } from "./job-engine.ts";
export type { JobQueue, TakenJob } from "./job-queue.ts";
export type { DomainHead, JoinedBatches, Journal, JournalBatch, SegmentInfo } from "./journal.ts";
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
export type { BlobInfo, Blobs, KeyInfo, KeyValue } from "./storage.ts";
export type { Span, SpanAttributes, SpanContext, SpanLink, SpanOptions, Tracer } from "./tracer.ts";
export {
  type HostPort,
  MESSAGE_LIMIT_BYTES,
  type Session,
  type SessionClosed,
  type TrafficClass,
  type Transport,
} from "./transport.ts";
