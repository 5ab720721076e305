import { type Exit, type Handle, type Sys, TaskKilledError } from "@glia-os/kernel";
import {
  ExitError,
  exitReason,
  isDown,
  isExitNotice,
  isShutdown,
  NOTICE_LIMIT,
} from "@glia-os/kernel/supervision";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

function* forever(sys: Sys) {
  yield* sys.sleep(1_000_000);
}

function* crash(sys: Sys) {
  yield* sys.sleep(10);
  throw new RangeError("boom");
}

test("every kind of end has a reason, and only a return is normal", () => {
  const error = new RangeError("x");
  expect(exitReason({ kind: "ok", value: 1 })).toBe("normal");
  expect(exitReason({ kind: "failed", error })).toBe(error);
  expect(exitReason({ kind: "failed", error: new ExitError("shutdown") })).toBe("shutdown");
  expect(exitReason({ kind: "cancelled", reason: undefined })).toBe("cancelled");
  expect(exitReason({ kind: "cancelled", reason: "shutdown" })).toBe("shutdown");
  expect(exitReason({ kind: "killed", reason: undefined })).toBe("killed");
  expect(exitReason({ kind: "killed", reason: "normal" })).toBe("killed");
  expect([
    isShutdown("shutdown"),
    isShutdown({ shutdown: 1 }),
    isShutdown("normal"),
    isShutdown(null),
  ]).toEqual([true, true, false, false]);
});

test("LK1: the crash of a linked child kills its parent with the same reason, and on along the chain", () => {
  const { kernel, clock } = createTestKernel();
  const top = kernel.spawn(function* (sys) {
    const middle = sys.spawn(function* (sys) {
      sys.link(sys.spawn(crash));
      yield* forever(sys);
    });
    sys.link(middle);
    yield* forever(sys);
  });
  expect(runToCompletion(kernel, clock)).toBe("ended");
  const exit = kernel.exitOf(top) as Exit;
  expect(exit).toMatchObject({ kind: "killed", reason: { message: "boom" } });
  expect(clock.monotonicMs()).toBe(10);
});

test("LK1: the end of a parent ends its linked children; LK2: unless it is a normal one", () => {
  for (const [crashes, children] of [
    [true, 0],
    [false, 3],
  ] as const) {
    const { kernel, clock } = createTestKernel();
    kernel.spawn(function* (sys) {
      for (let i = 0; i < 3; i++) sys.link(sys.spawn(forever));
      yield* sys.sleep(5);
      if (crashes) throw new RangeError("boom");
    });
    while (clock.monotonicMs() < 5) {
      kernel.runSlice();
      clock.advance(1);
    }
    kernel.runSlice();
    expect(kernel.liveTasks).toBe(children);
  }
});

test("a task that traps exits is told of normal and abnormal ends and lives on", () => {
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    sys.trapExits(inbox);
    const bad = sys.spawn(crash);
    const good = sys.spawn(function* () {
      return "fine";
    });
    sys.link(bad);
    sys.link(good);
    const first = yield* sys.receive(inbox);
    const second = yield* sys.receive(inbox);
    if (!isExitNotice(first) || !isExitNotice(second)) return "no notices";
    return [first.from === good, first.reason, second.from === bad, String(second.reason)];
  });
  expect(seen).toEqual([true, "normal", true, "RangeError: boom"]);
});

test("trapping can be switched off again, and a trap nobody can receive from protects nobody", () => {
  for (const how of ["off", "dropped"]) {
    const { exit } = run(function* (sys) {
      const inbox = sys.mailbox();
      sys.trapExits(inbox);
      sys.link(sys.spawn(crash));
      if (how === "off") sys.trapExits(null);
      else sys.drop(inbox);
      yield* forever(sys);
    });
    expect(exit?.kind, how).toBe("killed");
  }
});

