/** What guests of a scheduler get from outside. */
import { randomFillSync } from "node:crypto";
import type { SchedulerEvents } from "./events.ts";
import type { GuestServices } from "./guest.ts";

/** Monotonic milliseconds of this process. */
export function monotonicMs(): number {
  return performance.now();
}

function nothing(): void {}

/** The services the options ask for. */
export function servicesFor(options: {
  readonly events?: SchedulerEvents;
  readonly wallMs?: () => number;
  readonly random?: (target: Uint8Array) => void;
}): GuestServices {
  const events = options.events ?? {};
  return {
    wallMs: options.wallMs ?? Date.now,
    random: options.random ?? ((target) => void randomFillSync(target)),
    log: events.logged?.bind(events) ?? nothing,
    output: events.output?.bind(events) ?? nothing,
    reply: events.replied?.bind(events) ?? nothing,
    unanswered: events.unanswered?.bind(events) ?? nothing,
  };
}
