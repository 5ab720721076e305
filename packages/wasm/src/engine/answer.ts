/**
 * Takes the answer to the call a guest waits for: checked, and its payload where the guest wants it.
 *
 * AN1. What is refused here is the caller's mistake, and nothing has changed.
 */
import { type CallResult, type PendingCall, PREEMPTED_OP } from "@glia-os/abi/ports";
import { BadResultError, PayloadTooBigError } from "../errors.ts";
import type { OpenedModules } from "../host-module/opened.ts";
import { writable } from "./guest-range.ts";
import type { CallSite, Resumption } from "./host-calls.ts";

/** A call, and the import it was made through: its op, or `module/name` of a host module. */
interface Waiting {
  readonly call: PendingCall;
  readonly at: string;
}

/**
 * The answer as the import will give it, undefined for a guest that was pre-empted and waits for none.
 * @throws BadResultError, PayloadTooBigError
 */
export function takeAnswer(
  site: CallSite,
  modules: OpenedModules,
  { call, at }: Waiting,
  result: CallResult | undefined,
): Resumption | undefined {
  if (call.op === PREEMPTED_OP) {
    if (result !== undefined) throw new BadResultError("the guest was pre-empted: it waits for no result");
    return undefined;
  }
  if (result === undefined)
    throw new BadResultError(`the guest waits for ${call.op}; the step needs its result`);
  const { value, payload } = result;
  if (!Number.isInteger(value) || value < -0x8000_0000 || value > 0x7fff_ffff)
    throw new BadResultError(`the result ${value} of ${call.op} is not a 32-bit integer`);
  if (payload === undefined) return { value, args: call.args };
  if (!at.includes("/")) return delivered(site, call, payload);
  // The host module that made the guest wait puts the payload where it belongs.
  const [module = "", name = ""] = at.split("/");
  requireShort(site, payload);
  if (modules.of(module)?.resumes?.[name] === undefined)
    throw new BadResultError(`the call ${at} takes no payload`);
  return { value, args: call.args, payload };
}

function delivered(site: CallSite, { op, args }: PendingCall, payload: Uint8Array): Resumption {
  if (op !== "receive" && op !== "receive_within")
    throw new BadResultError(`the call ${op} takes no payload`);
  const [pointer = 0, capacity = 0] = args;
  requireShort(site, payload);
  if (payload.length > capacity) throw new PayloadTooBigError(payload.length, capacity, "buffer");
  const target = writable(site, pointer, payload.length);
  if (target === undefined) throw new BadResultError("the guest's buffer lies outside its memory");
  target.set(payload);
  return { value: payload.length, args };
}

function requireShort({ messageBytes }: CallSite, payload: Uint8Array): void {
  if (payload.length > messageBytes) throw new PayloadTooBigError(payload.length, messageBytes, "limit");
}
