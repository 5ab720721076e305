/** Task graphs: nodes that run after those they depend on, and dry runs of them. */
export { DuplicateNodeError, GraphCycleError, UnknownDependencyError } from "./errors.ts";
export { estimateGraph, type GraphEstimate } from "./estimate.ts";
export { type GraphOptions, type GraphReport, type NodeReport, runGraph } from "./run-graph.ts";
export { type GraphNode, type Results, TaskGraph } from "./task-graph.ts";
