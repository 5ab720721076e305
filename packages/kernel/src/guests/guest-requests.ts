/**
 * Bytes of guests as requests of syscalls, and results of syscalls as bytes of guests (docs/spec/host-abi.md).
 *
 * GR1. A request that is not UTF-8 or JSON where it must be is no request: the call is refused and nothing was asked of anybody.
 * GR2. A result is bytes of at most as many as the guest takes; everything else becomes a failure that says so.
 */
import type { CallResult, HttpResponse } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { BadOptionError } from "../errors.ts";
import type { FetchRequest } from "../services/requests.ts";
import { GuestMessageError, GuestResultTooLongError } from "./errors.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** Longest message of a failure that a guest is told, in UTF-16 units. */
const FAILURE_UNITS = 1000;

/** Text of a guest. @throws {BadOptionError} */
export function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new BadOptionError("a guest's text", "bytes", "UTF-8");
  return text;
}

/** JSON of a guest. @throws {BadOptionError} */
export function jsonOf(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new BadOptionError("a guest's request", text.slice(0, 40), "JSON");
  }
}

/** The request of `fetch`. @throws {BadOptionError} */
export function fetchOf(head: Uint8Array, body: Uint8Array): FetchRequest {
  const asked = jsonOf(head);
  if (typeof asked !== "object" || asked === null)
    throw new BadOptionError("the head of a request", String(asked), "a JSON object");
  const { url, method, headers } = asked as Record<string, unknown>;
  return {
    url: url as string,
    ...(method === undefined ? {} : { method: method as string }),
    ...(headers === undefined ? {} : { headers: headers as Record<string, string> }),
    ...(body.length === 0 ? {} : { body }),
  };
}

/** The result of `fetch`: `u32` length of the head, the head, the body. */
export function responseBytes({ status, headers, body }: HttpResponse): Uint8Array {
  const head = encodeUtf8(JSON.stringify({ status, headers }));
  const bytes = new Uint8Array(4 + head.length + body.length);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  bytes.set(body, 4 + head.length);
  return bytes;
}

/** A value as JSON. What JSON has no form for is null. */
export function jsonBytes(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value) ?? "null");
}

/** A message as bytes. @throws {GuestMessageError} for what is neither bytes nor text */
export function messageBytes(message: unknown): Uint8Array {
  if (message instanceof Uint8Array) return message;
  if (typeof message === "string") return encodeUtf8(message);
  throw new GuestMessageError(`it is ${typeof message}, neither bytes nor text`);
}

/** An answer with a result (GR2). @throws {GuestResultTooLongError} */
export function answer(payload: Uint8Array, most: number): CallResult {
  if (payload.length > most) throw new GuestResultTooLongError(payload.length, most);
  return { value: payload.length, payload };
}

const REFUSALS: Readonly<Record<string, number>> = {
  "kernel.dead-handle": GUEST_ERRORS.E_GONE,
  "kernel.missing-right": GUEST_ERRORS.E_DENIED,
  "kernel.wrong-object": GUEST_ERRORS.E_DENIED,
  "kernel.bad-option": GUEST_ERRORS.E_RANGE,
  "kernel.bad-duration": GUEST_ERRORS.E_RANGE,
  "kernel.mailbox-full": GUEST_ERRORS.E_LIMIT,
  "kernel.mailbox-closed": GUEST_ERRORS.E_GONE,
  "kernel.channel-closed": GUEST_ERRORS.E_GONE,
  "kernel.unknown-name": GUEST_ERRORS.E_GONE,
  "kernel.capability-space-full": GUEST_ERRORS.E_LIMIT,
  "kernel.call-timeout": GUEST_ERRORS.E_TIMEOUT,
};

/** A refusal or failure as the guest learns of it. */
export function refusal(error: unknown, most: number): CallResult {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const named = typeof code === "string" ? code : "failed";
  if (Object.hasOwn(REFUSALS, named)) return { value: REFUSALS[named]! };
  const said = typeof message === "string" ? message : String(error);
  const payload = jsonBytes({ code: named, message: said.slice(0, FAILURE_UNITS) });
  return payload.length > most ? { value: GUEST_ERRORS.E_FAILED } : { value: GUEST_ERRORS.E_FAILED, payload };
}
