/** How the refusals of jobs are said over JSON-RPC and gRPC; every other one is an internal error of theirs, with its own code beside. */
import { errorCodeOf } from "@glia-os/abi/errors";

/** Codes of JSON-RPC 2.0 (section 5.1), and those of ours, which it leaves to servers: -32000 to -32099. */
export const JSON_RPC = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
} as const;

/** Numbers of gRPC's status codes. */
export const GRPC = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  internal: 13,
} as const;

interface ErrorCodes {
  readonly jsonRpc: number;
  readonly grpc: number;
}

const CODES: Readonly<Record<string, ErrorCodes>> = {
  "daemon.job-malformed": { jsonRpc: JSON_RPC.params, grpc: GRPC.invalidArgument },
  "daemon.job-unknown": { jsonRpc: -32001, grpc: GRPC.notFound },
  "daemon.job-key-reused": { jsonRpc: -32002, grpc: GRPC.alreadyExists },
  "daemon.jobs-full": { jsonRpc: -32003, grpc: GRPC.resourceExhausted },
  "daemon.no-jobs": { jsonRpc: -32004, grpc: GRPC.failedPrecondition },
};

/** The codes of an error. */
export function errorCodesOf(error: unknown): ErrorCodes {
  return CODES[errorCodeOf(error) ?? ""] ?? { jsonRpc: JSON_RPC.internal, grpc: GRPC.internal };
}
