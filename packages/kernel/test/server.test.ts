import type { Call, Handle, Sys } from "@glia-os/kernel";
import {
  call,
  cast,
  ExitError,
  isDown,
  isExitNotice,
  noReply,
  reply,
  replyTo,
  type ServerDefinition,
  serverChild,
  startServer,
  startSupervisor,
  stop,
  stopWith,
} from "@glia-os/kernel/supervision";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { OpenCalls } from "../src/internal.ts";
import { resultOf } from "./run.ts";

/** A counter that takes every kind of message. */
function counter(log: unknown[] = []): ServerDefinition<number, unknown, unknown, number> {
  return {
    *init() {
      return 0;
    },
    *handleCall(sys, question, _from, state) {
      if (question === "get") return reply(state, state);
      if (question === "later") return noReply(state);
      if (question === "slow") {
        yield* sys.sleep(1000);
        return reply("late", state + 1);
      }
      if (question === "stop") return stop("normal", state);
      if (question === "stop with") return stopWith("shutdown", "bye", state);
      if (question === "crash") throw new RangeError("asked to crash");
      return "garbage" as never;
    },
    *handleCast(_sys, amount, state) {
      return amount < 0 ? stop("normal", state) : noReply(state + amount);
    },
    *handleInfo(_sys, message, state) {
      log.push(message);
      return noReply(state);
    },
    *terminate(_sys, reason, state) {
      log.push(["terminate", reason instanceof Error ? reason.message : reason, state]);
    },
  };
}

/** The code of the error a routine throws, or what it returns. */
function* attempt(routine: Iterable<unknown>): Generator<never, unknown> {
  try {
    return yield* routine as Generator<never, unknown>;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

const ALONE = { link: false } as const;

test("OTP: init runs before the start returns, and its failure is why the start failed", () => {
  const log: string[] = [];
  const seen = resultOf(function* (sys) {
    const started = yield* startServer(sys, {
      *init(sys: Sys) {
        yield* sys.sleep(10);
        log.push("ready");
        return 1;
      },
    });
    log.push("started");
    sys.unlink(started.task);
    sys.kill(started.task);
    try {
      yield* startServer(sys, {
        *init() {
          throw new ExitError({ shutdown: "no room" });
        },
        *terminate() {
          log.push("terminate must not run");
        },
      });
    } catch (error) {
      return [(error as { code: string }).code, (error as { reason: unknown }).reason];
    }
    return "started";
  });
  expect(log).toEqual(["ready", "started"]);
  expect(seen).toEqual(["kernel.start-failed", { shutdown: "no room" }]);
});

test("OTP: casts and calls of one client are handled in order, one at a time, with the state carried on", () => {
  const seen = resultOf(function* (sys) {
    const { handle, task } = yield* startServer(sys, counter(), ALONE);
    for (let i = 1; i <= 10; i++) yield* cast(sys, handle, i);
    const got = yield* call(sys, handle, "get");
    sys.kill(task);
    return got;
  });
  expect(seen).toBe(55);
});

test("OTP: a message that is neither call nor cast goes to handleInfo; without it, it is logged and dropped", () => {
  const log: unknown[] = [];
  const lines: string[] = [];
  const { kernel, clock } = createTestKernel(1, {
    logger: { log: (_level: string, line: string) => lines.push(line) } as never,
  });
  kernel.spawn(function* (sys) {
    const full = yield* startServer(sys, counter(log), ALONE);
    yield* sys.send(full.handle as Handle, "info");
    yield* call(sys, full.handle, "get");
    const bare = yield* startServer(
      sys,
      {
        *init() {
          return 0;
        },
        *handleCall(_sys: Sys, _question: unknown, _from: Call, state: number) {
          return reply("still here", state);
        },
      },
      ALONE,
    );
    yield* sys.send(bare.handle as Handle, "info");
    log.push(yield* call(sys, bare.handle, "x"));
    sys.kill(full.task);
    sys.kill(bare.task);
  });
  runToCompletion(kernel, clock);
  expect(log).toEqual(["info", "still here"]);
  expect(lines).toContain("a server without handleInfo dropped a message");
});

test("OTP: a call waits 5 seconds by default; the late answer is dropped and harms neither side", () => {
  const seen = resultOf(function* (sys) {
    const { handle, task } = yield* startServer(sys, counter(), ALONE);
    const before = sys.monotonic();
    const timedOut = yield* attempt(call(sys, handle, "later"));
    const waited = sys.monotonic() - before;
    const short = yield* attempt(call(sys, handle, "slow", 10));
    const after = yield* call(sys, handle, "get");
    sys.kill(task);
    return [timedOut, waited, short, after];
  });
  expect(seen).toEqual(["kernel.call-timeout", 5000, "kernel.call-timeout", 1]);
});

test("OTP: a server may answer later, from wherever the call was handed to", () => {
  const seen = resultOf(function* (sys) {
    const waiting: Call[] = [];
    const { handle, task } = yield* startServer(
      sys,
      {
        *init() {
          return 0;
        },
        *handleCall(_sys: Sys, question: string, from: Call, state: number) {
          if (question === "wait") {
            waiting.push(from);
            return noReply(state);
          }
          const answered = waiting.map((each, i) => replyTo(sys, each, `answer ${i}`));
          return reply(answered, state);
        },
      },
      ALONE,
    );
    const clients = [1, 2].map((i) =>
      sys.spawn(
        function* (sys, server: Handle) {
          return yield* attempt(call(sys, server, "wait", i === 1 ? 10 : 1000));
        },
        { give: [handle] },
      ),
    );
    yield* sys.sleep(50);
    const answered = yield* call(sys, handle, "release");
    const exits = [yield* sys.wait(clients[0]!), yield* sys.wait(clients[1]!)];
    sys.kill(task);
    return [answered, exits.map((exit) => (exit as { value: unknown }).value)];
  });
  expect(seen).toEqual([
    [false, true],
    ["kernel.call-timeout", "answer 1"],
  ]);
});

test("OTP: stop ends the server with its reason after terminate; a call may be answered first", () => {
  const log: unknown[] = [];
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    const results: unknown[] = [];
    for (const question of ["stop with", "stop"]) {
      const { handle, task } = yield* startServer(sys, counter(log), ALONE);
      sys.monitor(task, inbox);
      results.push(yield* attempt(call(sys, handle, question)));
      const down = yield* sys.receive(inbox);
      if (isDown(down)) results.push(down.reason);
      results.push(yield* attempt(call(sys, handle, "get")));
    }
    return results;
  });
  expect(seen).toEqual([
    ...["bye", "shutdown", "kernel.mailbox-closed"],
    ...["kernel.server-ended", "normal", "kernel.mailbox-closed"],
  ]);
  expect(log).toEqual([
    ["terminate", "shutdown", 0],
    ["terminate", "normal", 0],
  ]);
});

