export { ERROR_CODES, type ErrorCode, type ErrorFacts, type ErrorTable } from "./codes.ts";
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
