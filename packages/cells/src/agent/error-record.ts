/** Errors on their way between agents: as records (docs/spec/errors.md), and made errors again where they arrive. */
import { type ErrorRecord, isGliaError, RemoteError } from "@glia-os/abi/errors";
import { AgentError, type AgentErrorCode } from "@glia-os/abi/errors/agent";
import { HandlerFailedError } from "./errors.ts";
import { passable } from "./plain-value.ts";

/** The record of what a handler threw. Errors that are not Glia's become `agent.handler-failed`. */
export function recordOf(error: unknown, message: string): ErrorRecord {
  const glia = isGliaError(error) ? error : new HandlerFailedError(message, error);
  const record = glia.toRecord();
  try {
    return { ...record, details: passable(record.details) as NonNullable<ErrorRecord["details"]> };
  } catch {
    return { ...record, details: {} };
  }
}

/** The error of a record: with the code of an agent's own errors, or a `RemoteError` that keeps its sender's code. */
export function errorOf(input: unknown): AgentError | RemoteError {
  const record = input as Partial<ErrorRecord> | null;
  const { code = "agent.bad-envelope", message = "an error without a message" } = record ?? {};
  const { changed = "Unknown.", fix = "", retryable = false, details = {} } = record ?? {};
  const whole = { code: String(code), message: String(message), changed, fix, retryable, details };
  if (!whole.code.startsWith("agent.")) return new RemoteError(whole);
  return new AgentError(whole.code as AgentErrorCode, whole.message, { changed, fix, details });
}
