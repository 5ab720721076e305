export type { ErrorCode, ErrorFacts, ErrorTable } from "./codes.ts";
export {
  type ErrorRecord,
  errorCodeOf,
  GliaError,
  type GliaErrorOptions,
  hasErrorCode,
  isGliaError,
  MalformedError,
  RemoteError,
  toErrorRecord,
  UnexpectedError,
} from "./glia-error.ts";
