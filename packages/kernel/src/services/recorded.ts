/**
 * Calls whose outcomes are known before they begin: those of a replay.
 *
 * RO1. A task goes on at once only where nothing else would run between its call and the outcome: no other task is ready, no timer is due,
 *      nobody watches or measures turns. Everything else about it is as after a wait: a fresh turn, the number of the call, the account.
 * RO2. Where that does not hold, or the outcome is not known, nothing has changed and the call begins as usual.
 */
import { costOf, mostFor } from "../budget/metered-start.ts";
import type { Scheduler } from "../scheduler.ts";
import { METERED, type Task } from "../task.ts";
import type { RecordedOutcomes } from "./recorded-outcomes.ts";
import type { KernelService } from "./service.ts";

/** Let a call come to its recorded outcome, which is `recorded.value` then (RO1). Returns false, and changes nothing, when it has to begin. */
export function recalled(
  s: Scheduler,
  task: Task,
  service: KernelService,
  request: unknown,
  recorded: RecordedOutcomes,
): boolean {
  if (!s.ready.empty || s.observer !== null || s.times !== null || (task.flags & METERED) !== 0) return false;
  const extra = task.more();
  const account = extra.account ?? s.setup.account;
  const most = mostFor(service.meter, request);
  if (most === undefined || !account.affords(most)) return false;
  const { clock } = s.setup;
  const sinceMs = clock.monotonicMs();
  extra.path ??= task.path();
  if (!recorded.take(extra.path, request)) return false;
  extra.serviceCalls++;
  const nowMs = clock.monotonicMs();
  s.nowMs = nowMs;
  account.spend(most, costOf(service.meter, request, recorded.value, most, nowMs - sinceMs));
  s.newTurn();
  return true;
}