test("unlinking ends the shared fate; linking twice makes one link", () => {
  const kinds = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    sys.trapExits(inbox);
    const twice = sys.spawn(crash);
    sys.link(twice);
    sys.link(twice);
    const never = sys.spawn(crash);
    sys.link(never);
    sys.unlink(never);
    sys.unlink(never);
    sys.link(sys.getTid());
    yield* sys.sleep(20);
    const messages = [];
    for (let m = sys.tryReceive(inbox); m !== undefined; m = sys.tryReceive(inbox)) messages.push(m);
    return messages.map((message) => isExitNotice(message) && message.from === twice);
  });
  expect(kinds).toEqual([true]);
});

test("LK3: linking to a task that has ended delivers at once", () => {
  const { exit } = run(function* (sys) {
    const ended = sys.spawn(crash);
    yield* sys.wait(ended);
    const normal = sys.spawn(function* () {});
    yield* sys.wait(normal);
    sys.link(normal);
    try {
      sys.link(ended);
    } catch (error) {
      expect(error).toBeInstanceOf(TaskKilledError);
      throw error;
    }
    return "lived";
  });
  expect(exit).toMatchObject({ kind: "killed", reason: { message: "boom" } });
  const trapped = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    sys.trapExits(inbox);
    const ended = sys.spawn(crash);
    yield* sys.wait(ended);
    sys.link(ended);
    return sys.tryReceive(inbox);
  });
  expect(isExitNotice(trapped)).toBe(true);
});

test("a monitor tells its mailbox once how the task ended, and kills nobody", () => {
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    const bad = sys.spawn(crash, { counted: true });
    const first = sys.monitor(bad, inbox);
    const second = sys.monitor(bad, inbox);
    const down = yield* sys.receive(inbox);
    const also = yield* sys.receive(inbox);
    const after = sys.monitor(bad, inbox);
    const late = sys.tryReceive(inbox);
    if (!isDown(down) || !isDown(also) || !isDown(late)) return "not told";
    return [
      down.monitor === first,
      also.monitor === second,
      late.monitor === after,
      down.task === bad,
      down.exit.kind,
      String(down.reason),
      down.syscalls,
      sys.tryReceive(inbox),
    ];
  });
  expect(seen).toEqual([true, true, true, true, "failed", "RangeError: boom", 1, undefined]);
});

test("a monitor that was taken away tells nothing; nor does one whose holder ended", () => {
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    const target = sys.spawn(crash);
    const own = sys.monitor(target, inbox);
    const holder = sys.spawn(
      function* (sys, out: Handle) {
        sys.monitor(target, out);
      },
      { give: [inbox] },
    );
    yield* sys.wait(holder);
    const removed = [sys.demonitor(own), sys.demonitor(own), sys.demonitor(999)];
    yield* sys.wait(target);
    return [...removed, sys.tryReceive(inbox)];
  });
  expect(seen).toEqual([true, false, false, undefined]);
});

test("NO1: a notice reaches a mailbox that is full of messages", () => {
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox<unknown>({ capacity: 2, overflow: "refuse" });
    const target = sys.spawn(crash);
    sys.monitor(target, inbox);
    yield* sys.send(inbox, 1);
    yield* sys.send(inbox, 2);
    const refused = sys.trySend(inbox, 3);
    yield* sys.wait(target);
    return [refused, yield* sys.receive(inbox), yield* sys.receive(inbox), isDown(yield* sys.receive(inbox))];
  });
  expect(seen).toEqual([false, 1, 2, true]);
});

test("NO2: notices in one mailbox are bounded, and a mailbox that drops messages gets none", () => {
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    const ended = sys.spawn(function* () {});
    yield* sys.wait(ended);
    let made = 0;
    let code = "";
    try {
      for (; made <= NOTICE_LIMIT + 1000; made++) sys.monitor(ended, inbox);
    } catch (error) {
      code = (error as { code: string }).code;
    }
    const box = sys.mailbox({ overflow: "drop-oldest" });
    return [made, code, codeOf(() => sys.monitor(ended, box)), codeOf(() => sys.trapExits(box))];
  });
  // The mailbox's own 1000 places count: what lies there are notices too.
  expect(seen).toEqual([
    NOTICE_LIMIT + 1000,
    "kernel.relation-limit",
    "kernel.bad-option",
    "kernel.bad-option",
  ]);
});

