/** A call of a durable domain as its service gets it. */
import type { ServiceCall } from "@glia-os/kernel/services";
import type { AskedCall, DomainRun } from "./domain-run.ts";
import { senderOf } from "./mailbox-delivery.ts";

/** What services learn of a call. */
export interface DurableCall extends ServiceCall {
  /** The calling domain as a sender of mail (docs/spec/mail.md). */
  readonly sender: string;
  /** The number of the record that holds the intent of the call; 0 for a call without one. */
  readonly intentAt: number;
  /** Numbers of the intents of earlier calls of the same service that still wait, as far as their requests are wanted. O(waiting calls). */
  ahead(wanted: (request: unknown) => boolean): readonly number[];
  /** Resolves when the outcome of the call is durable. Rejects when the domain is lost before. */
  recorded(): Promise<void>;
}

/** The key of a call: the same in every replay, and different from that of every other call of every domain. */
export function keyOf(domain: string, call: AskedCall): string {
  return `${domain}:${call.call.key}`;
}

/** A call of a run as its service gets it. */
export function durableCall({ domain, mailbox, calls }: DomainRun, call: AskedCall): DurableCall {
  const ahead = (wanted: (request: unknown) => boolean): readonly number[] =>
    [...calls.values()].flatMap(({ service, intentAt, request }) =>
      service === call.service && intentAt > 0 && intentAt < call.intentAt && wanted(request)
        ? [intentAt]
        : [],
    );
  const recorded = (): Promise<void> => {
    call.told ??= Promise.withResolvers<void>();
    return call.told.promise;
  };
  const sender = senderOf(mailbox.origin, domain);
  return { ...call.call, key: keyOf(domain, call), sender, intentAt: call.intentAt, ahead, recorded };
}
