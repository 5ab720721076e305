import type { Logger } from "@glia-os/abi/ports";
import type { Exit, Routine, Sys, TaskCancelledError, TaskId } from "@glia-os/kernel";
import {
  type AsyncSys,
  asyncProgram,
  openAsyncScope,
  openScope,
  type Scope,
  scoped,
} from "@glia-os/kernel/face";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";
import { asyncResultOf, runAsync } from "./run-async.ts";

function* sleeper(sys: Sys): Routine<string> {
  yield* sys.sleep(1000);
  return "slept";
}

function* failing(sys: Sys): Routine<never> {
  yield* sys.sleep(2);
  throw new RangeError("boom");
}

test("SC1: children that live at the end of the block are killed and have ended when it is left", () => {
  const { exit, clock } = run(function* (sys) {
    let child: TaskId | undefined;
    const result = yield* scoped(sys, function* (scope) {
      child = scope.spawn(sleeper);
      yield* sys.sleep(3);
      return scope.live;
    });
    return [result, yield* sys.wait(child!)];
  });
  expect(exit).toEqual({ kind: "ok", value: [1, { kind: "killed", reason: "its scope was closed" }] });
  expect(clock.monotonicMs()).toBe(3);
});

test("join lets children end by themselves", () => {
  const { clock, exit } = run(function* (sys) {
    return yield* scoped(sys, function* (scope) {
      const first = scope.spawn(sleeper);
      for (let i = 0; i < 200; i++) scope.spawn(sleeper);
      yield* scope.join();
      return [scope.live, yield* sys.wait(first)];
    });
  });
  expect(exit).toEqual({ kind: "ok", value: [0, { kind: "ok", value: "slept" }] });
  expect(clock.monotonicMs()).toBe(1000);
});

test("SC3: the first failure ends the other children, and comes as one kernel.scope-failed with its cause", () => {
  const { exit, clock } = run(function* (sys) {
    const tasks: TaskId[] = [];
    try {
      yield* scoped(sys, function* (scope) {
        for (let i = 0; i < 100; i++) tasks.push(scope.spawn(sleeper));
        tasks.push(scope.spawn(failing));
        yield* scope.join();
      });
    } catch (error) {
      const ends: string[] = [];
      for (const task of tasks) ends.push((yield* sys.wait(task)).kind);
      return [error, new Set(ends.slice(0, -1)), ends.at(-1)];
    }
    return "nothing was thrown";
  });
  expect(exit).toMatchObject({
    kind: "ok",
    value: [
      { code: "kernel.scope-failed", count: 1, cause: { message: "boom" } },
      new Set(["killed"]),
      "failed",
    ],
  });
  expect(clock.monotonicMs()).toBe(2);
});

test("SC3: close reports failures that nobody joined, names 64 and counts all; a killed child is no failure", () => {
  const seen = resultOf(function* (sys) {
    const scope = openScope(sys);
    for (let i = 0; i < 70; i++) scope.spawn(failing);
    sys.kill(scope.spawn(sleeper));
    yield* sys.sleep(5);
    try {
      yield* scope.close();
    } catch (error) {
      yield* scope.close();
      const { failures, count } = error as { failures: unknown[]; count: number };
      return [failures.length, count];
    }
    return "nothing was thrown";
  });
  expect(seen).toEqual([64, 70]);
});

test("an error of the block ends the children, has waited for them, and is thrown itself", () => {
  const log: string[] = [];
  const { exit } = run(function* (sys) {
    try {
      yield* scoped(sys, function* (scope) {
        scope.spawn(function* (sys) {
          try {
            yield* sys.sleep(100);
          } finally {
            log.push("child ended");
          }
        });
        yield* sys.sleep(1);
        throw new RangeError("of the block");
      });
    } catch (error) {
      log.push((error as Error).message);
    }
  });
  expect(exit?.kind).toBe("ok");
  expect(log).toEqual(["child ended", "of the block"]);
});