test("NO3: nothing a program can send looks like a notice", () => {
  expect(isDown({ kind: "down", monitor: 1 })).toBe(false);
  expect(isExitNotice({ kind: "exit", from: 1 })).toBe(false);
});

test("LK4: relations are forgotten with the tasks: one after another a task may have more than it may have at once", () => {
  const outcome = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    sys.trapExits(inbox);
    for (let round = 0; round < 70; round++) {
      for (let i = 0; i < 1000; i++) {
        const child = sys.spawn(function* () {});
        sys.link(child);
        sys.monitor(child, inbox);
      }
      for (let i = 0; i < 2000; i++) yield* sys.receive(inbox);
    }
    return "done";
  });
  expect(outcome).toBe("done");
});

test("a task has authority over itself and its children; over others only by a capability", () => {
  const codes = resultOf(function* (sys) {
    const other = sys.spawn(forever);
    const control = sys.taskHandle(other);
    const weak = sys.attenuate(control, 0x10 | 0x80);
    const results: string[] = [];
    const stranger = sys.spawn(
      function* (sys, strong: Handle, weak: Handle, box: Handle) {
        results.push(
          codeOf(() => sys.link(other)),
          codeOf(() => sys.kill(other)),
          codeOf(() => sys.exitSignal(other, "bye")),
          codeOf(() => sys.taskHandle(other)),
          codeOf(() => sys.kill({ by: weak })),
          codeOf(() => sys.cancel({ by: weak })),
          codeOf(() => sys.link({ by: weak })),
          codeOf(() => sys.kill({ by: box })),
        );
        sys.link({ by: strong });
        sys.unlink({ by: strong });
        sys.kill({ by: strong }, "enough");
        sys.kill({ by: strong });
        yield* sys.yield();
      },
      { give: [control, weak, sys.mailbox()] },
    );
    const exit = yield* sys.wait(other);
    yield* sys.wait(stranger);
    return [results, exit];
  });
  expect(codes).toEqual([
    [
      "kernel.not-parent",
      "kernel.not-parent",
      "kernel.not-parent",
      "kernel.not-parent",
      "kernel.missing-right",
      "kernel.missing-right",
      "kernel.missing-right",
      "kernel.wrong-object",
    ],
    { kind: "killed", reason: "enough" },
  ]);
});

test("a child cannot unlink itself from its parent", () => {
  const { exit } = run(function* (sys) {
    const me = sys.getTid();
    const naughty = sys.spawn(function* (sys) {
      codeOf(() => sys.unlink(me));
      throw new RangeError("boom");
    });
    sys.link(naughty);
    yield* forever(sys);
  });
  expect(exit?.kind).toBe("killed");
});

test("an exit signal kills a task with its reason, except a normal one; a task that traps is told", () => {
  const seen = resultOf(function* (sys) {
    const plain = sys.spawn(forever);
    yield* sys.yield();
    sys.exitSignal(plain, "normal");
    sys.exitSignal(plain, "go");
    const exit = yield* sys.wait(plain);
    sys.exitSignal(plain, "again");
    const trapping = sys.spawn(function* (sys) {
      const inbox = sys.mailbox({ capacity: 1 });
      sys.trapExits(inbox);
      yield* sys.sleep(10);
      const notice = yield* sys.receive(inbox);
      return isExitNotice(notice) ? [notice.reason, notice.exit] : "none";
    });
    yield* sys.sleep(1);
    sys.exitSignal(trapping, "normal");
    const full = codeOf(() => sys.exitSignal(trapping, "second"));
    return [exit, full, yield* sys.wait(trapping)];
  });
  expect(seen).toEqual([
    { kind: "killed", reason: "go" },
    "kernel.mailbox-full",
    { kind: "ok", value: ["normal", undefined] },
  ]);
});

