/**
 * A line between two mailboxes on which messages can be lost, doubled or late: a program like any other, so it needs no hook.
 *
 * PI1. Without faults every message arrives once, in order.
 * PI2. A late message is overtaken by those behind it: it travels in a task of its own.
 */
import type { Handle, Program, Sys } from "@glia-os/kernel";
import type { FaultPlan } from "./fault.ts";

/** The program of a pipe: give it the mailbox to read and the one to write, in this order. It never ends by itself. */
export function pipeProgram(name: string, plan: FaultPlan): Program<never> {
  return function* (sys: Sys, from: Handle, to: Handle) {
    for (let number = 0; ; number++) {
      const message: unknown = yield* sys.receive(from);
      const fault = plan.message(name, number);
      if (fault?.kind === "delay") {
        const { byMs } = fault;
        sys.spawn(
          function* (late: Sys, target: Handle) {
            yield* late.sleep(byMs);
            yield* late.send(target, message);
          },
          { give: [to], name: `${name} ${number}` },
        );
      } else if (fault?.kind !== "drop") yield* sys.send(to, message);
      if (fault?.kind === "duplicate") yield* sys.send(to, message);
    }
  };
}