test("using kills the children of a block that is left without close, before any ordinary task runs", () => {
  const log: string[] = [];
  run(function* (sys) {
    const owner = sys.spawn(function* (sys) {
      using scope = openScope(sys);
      scope.spawn(function* (sys) {
        try {
          for (;;) yield* sys.sleep(1);
        } finally {
          log.push("child gone");
        }
      });
      yield* sys.sleep(5);
    });
    yield* sys.wait(owner);
    log.push("told");
  });
  expect(log).toEqual(["child gone", "told"]);
});

test("a killed owner takes the tasks of its scopes with it, scopes of children included", () => {
  const log: string[] = [];
  function nested(depth: number) {
    return function* (sys: Sys): Routine<void> {
      try {
        yield* scoped(sys, function* (scope) {
          if (depth > 0) scope.spawn(nested(depth - 1));
          yield* sys.sleep(1_000_000);
        });
      } finally {
        log.push(`depth ${depth}`);
      }
    };
  }
  const { clock, kernel } = run(function* (sys) {
    const owner = sys.spawn(nested(3));
    yield* sys.sleep(1);
    sys.kill(owner);
    yield* sys.wait(owner);
    yield* sys.yield();
    log.push("ordinary");
  });
  expect(log).toEqual(["depth 3", "depth 2", "depth 1", "depth 0", "ordinary"]);
  expect([clock.monotonicMs(), kernel.liveTasks]).toEqual([1, 0]);
});

test("SC4: a cancelled owner's children are cancelled with its reason, may clean up, and the owner waits for them", () => {
  const log: unknown[] = [];
  const { exit, clock } = run(function* (sys) {
    const owner = sys.spawn(function* (sys) {
      yield* scoped(sys, function* (scope) {
        scope.spawn(function* (sys) {
          try {
            yield* sys.sleep(1000);
          } catch (error) {
            log.push((error as TaskCancelledError).reason);
            yield* sys.sleep(20);
            log.push("cleaned up");
            throw error;
          }
        });
        yield* sys.sleep(1_000_000);
      });
    });
    yield* sys.sleep(1);
    sys.cancel(owner, "enough");
    const end = yield* sys.wait(owner);
    log.push("owner ended");
    return end;
  });
  expect(exit).toEqual({ kind: "ok", value: { kind: "cancelled", reason: "enough" } });
  expect(log).toEqual(["enough", "cleaned up", "owner ended"]);
  expect(clock.monotonicMs()).toBe(21);
});

test("SC4: children that outstay the grace time are killed; join and close are cancelled alike", () => {
  for (const wait of ["join", "close"] as const) {
    const { exit, clock } = run(function* (sys) {
      let child: TaskId | undefined;
      const owner = sys.spawn(function* (sys) {
        yield* scoped(
          sys,
          function* (scope) {
            child = scope.spawn(function* (sys) {
              for (;;) {
                try {
                  yield* sys.sleep(1000);
                } catch {
                  // It does not want to end.
                }
              }
            });
            if (wait === "close") yield* sys.sleep(5000);
            yield* scope[wait]();
          },
          { graceMs: 30 },
        );
      });
      yield* sys.sleep(1);
      sys.cancel(owner, "enough");
      return [(yield* sys.wait(owner)).kind, yield* sys.wait(child!)];
    });
    expect(exit).toEqual({
      kind: "ok",
      value: ["cancelled", { kind: "killed", reason: "its grace time is over" }],
    });
    expect(clock.monotonicMs()).toBe(31);
  }
});

test("a cancelled child tells its waiter, with the reason; to its scope it is no failure", () => {
  const seen = resultOf(function* (sys) {
    return yield* scoped(sys, function* (scope) {
      const child = scope.spawn(sleeper);
      const heard = sys.mailbox<Exit>();
      scope.spawn(
        function* (sys, out) {
          yield* sys.send(out!, yield* sys.wait(child));
        },
        { give: [heard] },
      );
      yield* sys.sleep(1);
      sys.cancel(child, "not needed");
      const told = yield* sys.receive(heard);
      yield* scope.join();
      return told;
    });
  });
  expect(seen).toEqual({ kind: "cancelled", reason: "not needed" });
});

