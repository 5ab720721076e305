import { type Call, type Handle, isCall } from "@glia-os/kernel";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

type Question = Call<number>;

test("a call gets the reply of whoever received it", () => {
  const answers = resultOf(function* (sys) {
    const box = sys.mailbox<Question>();
    const caller = sys.spawn(
      function* (sys, out: Handle<Question>) {
        return [yield* sys.call<number>(out, 20), yield* sys.call<number>(out, 21)];
      },
      { give: [box] },
    );
    for (let i = 0; i < 2; i++) {
      const question = yield* sys.receive(box);
      expect([isCall(question), question.open, question.from]).toEqual([true, true, caller]);
      sys.reply(question, question.message * 2);
    }
    return yield* sys.wait(caller);
  });
  expect(answers).toEqual({ kind: "ok", value: [40, 42] });
});

test("P1: a second reply is refused and the first stands", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<Question>();
    const caller = sys.spawn(
      function* (sys, out: Handle<Question>) {
        return yield* sys.call<string>(out, 1);
      },
      { give: [box] },
    );
    const question = yield* sys.receive(box);
    sys.reply(question, "first");
    const code = codeOf(() => sys.reply(question, "second"));
    return [code, question.open, yield* sys.wait(caller)];
  });
  expect(result).toEqual(["kernel.double-reply", false, { kind: "ok", value: "first" }]);
});

test("P1: a call without a reply in time fails, its late reply is refused, and its value never shows up elsewhere", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<Question>();
    const caller = sys.spawn(
      function* (sys, out: Handle<Question>) {
        let code = "";
        try {
          yield* sys.call(out, 1, 10);
        } catch (error) {
          code = (error as { code: string }).code;
        }
        const slept = yield* sys.sleep(100);
        return [code, slept, sys.now()];
      },
      { give: [box] },
    );
    const question = yield* sys.receive(box);
    yield* sys.sleep(50);
    const code = codeOf(() => sys.reply(question, "too late"));
    return [code, question.open, yield* sys.wait(caller)];
  });
  expect(result).toEqual([
    "kernel.late-reply",
    false,
    { kind: "ok", value: ["kernel.call-timeout", undefined, 110] },
  ]);
});

test("a reply to a caller that was killed or cancelled is late", () => {
  for (const how of ["kill", "cancel"] as const) {
    const code = resultOf(function* (sys) {
      const box = sys.mailbox<Question>();
      const caller = sys.spawn(
        function* (sys, out: Handle<Question>) {
          yield* sys.call(out, 1);
        },
        { give: [box] },
      );
      const question = yield* sys.receive(box);
      sys[how](caller);
      const code = codeOf(() => sys.reply(question, 1));
      yield* sys.wait(caller);
      return code;
    });
    expect(code, how).toBe("kernel.late-reply");
  }
});

test("a call waits for room in a mailbox under pressure, within its time limit", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<unknown>({ capacity: 1 });
    yield* sys.send(box, "in the way");
    const ask = (timeoutMs: number) =>
      sys.spawn(
        function* (sys, out: Handle) {
          return yield* sys.call(out, "please", timeoutMs);
        },
        { give: [box] },
      );
    const impatient = ask(5);
    const patient = ask(50);
    yield* sys.sleep(10);
    const first = yield* sys.receive(box);
    const question = (yield* sys.receive(box)) as Call;
    sys.reply(question, "here");
    const ends = [yield* sys.wait(impatient), yield* sys.wait(patient)];
    return [first, ends, sys.tryReceive(box)];
  });
  expect(result).toMatchObject([
    "in the way",
    [
      { kind: "failed", error: { code: "kernel.call-timeout" } },
      { kind: "ok", value: "here" },
    ],
    undefined,
  ]);
});

test("a call dropped from a full mailbox, or left in one that closes, fails at once", () => {
  const { exit } = run(function* (sys) {
    const box = sys.mailbox<unknown>({ capacity: 1, overflow: "drop-oldest" });
    const ask = () =>
      sys.spawn(
        function* (sys, out: Handle) {
          return yield* sys.call(out, "please", 1000);
        },
        { give: [{ handle: box, rights: 4 }] },
      );
    const dropped = ask();
    yield* sys.sleep(1);
    const left = ask();
    const first = yield* sys.wait(dropped);
    sys.drop(box);
    return [first, yield* sys.wait(left), sys.now()];
  });
  expect(exit).toMatchObject({
    value: [
      { kind: "failed", error: { code: "kernel.message-dropped" } },
      { kind: "failed", error: { code: "kernel.mailbox-closed" } },
      1,
    ],
  });
});

test("replying to what is no call is refused", () => {
  const codes = resultOf(function* (sys) {
    const forged = { message: 1, from: sys.getTid(), open: true } as Call;
    return [codeOf(() => sys.reply(forged, 1)), codeOf(() => sys.reply(undefined as never, 1))];
  });
  expect(codes).toEqual(["kernel.not-a-call", "kernel.not-a-call"]);
});
