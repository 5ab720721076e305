/** What a status of HTTP says about an attempt, and when the next one may be made. */

import type { InferenceError } from "@glia-os/abi/errors/inference";
import type { HttpResponse } from "@glia-os/abi/ports";
import {
  AuthError,
  OutOfFundsError,
  OverloadedError,
  type Refusal,
  RefusedError,
  ThrottledError,
} from "./errors.ts";

/** Statuses after which the same request may succeed. 529 is what some providers say when they are overloaded. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504, 529]);
const SAID_MOST = 500;
const SECOND_MS = 1000;

/** A refused attempt. */
export interface RefusedAttempt {
  readonly error: InferenceError;
  readonly again: boolean;
  /** How long the provider asks to wait, if it does. */
  readonly retryAfterMs: number | undefined;
}

/** Read a refusal. `wallMs`: the time now; `hide` removes secrets from the provider's words. */
export function refusedAttempt(
  response: HttpResponse,
  attempts: number,
  wallMs: number,
  hide: (text: string) => string,
): RefusedAttempt {
  const { status } = response;
  const { said, code } = wordsOf(response.body);
  const refusal: Refusal = { status, said: hide(said).slice(0, SAID_MOST), attempts };
  const retryAfterMs = retryAfter(response.headers["retry-after"], wallMs);
  if (status === 402 || code === "insufficient_quota")
    return { error: new OutOfFundsError(refusal), again: false, retryAfterMs };
  return { error: errorOf(refusal, retryAfterMs), again: TRANSIENT.has(status), retryAfterMs };
}

function errorOf(refusal: Refusal, retryAfterMs: number | undefined): InferenceError {
  const { status } = refusal;
  if (status === 401 || status === 403) return new AuthError(refusal);
  if (status === 429) return new ThrottledError(refusal, retryAfterMs);
  return TRANSIENT.has(status) ? new OverloadedError(refusal) : new RefusedError(refusal);
}

/** Seconds or a date (RFC 9110, section 10.2.3), in milliseconds from now. */
function retryAfter(value: string | undefined, wallMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * SECOND_MS;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - wallMs);
}

function wordsOf(body: Uint8Array): { readonly said: string; readonly code: string } {
  const text = new TextDecoder().decode(body.subarray(0, 65_536));
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown; code?: unknown } | string };
    if (typeof error === "string") return { said: error, code: "" };
    return { said: String(error?.message ?? text), code: String(error?.code ?? "") };
  } catch {
    return { said: text, code: "" };
  }
}