test("a scope that is closed, or another task's, is refused; a bad grace time is, too", () => {
  const codes = resultOf(function* (sys) {
    const scope = openScope(sys);
    const other = sys.spawn(function* () {
      return codeOf(() => scope.spawn(sleeper));
    });
    const end = yield* sys.wait<string>(other);
    yield* scope.close();
    expect(scope.live).toBe(0);
    return [
      end.kind === "ok" && end.value,
      codeOf(() => scope.spawn(sleeper)),
      codeOf(() => openScope(sys, { graceMs: -1 })),
      codeOf(() => openScope(sys, { graceMs: Number.NaN })),
    ];
  });
  expect(codes).toEqual([
    "kernel.not-scope-owner",
    "kernel.scope-closed",
    "kernel.bad-duration",
    "kernel.bad-duration",
  ]);
});

test("a scope holds 65,536 children that live; one more is refused and does not run", () => {
  const seen = resultOf(
    function* (sys) {
      const scope = openScope(sys);
      function* parked(sys: Sys): Routine<void> {
        yield* sys.waitOn("never");
      }
      for (let i = 0; i < 65_536; i++) scope.spawn(parked);
      const code = codeOf(() => scope.spawn(parked));
      yield* sys.yield();
      const { live } = scope;
      yield* scope.close();
      return [code, live];
    },
    { taskLimit: 100_000 },
  );
  expect(seen).toEqual(["kernel.relation-limit", 65_536]);
});

/** A tree of tasks: what each does in its block, when, and which children it has in its scope. */
interface Tree {
  readonly end: "return" | "throw" | "join" | "hang" | "exit" | "cancel-self" | "kill-self";
  readonly ms: number;
  readonly asynchronous: boolean;
  readonly children: readonly Tree[];
}

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    end: fc.constantFrom("return", "throw", "join", "hang", "exit", "cancel-self", "kill-self"),
    ms: fc.integer({ min: 0, max: 6 }),
    asynchronous: fc.boolean(),
    children: fc.oneof({ maxDepth: 4 }, fc.constant([]), {
      arbitrary: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }),
      weight: 3,
    }),
  }),
}));

/** Which task ran last at what step of the whole run, and when tasks ended. */
class Ledger {
  step = 0;
  readonly lastCode = new Map<number, number>();
  readonly ended = new Map<number, number>();
  readonly parents = new Map<number, number>();

  ran(task: number): void {
    this.lastCode.set(task, ++this.step);
  }
}

function* blockOf(tree: Tree, sys: Sys, scope: Scope, ledger: Ledger): Routine<string> {
  for (const child of tree.children) ledger.parents.set(scope.spawn(programOf(child, ledger)), sys.getTid());
  yield* sys.sleep(tree.ms);
  ledger.ran(sys.getTid());
  if (tree.end === "throw") throw new RangeError("random failure");
  if (tree.end === "join") yield* scope.join();
  if (tree.end === "hang") yield* sys.waitOn("never");
  if (tree.end === "exit") yield* sys.exit();
  if (tree.end === "cancel-self") sys.cancel(sys.getTid());
  if (tree.end === "kill-self") sys.kill(sys.getTid());
  yield* sys.sleep(1);
  ledger.ran(sys.getTid());
  return "returned";
}

async function asyncBlock(tree: Tree, sys: AsyncSys, ledger: Ledger): Promise<string> {
  await using scope = openAsyncScope(sys, { graceMs: 3 });
  for (const child of tree.children) ledger.parents.set(scope.spawn(programOf(child, ledger)), sys.getTid());
  await sys.sleep(tree.ms);
  ledger.ran(sys.getTid());
  if (tree.end === "throw") throw new RangeError("random failure");
  if (tree.end === "join") await scope.join();
  if (tree.end === "hang") await sys.waitOn("never");
  if (tree.end === "exit") await sys.exit();
  if (tree.end === "cancel-self") sys.cancel(sys.getTid());
  if (tree.end === "kill-self") sys.kill(sys.getTid());
  await sys.sleep(1);
  ledger.ran(sys.getTid());
  return "returned";
}

