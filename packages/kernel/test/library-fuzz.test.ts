import { Budget, type Handle, type Routine, ShareGroup, type Sys } from "@glia-os/kernel";
import { asyncProgram, openScope, reactor, scoped } from "@glia-os/kernel/face";
import { FairQueue } from "@glia-os/kernel/fair-share";
import { estimateGraph, runGraph, TaskGraph } from "@glia-os/kernel/graph";
import { receiveLease, replyReceive } from "@glia-os/kernel/ipc";
import { Scheduler } from "@glia-os/kernel/jobs";
import { arrive, claim, give, iso, move, val } from "@glia-os/kernel/reference";
import { retry, withDeadline } from "@glia-os/kernel/retry";
import {
  call,
  cast,
  deleteChild,
  startChild,
  startServer,
  startSupervisor,
  terminateChild,
} from "@glia-os/kernel/supervision";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hostile, isExpected } from "./hostile.ts";

type Rubbish = readonly [never, never, never];

/** What the libraries over the syscalls take from programs: each gets rubbish for its arguments, one good one at most before it. */
const PLAIN: Readonly<Record<string, (sys: Sys, args: Rubbish) => unknown>> = {
  asyncProgram: (_, [a]) => asyncProgram(a),
  reactor: (sys, [a]) => sys.spawn(reactor(a)),
  openScope: (sys, [a]) => openScope(sys, a),
  "openScope.spawn": (sys, [a, b]) => openScope(sys).spawn(a, b),
  TaskGraph: (_, [a]) => new TaskGraph(a),
  "TaskGraph of": (_, [a, b]) => new TaskGraph([a, b]),
  estimateGraph: (_, [a]) => estimateGraph(new TaskGraph([]), a),
  Budget: (_, [a]) => new Budget(a),
  ShareGroup: (_, [a]) => new ShareGroup(a),
  flow: (_, [a]) => new FairQueue().flow(a),
  builder: (_, [a]) => Scheduler.builder(a),
  registerQueue: (_, [a, b]) => Scheduler.builder().registerQueue(a, b),
  iso: (_, [a]) => iso(a),
  move: (_, [a]) => move(a),
  claim: (_, [a]) => claim(a),
  val: (_, [a]) => val(a),
  give: (sys, [a, b]) => give(sys, a, b),
  arrive: (_, [a]) => arrive(a),
};

const WAITING: Readonly<Record<string, (sys: Sys, args: Rubbish, box: Handle) => Routine<unknown>>> = {
  scoped: (sys, [a, b]) => scoped(sys, a, b),
  retry: (sys, [a, b]) => retry(sys, a, b),
  withDeadline: (sys, [a, b, c]) => withDeadline(sys, a, b, c),
  "withDeadline of": (sys, [a, b]) => withDeadline(sys, 5, a, b),
  runGraph: (sys, [a, b]) => runGraph(sys, a, b),
  "runGraph of": (sys, [a]) => runGraph(sys, new TaskGraph([]), a),
  receiveLease: (sys, [a, b]) => receiveLease(sys, a, b),
  replyReceive: (sys, [a, b, c]) => replyReceive(sys, a, b, c),
  startServer: (sys, [a, b]) => startServer(sys, a, b),
  startSupervisor: (sys, [a, b]) => startSupervisor(sys, a, b),
  startChild: (sys, [a, b]) => startChild(sys, a, b),
  terminateChild: (sys, [a, b]) => terminateChild(sys, a, b),
  deleteChild: (sys, [a, b]) => deleteChild(sys, a, b),
  cast: (sys, [a, b]) => cast(sys, a, b),
  *call(sys, [a, b, c]) {
    return yield* call(sys, a, b, c);
  },
};

const rubbish = fc.tuple(hostile, hostile, hostile) as unknown as fc.Arbitrary<Rubbish>;

test("type safety: the libraries over the syscalls refuse rubbish with typed errors too", () => {
  const wrong = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(PLAIN), ...Object.keys(WAITING)), rubbish, (name, args) => {
      const { kernel, clock } = createTestKernel();
      const task = kernel.spawn(function* (sys) {
        const box = sys.mailbox();
        if (name in PLAIN) PLAIN[name]!(sys, args);
        else yield* WAITING[name]!(sys, args, box);
      });
      for (const _ of [1, 2]) {
        runToCompletion(kernel, clock);
        if (kernel.exitOf(task) === undefined) kernel.kill(task);
      }
      const exit = kernel.exitOf(task);
      if (exit?.kind === "failed" && !isExpected(exit.error)) {
        const { stack = "" } = exit.error as Error;
        wrong.add(`${name}: ${stack.split("\n").slice(0, 2).join(" ")}`);
      }
    }),
    { numRuns: 6000 },
  );
  expect([...wrong]).toEqual([]);
});

test("type safety: a job scheduler refuses rubbish with typed errors and takes nothing", () => {
  fc.assert(
    fc.property(hostile, hostile, fc.boolean(), (queue, work, known) => {
      const { kernel } = createTestKernel();
      const scheduler = Scheduler.builder().registerQueue("main").build(kernel);
      try {
        scheduler.submit(known ? "main" : (queue as never), work as never);
      } catch (error) {
        if (!isExpected(error)) throw error;
        expect([scheduler.live, scheduler.dump()[0]!.submitted]).toEqual([0, 0]);
      }
    }),
    { numRuns: 1000 },
  );
});
