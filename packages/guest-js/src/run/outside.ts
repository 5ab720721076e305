/**
 * What an agent asks of the outside, for the program that runs it: the host's side of `fetch` (module `glia.sys.v1`, docs/spec/host-abi.md).
 *
 * OU1. A request is told once for each run the agent waits in it, and answered once: an answer to anything else is dropped.
 * OU2. An agent whose program offers no `fetch` holds no capability, and one that holds it can only go on where it is offered.
 */
import type { CallResult, EngineInstance, GuestCapabilities, PendingCall } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { GUEST_ERRORS, SYS_MODULE } from "@glia-os/abi/wire";

/** A request of an agent. */
export interface AgentRequest {
  /** What `AgentRun.respond` is to be called with. */
  readonly id: number;
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What came of it: a response, or why there is none. */
export type AgentResponse =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }
  | { readonly code: string; readonly message: string };

const FETCH = `${SYS_MODULE}/fetch`;
const NAME = "http";
const LENGTH_BYTES = 4;

/** Whether a pending call waits for the outside. */
export function asksOutside(call: PendingCall | undefined): boolean {
  return call?.op === FETCH;
}

/** The request behind a pending call, or the refusal of one that is none. */
export function requestOf(
  { requestId, args }: PendingCall,
  instance: Pick<EngineInstance, "read">,
): AgentRequest | CallResult {
  const [, head = 0, headLength = 0, body = 0, bodyLength = 0] = args;
  const [text, content] = [instance.read(head, headLength), instance.read(body, bodyLength)];
  if (text === undefined || content === undefined) return { value: GUEST_ERRORS.E_FAULT };
  const asked = parsed(text);
  if (asked === undefined) return { value: GUEST_ERRORS.E_RANGE };
  return { id: requestId, ...asked, body: content };
}

/** The answer to the pending call. Longer than `most` bytes, it is `E_TOO_BIG`. */
export function resultOf(response: AgentResponse, most: number): CallResult {
  const failed = "code" in response;
  const { body = new Uint8Array(), ...head } = failed ? { ...response, body: undefined } : response;
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(failed ? 0 : LENGTH_BYTES);
  if (!failed) length.writeUInt32LE(text.length);
  const payload = new Uint8Array(Buffer.concat([length, text, body]));
  if (payload.length > most) return { value: GUEST_ERRORS.E_TOO_BIG };
  return { value: failed ? GUEST_ERRORS.E_FAILED : payload.length, payload };
}

function parsed(bytes: Uint8Array): Omit<AgentRequest, "id" | "body"> | undefined {
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const { url, method = "GET", headers = {} } = (head ?? {}) as Partial<Record<string, unknown>>;
  if (typeof url !== "string" || typeof method !== "string" || !isTextRecord(headers)) return undefined;
  return { url, method, headers };
}

function isTextRecord(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) => typeof one === "string")
  );
}

/** What an agent holds whose program offers `fetch` (OU2). */
export const FETCH_CAPABILITIES: GuestCapabilities = {
  initial: [{ kind: "rebind-by-name", name: NAME, target: NAME, rights: RIGHTS.exec }],
  bind: (_handle, { target, rights }) => (target === NAME ? rights & RIGHTS.exec : undefined),
  drop: () => undefined,
  revoke: () => undefined,
  accept: () => undefined,
};
