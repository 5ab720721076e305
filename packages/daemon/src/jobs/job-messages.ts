/** Jobs as messages of proto/jobs.proto, and back. */
import { create } from "@bufbuild/protobuf";
import type { ErrorRecord } from "@glia-os/abi/errors";
import { JobMalformedError } from "./errors.ts";
import {
  JobErrorSchema,
  type Job as JobMessage,
  JobSchema,
  type ListRequest,
  type Submission as SubmissionMessage,
  JobState as WireState,
} from "./generated/jobs_pb.js";
import type { JobFilter, JobState, JobSubmission, JobView } from "./job-views.ts";

const WIRE_STATES: Readonly<Record<JobState, WireState>> = {
  pending: WireState.PENDING,
  succeeded: WireState.SUCCEEDED,
  failed: WireState.FAILED,
  cancelled: WireState.CANCELLED,
  expired: WireState.EXPIRED,
};

/** A state as a number of the protocol; left out is 0. */
export function wireStateOf(state: JobState | undefined): WireState {
  return state === undefined ? WireState.UNSPECIFIED : WIRE_STATES[state];
}

/** @throws {JobMalformedError} for a number that stands for no state */
export function stateOf(state: WireState): JobState {
  const found = (Object.keys(WIRE_STATES) as JobState[]).find((each) => WIRE_STATES[each] === state);
  if (found === undefined) throw new JobMalformedError("state", "one of the protocol's");
  return found;
}

/** A job as a message. */
export function messageOf({ state, result, error, ...view }: JobView): JobMessage {
  const { deadlineMs, endedMs, key, ...same } = view;
  return create(JobSchema, {
    ...same,
    state: wireStateOf(state),
    ...(key === undefined ? {} : { key }),
    ...(endedMs === undefined ? {} : { endedMs }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(result === undefined ? {} : { resultJson: JSON.stringify(result) }),
    ...(error === undefined ? {} : { error: create(JobErrorSchema, errorFields(error)) }),
  });
}

function errorFields({ code, message, changed, fix, retryable }: ErrorRecord): ErrorRecord {
  return { code, message, changed, fix, retryable };
}

/** A job of a message. */
export function viewOfMessage(message: JobMessage): JobView {
  const { id, key, entry, priority, attempt, version, acceptedMs, endedMs, deadlineMs } = message;
  const { state, resultJson, error } = message;
  return {
    id,
    entry,
    priority,
    state: stateOf(state),
    attempt,
    version,
    acceptedMs,
    ...(key === undefined ? {} : { key }),
    ...(endedMs === undefined ? {} : { endedMs }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(resultJson === undefined ? {} : { result: JSON.parse(resultJson) as unknown }),
    ...(error === undefined ? {} : { error: errorFields(error) }),
  };
}

/** What a message submits. @throws {JobMalformedError} for a payload that is no JSON */
export function submissionOf(message: SubmissionMessage, traceHeader: string | undefined): JobSubmission {
  const { entry, payloadJson, key, priority, lineage, deadlineMs } = message;
  const traceparent = message.traceparent ?? traceHeader;
  return {
    entry,
    payload: payloadOf(payloadJson),
    priority,
    lineage,
    ...(key === undefined ? {} : { key }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

function payloadOf(json: string): unknown {
  if (json === "") return null;
  try {
    return JSON.parse(json);
  } catch {
    throw new JobMalformedError("payload_json", "JSON");
  }
}

/** What a message asks to be listed. */
export function filterOf({ state, after, limit }: ListRequest): JobFilter {
  return {
    ...(state === WireState.UNSPECIFIED ? {} : { state: stateOf(state) }),
    ...(after === undefined ? {} : { after }),
    ...(limit === 0 ? {} : { limit }),
  };
}
