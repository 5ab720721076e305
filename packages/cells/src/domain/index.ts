/** Durable cells: agents whose program is TypeScript that runs as a durable domain, and whose journal is their state. */
export { type CellMessage, MESSAGE_BYTES_MAX, type Reply } from "./cell-message.ts";
export { CELL_SERVICE } from "./cell-service.ts";
export type { CellStore, DomainRunnerOptions, DomainService, ProgramLoader } from "./domain-options.ts";
export { DomainRunner, manifestOf } from "./domain-runner.ts";
export { durableAgent } from "./durable-agent.ts";
export { RunnersByKind } from "./runners-by-kind.ts";
export { SEGMENT_BYTES_MAX, SegmentReader, SegmentSource } from "./segment-stream.ts";