test("OTP: a callback that throws ends the server after terminate, with what was thrown as the reason", () => {
  const log: unknown[] = [];
  const seen = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    const { handle, task } = yield* startServer(sys, counter(log), ALONE);
    sys.monitor(task, inbox);
    yield* cast(sys, handle, 3);
    const code = yield* attempt(call(sys, handle, "crash"));
    const down = yield* sys.receive(inbox);
    return [code, isDown(down) ? String(down.reason) : "none"];
  });
  expect(seen).toEqual(["kernel.server-ended", "RangeError: asked to crash"]);
  expect(log).toEqual([["terminate", "asked to crash", 3]]);
});

test("OTP: a callback that returns something else, or that is missing, ends the server", () => {
  const bare: ServerDefinition<number> = {
    *init() {
      return 0;
    },
  };
  const reasons = resultOf(function* (sys) {
    const inbox = sys.mailbox();
    const found: unknown[] = [];
    for (const [definition, message] of [
      [counter(), "garbage"],
      [bare, "call"],
      [bare, "cast"],
    ] as const) {
      const { handle, task } = yield* startServer(sys, definition as typeof bare, ALONE);
      sys.monitor(task, inbox);
      if (message === "cast") yield* cast(sys, handle, 1);
      else yield* attempt(call(sys, handle, message));
      const down = yield* sys.receive(inbox);
      found.push(isDown(down) ? (down.reason as { code: string }).code : "none");
    }
    return found;
  });
  expect(reasons).toEqual(["kernel.bad-server-result", "kernel.no-handler", "kernel.no-handler"]);
});

test("OTP: a cast to a server that is gone is accepted and lost", () => {
  const seen = resultOf(function* (sys) {
    const { handle, task } = yield* startServer(sys, counter(), ALONE);
    sys.kill(task);
    yield* sys.wait(task);
    yield* cast(sys, handle, 1);
    return "accepted";
  });
  expect(seen).toBe("accepted");
});

test("OTP: a server that traps exits gets those of its links as messages, and ends with its parent", () => {
  const log: unknown[] = [];
  const { kernel, clock } = createTestKernel();
  const parent = kernel.spawn(function* (sys) {
    const definition: ServerDefinition<number> = {
      trapExits: true,
      *init(sys) {
        sys.link(
          sys.spawn(function* (sys) {
            yield* sys.sleep(10);
            throw new RangeError("worker");
          }),
        );
        return 0;
      },
      *handleInfo(_sys, message, state) {
        log.push(isExitNotice(message) ? String(message.reason) : "other");
        return noReply(state);
      },
      *terminate(_sys, reason) {
        log.push(["terminate", String(reason)]);
      },
    };
    yield* startServer(sys, definition);
    yield* sys.sleep(20);
    throw new RangeError("parent");
  });
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(kernel.exitOf(parent)?.kind).toBe("failed");
  expect(log).toEqual(["RangeError: worker", ["terminate", "RangeError: parent"]]);
});

