/** Small programs over channels, endpoints and leases, to be called with `yield*`. */
import type { Call } from "../call.ts";
import type { Envelope } from "../endpoint/envelope.ts";
import type { Handle } from "../handle.ts";
import type { Lease } from "../lease/lease.ts";
import type { Routine } from "../operation.ts";
import type { Sys } from "../sys.ts";
import { leaseOf } from "./selecting.ts";

/** Wait for the next message of a mailbox with leases and have it for `durationMs`: 1 to 9e12, default 30,000. */
export function* receiveLease<Message = unknown>(
  sys: Sys,
  source: Handle<Message>,
  durationMs?: number,
): Routine<Lease<Message>> {
  const [, lease] = yield* sys.select([leaseOf(source, durationMs)]);
  return lease as Lease<Message>;
}

/** Answer a call and wait for the next message of an endpoint: what a server does all its life. */
export function* replyReceive<Message = unknown>(
  sys: Sys,
  source: Handle,
  call: Call,
  answer: unknown,
): Routine<Envelope<Message>> {
  sys.reply(call, answer);
  return (yield* sys.receive(source)) as Envelope<Message>;
}
