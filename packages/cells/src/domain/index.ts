/** Durable cells: agents whose program is TypeScript that runs as a durable domain, and whose journal is their state. */

export { OUTBOX_BYTES, OUTBOX_MESSAGES } from "./act-queue.ts";
export {
  ACTS_MAX,
  type Acted,
  type CellAct,
  type CellChild,
  type CellEffect,
  type CellNote,
  type RestNote,
} from "./cell-act.ts";
export { type CellMessage, MESSAGE_BYTES_MAX, type Reply } from "./cell-message.ts";
export { CELL_SERVICE } from "./cell-service.ts";
export { type CellDesks, LAST_WORDS_MS, PATIENCE_MS, PRESSURE } from "./cell-talk.ts";
export type {
  CellOnDisk,
  CellStore,
  DomainRunnerOptions,
  DomainService,
  ProgramLoader,
} from "./domain-options.ts";
export { DomainRunner, manifestOf } from "./domain-runner.ts";
export { durableAgent } from "./durable-agent.ts";
export type { AgentProgram, ProgramCode, VersionedProgram } from "./program-code.ts";
export { RunnersByKind } from "./runners-by-kind.ts";
export { SEGMENT_BYTES_MAX, SegmentReader, SegmentSource } from "./segment-stream.ts";
