/** The version of the shared vocabulary, and its parts under `/errors /ids /ports /syscalls /wire`. */
export type { ErrorCode, ErrorRecord } from "./errors/index.ts";
export { GliaError, hasErrorCode, isGliaError } from "./errors/index.ts";
export type { AgentId, ClusterId, Epoch, NodeId } from "./ids/index.ts";
export { ABI_VERSION } from "./wire/version.ts";