test("an exit signal to oneself ends the task at that line", () => {
  let after = false;
  const { exit } = run(function* (sys) {
    sys.exitSignal(sys.getTid(), "done with it");
    after = true;
  });
  expect(exit).toEqual({ kind: "killed", reason: "done with it" });
  expect(after).toBe(false);
});

test("NM1: a name is found while its owner lives, is taken meanwhile, and free afterwards", () => {
  const seen = resultOf(function* (sys) {
    const owner = sys.spawn(function* (sys) {
      const inbox = sys.mailbox<string>();
      sys.register("greeter", inbox);
      return [yield* sys.receive(inbox), codeOf(() => sys.register("greeter", inbox))];
    });
    const before = [sys.whereis("greeter"), codeOf(() => sys.lookup("greeter"))];
    yield* sys.yield();
    const found = sys.lookup<string>("greeter");
    const during = [
      sys.whereis("greeter") === owner,
      codeOf(() => sys.register("greeter", sys.mailbox())),
      codeOf(() => sys.unregister("greeter")),
      codeOf(() => sys.tryReceive(found)),
    ];
    yield* sys.send(found, "hello");
    const exit = yield* sys.wait(owner);
    const after = [sys.whereis("greeter"), codeOf(() => sys.unregister("greeter"))];
    sys.register("greeter", sys.mailbox());
    sys.unregister("greeter");
    sys.register("greeter", sys.mailbox());
    return { before, during, exit, after };
  });
  expect(seen).toEqual({
    before: [undefined, "kernel.unknown-name"],
    during: [true, "kernel.name-taken", "kernel.not-name-owner", "kernel.missing-right"],
    exit: { kind: "ok", value: ["hello", "kernel.name-taken"] },
    after: [undefined, "kernel.unknown-name"],
  });
});

test("NM2: a name gives no more than was published, and ends with the capability", () => {
  const seen = resultOf(function* (sys) {
    const source = sys.mailbox<string>();
    const shown = sys.attenuate(source, 0x1000 | 0x80 | 0x1);
    sys.register("box", shown, -1);
    const found = sys.lookup("box");
    const more = [
      codeOf(() => sys.tryReceive(found)),
      codeOf(() => sys.register("again", sys.attenuate(found, 1))),
    ];
    sys.revoke(source);
    return [...more, codeOf(() => sys.lookup("box")), codeOf(() => sys.trySend(found, "x"))];
  });
  expect(seen).toEqual([
    "kernel.missing-right",
    "kernel.missing-right",
    "kernel.unknown-name",
    "kernel.dead-handle",
  ]);
});

test("a name is 1 to 128 characters, and a kernel keeps 65,536", () => {
  const seen = resultOf(
    function* (sys) {
      const box = sys.mailbox();
      const bad = ["", "x".repeat(129), 7 as never].map((name) => codeOf(() => sys.register(name, box)));
      let names = 0;
      const code = codeOf(() => {
        for (; names < 100_000; names++) sys.register(`name ${names}`, box);
      });
      return [...bad, names, code];
    },
    { handleLimit: 200_000 },
  );
  expect(seen).toEqual([
    "kernel.bad-option",
    "kernel.bad-option",
    "kernel.bad-option",
    65_536,
    "kernel.relation-limit",
  ]);
});

