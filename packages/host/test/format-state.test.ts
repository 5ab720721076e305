import { formatState } from "@glia-os/host";
import type { Handle } from "@glia-os/kernel";
import { Scheduler } from "@glia-os/kernel/jobs";
import { createTestKernel } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";

test("FS1: a line per task with state, syscall, what it waits for, when it is due and what it holds; then a line per queue", () => {
  const { kernel, clock } = createTestKernel();
  Scheduler.builder().registerQueue("mail", { capacity: 5 }).build(kernel);
  const box = kernel.mailbox();
  kernel.trySend(box, "kept");
  kernel.spawn(
    function* (sys, inbox: Handle) {
      const worker = sys.spawn(
        function* (sys) {
          yield* sys.sleep(250);
        },
        { name: "worker", priority: "low" },
      );
      yield* sys.wait(worker);
      yield* sys.receive(inbox);
    },
    { name: "main", give: [box] },
  );
  kernel.runSlice();
  clock.advance(100);
  const lines = formatState(kernel.dumpState());
  const cells = lines.map((line) => line.split(/ {2,}/));
  expect(cells[0]).toEqual(["tasks", "2 live: 1 sleeping, 1 waiting"]);
  expect(cells).toContainEqual([
    "TASK",
    "NAME",
    "PATH",
    "STATE",
    "PRIORITY",
    "SYSCALL",
    "WAITS FOR",
    "DUE",
    "HOLDS",
  ]);
  const [worker, main] = kernel
    .dumpState()
    .tasks.map(({ id }) => String(id))
    .reverse();
  expect(cells.slice(5, 7)).toEqual([
    [worker, "worker", "/0/0", "sleeping", "low", "sleep", "-", "in 150 ms", "-"],
    [
      main,
      "main",
      "/0",
      "waiting",
      "normal",
      "wait",
      `the end of task ${worker} (worker)`,
      "-",
      "1 handle, 1 messages",
    ],
  ]);
  expect(cells.at(-1)).toEqual(["mail", "normal", "0/5", "0/16", "0", "0", "0", "0 %"]);
});

test("FS2: no more tasks are listed than asked for, the others are counted", () => {
  const { kernel } = createTestKernel();
  for (let i = 0; i < 20; i++)
    kernel.spawn(function* (sys) {
      yield* sys.waitOn("never");
    });
  kernel.runSlice(15);
  const lines = formatState(kernel.dumpState(), { tasks: 3 });
  expect(lines.filter((line) => / ready /.test(line))).toHaveLength(3);
  expect(lines.at(-1)).toBe("... and 17 more tasks");
  expect(formatState(kernel.dumpState(), { tasks: 0 }).at(-1)).toBe("... and 20 more tasks");
});

test("FS3: a name cannot move the cursor, start a line or widen its column without bound", () => {
  const { kernel } = createTestKernel();
  kernel.spawn(function* () {}, { name: `evil\u001b[2J\nname${"x".repeat(80)}` });
  const lines = formatState(kernel.dumpState());
  expect(lines.join("\n")).not.toContain("\u001b");
  expect(lines.at(-1)).toMatch(/evil\?\[2J\?namexxx.*\.\.\. {2}\/0 +ready/);
  expect(lines.at(-1)!.length).toBeLessThan(150);
});

test("a kernel without tasks prints its counters only", () => {
  const { kernel } = createTestKernel();
  expect(formatState(kernel.dumpState())).toEqual([
    "tasks     0 live",
    "ended     0 finished, 0 failed, 0 cancelled, 0 killed, of 0 spawned",
    "counters  0 switches, 0 times throttled, 0 syscalls refused, 0 timers, 0 keys",
  ]);
});
