/** A refusal on the wire: the code the refusing side raised, raised again on the other side. */
import { type ErrorRecord, RemoteError, toErrorRecord } from "@glia-os/abi/errors";
import type { CborValue } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import {
  CertificateExpiredError,
  JoinProofInvalidError,
  JoinTokenExpiredError,
  JoinTokenUnknownError,
  JoinTokenUsedUpError,
  NodeRemovedError,
  NotAdmittedError,
} from "../errors.ts";

const TEXT_MAX = 512;
const DETAILS_MAX = 4096;

/** An error as fields of a message; texts are cut to their limits. */
export function errorFields(error: unknown): CborValue {
  const { code, message, changed, fix, retryable, details } = toErrorRecord(error);
  const cut = (text: string): string => text.slice(0, TEXT_MAX);
  return [cut(code), cut(message), cut(changed), cut(fix), retryable, detailsText(details)];
}

/** The error record in a message. @throws {MalformedMessageError}. */
export function errorRecordOf(body: CborValue): ErrorRecord {
  const reader = new FieldReader(body, "an error record");
  const record = {
    code: reader.text("code", TEXT_MAX),
    message: reader.text("message", TEXT_MAX),
    changed: reader.text("changed", TEXT_MAX),
    fix: reader.text("fix", TEXT_MAX),
    retryable: reader.bool("retryable"),
    details: parseDetails(reader.text("details", DETAILS_MAX)),
  };
  reader.end();
  return record;
}

/** The error a refusal means here: join refusals get their own class, others arrive as {@link RemoteError}. */
export function refusalOf(body: CborValue): Error {
  const record = errorRecordOf(body);
  const { expiredAtSeconds, uses, side, node } = record.details ?? {};
  if (record.code === "mesh.join-token-unknown") return new JoinTokenUnknownError();
  if (record.code === "mesh.join-token-expired") return new JoinTokenExpiredError(Number(expiredAtSeconds));
  if (record.code === "mesh.join-token-used-up") return new JoinTokenUsedUpError(Number(uses));
  if (record.code === "mesh.join-proof-invalid")
    return new JoinProofInvalidError(side === "introducer" ? side : "joiner");
  if (record.code === "mesh.certificate-expired") return new CertificateExpiredError("the peer says so");
  if (record.code === "mesh.node-removed") return new NodeRemovedError(String(node));
  if (record.code === "mesh.not-admitted") return new NotAdmittedError("the peer says this message");
  return new RemoteError(record);
}

function detailsText(details: unknown): string {
  try {
    const text = JSON.stringify(details) ?? "{}";
    return text.length > DETAILS_MAX ? "{}" : text;
  } catch {
    return "{}";
  }
}

function parseDetails(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