function programOf(tree: Tree, ledger: Ledger) {
  if (tree.asynchronous) return asyncProgram((sys) => asyncBlock(tree, sys, ledger));
  return (sys: Sys) => scoped(sys, (scope) => blockOf(tree, sys, scope, ledger), { graceMs: 3 });
}

test("SC1, SC2: in random trees of both faces, ended in random ways and killed or cancelled at a random time, no child outlives its scope (fast-check)", async () => {
  await fc.assert(
    fc.asyncProperty(
      tree,
      fc.constantFrom("kill", "cancel"),
      fc.integer({ min: 0, max: 8 }),
      async (root, how, atMs) => {
        const ledger = new Ledger();
        const { kernel, outcome } = await runAsync(
          function* (sys) {
            const task = sys.spawn(programOf(root, ledger));
            yield* sys.sleep(atMs);
            sys[how](task);
            yield* sys.wait(task);
          },
          {
            observer: {
              transition(task, _, to) {
                if (to === "finished" || to === "failed" || to === "cancelled")
                  ledger.ended.set(task, ++ledger.step);
              },
            },
          },
        );
        expect(outcome).toBe("ended");
        expect(kernel.liveTasks).toBe(0);
        // After the end of a task no code of its descendants runs but `finally` blocks, which the ledger does not count.
        for (const [child, parent] of ledger.parents) {
          const parentEnd = ledger.ended.get(parent);
          expect(parentEnd).toBeDefined();
          expect(ledger.lastCode.get(child) ?? 0).toBeLessThan(parentEnd!);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("an async scope awaits its children at the end of the block and throws their failures", async () => {
  const seen = await asyncResultOf(
    asyncProgram(async (sys) => {
      const log: unknown[] = [];
      let child: TaskId | undefined;
      {
        await using scope = openAsyncScope(sys);
        child = scope.spawn(sleeper);
        await sys.sleep(1);
        log.push(scope.live);
      }
      log.push(await sys.wait(child));
      try {
        await using scope = openAsyncScope(sys);
        scope.spawn(failing);
        await scope.join();
      } catch (error) {
        log.push((error as { code: string }).code);
      }
      return log;
    }),
  );
  expect(seen).toEqual([1, { kind: "killed", reason: "its scope was closed" }, "kernel.scope-failed"]);
});

test("a killed async task kills the children of its scope and does not wait", async () => {
  const { exit } = await runAsync(function* (sys) {
    let child: TaskId | undefined;
    const owner = sys.spawn(
      asyncProgram(async (sys) => {
        await using scope = openAsyncScope(sys);
        child = scope.spawn(sleeper);
        await sys.sleep(1_000_000);
      }),
    );
    yield* sys.sleep(1);
    sys.kill(owner, "gone");
    return [yield* sys.wait(owner), (yield* sys.wait(child!)).kind];
  });
  expect(exit).toEqual({ kind: "ok", value: [{ kind: "killed", reason: "gone" }, "killed"] });
});

test("failures of children that nobody asked for are logged when the block is left without close, or by a kill", async () => {
  const lines: string[] = [];
  const logger: Logger = {
    log: (level, message) => void lines.push(`${level}: ${message}`),
    child: () => logger,
  };
  await runAsync(
    function* (sys) {
      using scope = openScope(sys);
      scope.spawn(failing);
      yield* sys.sleep(5);
    },
    { logger },
  );
  await runAsync(
    function* (sys) {
      const owner = sys.spawn(
        asyncProgram(async (sys) => {
          await using scope = openAsyncScope(sys);
          scope.spawn(failing);
          scope.spawn(sleeper);
          await sys.sleep(1_000_000);
        }),
      );
      yield* sys.sleep(5);
      sys.kill(owner);
    },
    { logger },
  );
  expect(lines).toEqual(Array(2).fill("error: a child of a scope failed"));
});
