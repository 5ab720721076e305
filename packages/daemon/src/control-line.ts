/**
 * Lines of the control socket: one JSON object per line, bytes as `{"$bytes": base64}`.
 *
 * CL1. A line over {@link LINE_LIMIT_BYTES} ends the connection before it is parsed.
 * CL2. A line that is not a request or an answer of this format is refused with `daemon.control-malformed`.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import { ControlMalformedError } from "./errors.ts";

/** Longest line: a 15 MiB module in base64 with its envelope. */
export const LINE_LIMIT_BYTES: number = 21 * 1024 * 1024;

/** Ask for a call. */
export interface ControlRequest {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Answer a call, report progress on it, or tell that the node failed (`id` 0). */
export type ControlReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ErrorRecord }
  | { readonly id: number; readonly progress: unknown };

/** Looks at the value before `toJSON`: a `Buffer` would turn itself into a list of numbers. */
function packBytes(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const raw = this[key];
  if (!(raw instanceof Uint8Array)) return value;
  return { $bytes: Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("base64") };
}

function unpackBytes(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$bytes" in value)) return value;
  if (typeof value.$bytes !== "string") throw new ControlMalformedError("$bytes is not text");
  return new Uint8Array(Buffer.from(value.$bytes, "base64"));
}

/** The line for a request or reply, newline included. */
export function encodeLine(message: ControlRequest | ControlReply): string {
  return `${JSON.stringify(message, packBytes)}\n`;
}

function parse(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line, unpackBytes);
  } catch (cause) {
    if (cause instanceof ControlMalformedError) throw cause;
    throw new ControlMalformedError("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ControlMalformedError("it is not an object");
  return value as Record<string, unknown>;
}

function idOf(message: Record<string, unknown>): number {
  const { id } = message;
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0)
    throw new ControlMalformedError("id is not a whole number");
  return id;
}

/** The request in a line (CL2). */
export function decodeRequest(line: string): ControlRequest {
  const message = parse(line);
  const { method, args } = message;
  if (typeof method !== "string") throw new ControlMalformedError("method is not text");
  if (!Array.isArray(args) || args.length > 8)
    throw new ControlMalformedError("args is not a list of at most 8");
  return { id: idOf(message), method, args: args as readonly unknown[] };
}

function isErrorRecord(value: unknown): value is ErrorRecord {
  if (typeof value !== "object" || value === null) return false;
  const { code, message, changed, fix } = value as Record<string, unknown>;
  return [code, message, changed, fix].every((text) => typeof text === "string");
}

/** The reply in a line (CL2). */
export function decodeReply(line: string): ControlReply {
  const message = parse(line);
  const id = idOf(message);
  if ("error" in message) {
    if (!isErrorRecord(message["error"])) throw new ControlMalformedError("error is not an error record");
    return { id, error: message["error"] };
  }
  if ("progress" in message) return { id, progress: message["progress"] };
  return { id, result: message["result"] };
}