test("DL1: calls in a circle are refused with the circle printed, however long it is", () => {
  const { kernel, clock } = createTestKernel();
  const seen: string[] = [];
  const size = 4;
  kernel.spawn(function* (sys) {
    const inboxes = Array.from({ length: size }, () => sys.mailbox());
    for (let i = 0; i < size; i++) {
      sys.spawn(
        function* (sys, own: Handle, next: Handle) {
          sys.serve(own);
          if (i > 0) yield* sys.receive(own);
          else yield* sys.yield();
          try {
            yield* sys.call(next, "around", 1000);
          } catch (error) {
            seen.push(`${(error as Error).message}`);
          }
        },
        { give: [inboxes[i]!, inboxes[(i + 1) % size]!], name: `s${i}` },
      );
    }
    yield* sys.sleep(10_000);
  });
  runToCompletion(kernel, clock);
  expect(seen[0]).toBe("the call would never return: s3 -> s0 -> s1 -> s2 -> s3");
});

test("DL1: a server that calls itself is refused; a call that was answered closes no circle", () => {
  const seen = resultOf(function* (sys) {
    const own = sys.mailbox();
    sys.serve(own);
    let message = "";
    try {
      yield* sys.call(own, "me");
    } catch (error) {
      message = (error as { code: string }).code;
    }
    const other = sys.mailbox();
    sys.spawn(
      function* (sys, inbox: Handle, back: Handle) {
        sys.serve(inbox);
        const call = (yield* sys.receive(inbox)) as never;
        sys.reply(call, "pong");
        yield* sys.call(back, "now you");
      },
      { give: [other, own] },
    );
    const pong = yield* sys.call(other, "ping");
    const back = (yield* sys.receive(own)) as never;
    sys.reply(back, "fine");
    return [message, pong];
  });
  expect(seen).toEqual(["kernel.deadlock", "pong"]);
});

test("a refused call throws the error at the caller; a second answer is refused", () => {
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    const codes: string[] = [];
    sys.spawn(
      function* (sys, inbox: Handle) {
        const call = (yield* sys.receive(inbox)) as never;
        sys.refuse(call, new RangeError("not today"));
        codes.push(
          codeOf(() => sys.reply(call, 1)),
          codeOf(() => sys.refuse(call, 1)),
          codeOf(() => sys.refuse({} as never, 1)),
        );
      },
      { give: [inbox] },
    );
    try {
      yield* sys.call(inbox, "please");
    } catch (error) {
      return [String(error), ...codes];
    }
    return "answered";
  });
  expect(seen).toEqual([
    "RangeError: not today",
    "kernel.double-reply",
    "kernel.double-reply",
    "kernel.not-a-call",
  ]);
});

test("a failure that a monitor or a trap reported counts as observed; one that only kills by a link does not", () => {
  const failures: string[] = [];
  for (const how of ["monitor", "trap", "link"]) {
    const { kernel, clock } = createTestKernel();
    kernel.onFailure(({ error }) => failures.push(`${how}: ${String(error)}`));
    kernel.spawn(function* (sys) {
      const inbox = sys.mailbox();
      const child = sys.spawn(crash);
      if (how === "monitor") sys.monitor(child, inbox);
      else {
        if (how === "trap") sys.trapExits(inbox);
        sys.link(child);
      }
      yield* sys.receive(inbox);
    });
    runToCompletion(kernel, clock);
  }
  expect(failures).toEqual(["link: RangeError: boom"]);
});

test("LK4: names of ended tasks and monitors that were taken away leave no trace that could fill a limit", () => {
  const seen = resultOf(
    function* (sys) {
      for (let round = 0; round < 3; round++) {
        const owner = sys.spawn(function* (sys) {
          const box = sys.mailbox();
          for (let i = 0; i < 30_000; i++) sys.register(`round ${round} name ${i}`, box);
        });
        expect((yield* sys.wait(owner)).kind).toBe("ok");
      }
      const target = sys.spawn(forever);
      const inbox = sys.mailbox();
      for (let i = 0; i < NOTICE_LIMIT + 2000; i++) sys.demonitor(sys.monitor(target, inbox));
      sys.kill(target);
      return "as often as you like";
    },
    { handleLimit: 100_000 },
  );
  expect(seen).toBe("as often as you like");
});