test("OTP: a supervisor's shutdown lets a server run terminate within its time; a killed server does not", () => {
  const log: unknown[] = [];
  const tidy: ServerDefinition<number> = {
    *init() {
      return 7;
    },
    *terminate(sys, reason, state) {
      yield* sys.sleep(100);
      log.push([sys.monotonic(), reason, state]);
    },
  };
  resultOf(function* (sys) {
    const ref = yield* startSupervisor(
      sys,
      {
        children: [
          serverChild("killed", tidy, { shutdown: "brutal_kill" }),
          serverChild("late", tidy, { shutdown: 50 }),
          serverChild("tidy", tidy),
        ],
      },
      ALONE,
    );
    sys.cancel(ref.task, "shutdown");
    yield* sys.wait(ref.task);
  });
  expect(log).toEqual([[100, "shutdown", 7]]);
});

test("OTP: a server that calls itself is refused", () => {
  const seen = resultOf(function* (sys) {
    const { handle, task } = yield* startServer(
      sys,
      {
        *init() {
          return 0;
        },
        *handleCall(sys: Sys, _question: unknown, _from: Call, state: number) {
          const own = sys.lookup("me");
          return reply(yield* attempt(call(sys, own, "x")), state);
        },
      },
      { register: "me", link: false },
    );
    const answer = yield* call(sys, handle, "x");
    sys.kill(task);
    return answer;
  });
  expect(seen).toBe("kernel.deadlock");
});

test("SV2: when a server is killed every caller is told at once: the one it serves, those it left waiting and those in its inbox", () => {
  const { kernel, clock } = createTestKernel();
  const told: unknown[] = [];
  kernel.spawn(function* (sys) {
    const { handle, task } = yield* startServer(sys, counter(), ALONE);
    for (const question of ["later", "slow", "get"]) {
      sys.spawn(
        function* (sys, server: Handle) {
          told.push([question, yield* attempt(call(sys, server, question, 1_000_000)), sys.monotonic()]);
        },
        { give: [handle] },
      );
    }
    yield* sys.sleep(10);
    sys.kill(task);
  });
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(told).toHaveLength(3);
  expect(told).toContainEqual(["later", "kernel.server-ended", 10]);
  expect(told).toContainEqual(["slow", "kernel.server-ended", 10]);
  expect(told).toContainEqual(["get", "kernel.mailbox-closed", 10]);
});

test("a call whose caller gave up before it was handled is not handled at all", () => {
  const seen = resultOf(function* (sys) {
    const { handle, task } = yield* startServer(sys, counter(), ALONE);
    const client = sys.spawn(
      function* (sys, server: Handle) {
        yield* call(sys, server, "slow", 5000);
      },
      { give: [handle] },
    );
    yield* sys.yield();
    yield* attempt(call(sys, handle, "slow", 10));
    yield* sys.wait(client);
    const state = yield* call(sys, handle, "get");
    sys.kill(task);
    return state;
  });
  expect(seen).toBe(1);
});

test("a starter that is cancelled or killed while it waits for a start leaves no server behind", () => {
  for (const how of ["cancel", "kill"] as const) {
    const { kernel, clock } = createTestKernel();
    const log: string[] = [];
    const starter = kernel.spawn(function* (sys) {
      yield* startServer(sys, {
        *init(sys: Sys) {
          try {
            yield* sys.sleep(1_000_000);
          } finally {
            log.push("init left");
          }
        },
      });
    });
    kernel.spawn(function* (sys) {
      yield* sys.sleep(10);
      kernel[how](starter);
    });
    expect(runToCompletion(kernel, clock)).toBe("ended");
    expect([log, clock.monotonicMs()]).toEqual([["init left"], 10]);
  }
});

test("a restarted server is found by its name again", () => {
  const seen = resultOf(function* (sys) {
    const ref = yield* startSupervisor(
      sys,
      { children: [serverChild("counter", counter(), { register: "counter" })] },
      ALONE,
    );
    const first = sys.lookup("counter");
    yield* cast(sys, first, 5);
    yield* attempt(call(sys, first, "crash"));
    yield* sys.sleep(1);
    const gone = yield* attempt(call(sys, first, "get"));
    const state = yield* call(sys, sys.lookup("counter"), "get");
    sys.cancel(ref.task, "shutdown");
    yield* sys.wait(ref.task);
    return [gone, state, sys.whereis("counter")];
  });
  // The new server is another mailbox; the old handle stays dead.
  expect(seen).toEqual(["kernel.mailbox-closed", 0, undefined]);
});

test("OC1: a server forgets calls that nobody waits for any more, and none that somebody does", () => {
  const open = new OpenCalls();
  const waiting = Array.from({ length: 100 }, () => ({ open: true }) as Call);
  for (const each of waiting) open.add(each);
  for (let i = 0; i < 10_000; i++) {
    open.add({ open: false } as Call);
    expect(open.size).toBeLessThanOrEqual(2 * waiting.length + 1);
  }
  expect([...open.all()].filter((each) => each.open)).toEqual(waiting);
});
