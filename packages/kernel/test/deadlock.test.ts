import { RIGHTS } from "@glia-os/abi/syscalls";
import { type Call, type Handle, isCall, type Sys } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf } from "./run.ts";

const HOUR_MS = 3_600_000;

function codeIn(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

/** Answers each call, whose question is the path it has still to go, by sending it on; a refusal on the way is the answer. */
function* forwarder(sys: Sys, own: Handle, all: readonly Handle[]) {
  sys.serve(own);
  for (;;) {
    const call = (yield* sys.receive(own)) as Call<readonly number[]>;
    if (!isCall(call)) continue;
    const [next, ...rest] = call.message as readonly number[];
    let answer: unknown = "arrived";
    try {
      if (next !== undefined) answer = yield* sys.call(all[next]!, rest, HOUR_MS);
    } catch (error) {
      answer = codeIn(error);
    }
    sys.reply(call, answer);
  }
}

/** Send these paths through servers, all at the same time; the answers, and the time that passed. */
function travel(kinds: readonly ("mailbox" | "endpoint")[], paths: readonly (readonly number[])[]) {
  const { kernel, clock } = createTestKernel();
  const doors = kinds.map((kind) => kernel[kind]());
  const toSend = doors.map((handle) => ({ handle, rights: RIGHTS.call }));
  for (const own of doors)
    kernel.spawn((sys, own, ...all) => forwarder(sys, own!, all), { give: [own, ...toSend] });
  const tasks = paths.map((path) =>
    kernel.spawn(
      function* (sys, ...all) {
        const [first, ...rest] = path;
        return yield* sys.call(all[first!]!, rest, HOUR_MS);
      },
      { give: toSend },
    ),
  );
  const outcome = runToCompletion(kernel, clock);
  const answers = tasks.map((task) => {
    const exit = kernel.exitOf(task);
    return exit?.kind === "ok" ? exit.value : exit?.kind;
  });
  return { outcome, answers, passedMs: clock.monotonicMs() };
}

test("DL1: calls in a circle through endpoints, mailboxes or both are refused at once", () => {
  for (const kinds of [
    ["endpoint", "endpoint", "endpoint"],
    ["mailbox", "endpoint", "mailbox"],
    ["endpoint", "mailbox", "endpoint"],
  ] as const) {
    const { answers, passedMs } = travel(kinds, [[0, 1, 2, 0]]);
    expect([answers, passedMs]).toEqual([["kernel.deadlock"], 0]);
    expect(travel(kinds, [[0, 1, 2]]).answers).toEqual(["arrived"]);
  }
});

test("DL1: the refusal of a call through an endpoint names the circle, and a badge hides no server", () => {
  const { kernel, clock } = createTestKernel();
  const [a, b] = [kernel.endpoint(), kernel.endpoint()];
  const one = kernel.spawn(
    function* (sys, own, other) {
      sys.serve(own!);
      yield* sys.call(other!, "ping", HOUR_MS);
    },
    { give: [a, b], name: "one" },
  );
  const two = kernel.spawn(
    function* (sys, own, other) {
      sys.serve(own!);
      yield* sys.receive(own!);
      yield* sys.call(sys.badge(other!, 7), "pong", HOUR_MS);
    },
    { give: [b, a], name: "two" },
  );
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(two)).toMatchObject({
    kind: "failed",
    error: { code: "kernel.deadlock", message: "the call would never return: two -> one -> two" },
  });
  expect(kernel.exitOf(one)).toBeDefined();
});

test("only who can receive from an endpoint can serve it, and nothing else is served", () => {
  const codes = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    sys.serve(endpoint);
    return [
      codeOf(() => sys.serve(sys.attenuate(endpoint, RIGHTS.call))),
      codeOf(() => sys.serve(sys.badge(endpoint, 1))),
      codeOf(() => sys.serve(sys.channel(1))),
      codeOf(() => sys.serve(sys.notification())),
      codeOf(() => sys.serve(99 as Handle)),
    ];
  });
  const [missing, wrong, dead] = ["kernel.missing-right", "kernel.wrong-object", "kernel.dead-handle"];
  expect(codes).toEqual([missing, missing, wrong, wrong, dead]);
});

test("DL1: whatever paths calls take through servers, none waits for ever: each arrives, or is refused where it closes a circle", () => {
  const shape = fc.record({
    kinds: fc.array(fc.constantFrom("mailbox" as const, "endpoint" as const), { minLength: 3, maxLength: 3 }),
    paths: fc.array(fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
  });
  fc.assert(
    fc.property(shape, ({ kinds, paths }) => {
      const { outcome, answers, passedMs } = travel(kinds, paths);
      // The servers live on; no time limit had to end a wait.
      expect([outcome, passedMs]).toEqual(["stuck", 0]);
      for (const [i, path] of paths.entries()) {
        expect(["arrived", "kernel.deadlock"]).toContain(answers[i]);
        if (new Set(path).size < path.length) expect(answers[i]).toBe("kernel.deadlock");
        if (paths.length === 1 && new Set(path).size === path.length) expect(answers[i]).toBe("arrived");
      }
    }),
  );
});
