/** Supervision scenarios that Erlang/OTP and Glia both can run, and Glia's run of one. */
import {
  type ChildSpec,
  ExitError,
  exitReason,
  type Strategy,
  supervisor,
  taskChild,
} from "@glia-os/kernel/supervision";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";

/** One child: each life lasts so many milliseconds and ends so; after the last it lives on. */
export interface OtpChild {
  readonly id: string;
  readonly restart: "permanent" | "transient" | "temporary";
  readonly significant: boolean;
  readonly lives: readonly { readonly ms: number; readonly end: "crash" | "return" | "shutdown" }[];
}

/** One supervisor, left alone for `runMs` and then asked to end. */
export interface Scenario {
  readonly strategy: Exclude<Strategy, "simple_one_for_one">;
  readonly intensity: number;
  readonly periodMs: number;
  readonly autoShutdown: "never" | "any_significant" | "all_significant";
  readonly children: readonly OtpChild[];
  readonly runMs: number;
}

/** What happened: starts and ends in order, and whether the supervisor ended by itself. */
export interface Course {
  readonly log: readonly string[];
  readonly gaveUp: boolean;
}

/** Glia's course of a scenario, with the times of the events. */
export function runScenario(scenario: Scenario): Course & { readonly times: readonly number[] } {
  const { kernel, clock } = createTestKernel();
  const log: string[] = [];
  const times: number[] = [];
  const event = (what: string): void => {
    log.push(what);
    times.push(clock.monotonicMs());
  };
  const root = kernel.spawn(
    supervisor({
      strategy: scenario.strategy,
      intensity: scenario.intensity,
      periodMs: scenario.periodMs,
      autoShutdown: scenario.autoShutdown,
      sameFailureLimit: Number.POSITIVE_INFINITY,
      children: scenario.children.map((child) => specOf(child, event)),
    }),
  );
  let gaveUp = false;
  kernel.onExit(root, (exit) => {
    gaveUp = exit.kind !== "cancelled" && exitReason(exit) === "shutdown";
  });
  kernel.spawn(function* (sys) {
    yield* sys.sleep(scenario.runMs);
    kernel.cancel(root, "shutdown");
  });
  runToCompletion(kernel, clock);
  return { log, gaveUp, times };
}

function specOf(child: OtpChild, event: (what: string) => void): ChildSpec {
  let turn = 0;
  const spec = taskChild(child.id, function* (sys) {
    const life = child.lives[turn++];
    try {
      yield* sys.sleep(life?.ms ?? 1_000_000);
      if (life?.end === "crash") throw new RangeError("boom");
      if (life?.end === "shutdown") throw new ExitError("shutdown");
    } finally {
      event(`-${child.id}`);
    }
  });
  return {
    ...spec,
    *start(sys) {
      event(`+${child.id}`);
      return yield* spec.start(sys);
    },
    restart: child.restart,
    significant: child.significant,
  };
}
