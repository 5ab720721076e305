/** How a supervisor's child goes on after a failure, where its specification chooses. */
import type { Handle, Program, Sys } from "@glia-os/kernel";
import {
  type ChildFailure,
  type ChildSpec,
  checkedChoice,
  type RestartAnswer,
  type SupervisorOptions,
} from "@glia-os/kernel/supervision";
import fc from "fast-check";
import { expect, test } from "vitest";
import { observe, wait } from "./supervised.ts";

/** A child that fails with each of some messages in turn, then lives; how it was started is logged. */
function failing(
  messages: readonly string[],
  answer: (failure: ChildFailure) => RestartAnswer,
  log: string[],
  more: Partial<ChildSpec> = {},
): ChildSpec {
  let starts = 0;
  const begin = (sys: Sys, how: string) => {
    log.push(how);
    const message = messages[starts++];
    const program: Program<void> = function* (own) {
      yield* own.sleep(1);
      if (message !== undefined) throw new RangeError(message);
      yield* own.sleep(1_000_000);
    };
    return sys.spawn(program, { counted: true });
  };
  return {
    id: "worker",
    *start(sys) {
      return begin(sys, "start");
    },
    *startAgain(sys, choice) {
      return begin(sys, choice.choice === "replace" ? `replace ${String(choice.result)}` : choice.choice);
    },
    onFailure: (failure) => {
      log.push(`${failure.child} failed ${failure.times}`);
      return answer(failure);
    },
    ...more,
  };
}

function reasonOf(options: SupervisorOptions): unknown {
  return observe(options, wait(1_000)).reason;
}

test("SU5: a child is started again as its specification chooses, asked once per failure", () => {
  const log: string[] = [];
  const answers: RestartAnswer[] = ["resume", { choice: "replace", result: 7 }, "fresh"];
  const spec = failing(["a", "b", "b"], () => answers.shift() ?? "escalate", log);
  reasonOf({ children: [spec], intensity: 10 });
  expect(log).toEqual([
    "start",
    "worker failed 1",
    "resume",
    "worker failed 1",
    "replace 7",
    "worker failed 2",
    "fresh",
  ]);
});

test("SU5: escalating ends the supervisor with the failure, whatever restarts are left, also where each child's are counted", () => {
  for (const intensityPer of ["supervisor", "child"] as const) {
    const spec = failing(["no"], () => "escalate", []);
    const reason = reasonOf({ children: [spec], intensity: 100, intensityPer }) as { shutdown: Error };
    expect(reason.shutdown.message).toBe("no");
  }
});

test("SU2, SU5: the intensity holds for every choice", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom<RestartAnswer>("resume", "fresh"), { maxLength: 12 }), (answers) => {
      const log: string[] = [];
      const messages = answers.map((_, i) => `failure ${i}`);
      const spec = failing(messages, ({ failures }) => answers[failures - 1] ?? "fresh", log);
      reasonOf({ children: [spec], intensity: 5 });
      const starts = log.filter((line) => !line.startsWith("worker"));
      expect(starts).toEqual(["start", ...answers.slice(0, 5)]);
    }),
    { numRuns: 100 },
  );
});

test("SU5: a child without a journal cannot be resumed, and what is no choice or throws escalates by name", () => {
  const codes = [
    failing(["no"], () => "resume", [], { startAgain: undefined as never }),
    failing(["no"], () => "later" as never, []),
    failing(["no"], () => ({ choice: "replace" }) as never, []),
  ].map((spec) => {
    const { startAgain, ...rest } = spec;
    const reason = reasonOf({ children: [startAgain === undefined ? rest : spec] });
    return (reason as { shutdown: { code: string } }).shutdown.code;
  });
  expect(codes).toEqual(Array.from({ length: 3 }, () => "kernel.bad-restart-choice"));
  const throws = failing(["no"], () => {
    throw new TypeError("mine");
  }, []);
  expect((reasonOf({ children: [throws] }) as { shutdown: Error }).shutdown.message).toBe("mine");
});

test("SU5: a permanent child that ended as it should begins afresh without being asked about", () => {
  const log: string[] = [];
  let lives = 0;
  const spec: ChildSpec = {
    ...failing([], () => "escalate", log),
    *start(sys) {
      log.push("start");
      return sys.spawn(function* (own, _none?: Handle) {
        yield* own.sleep(lives++ === 0 ? 1 : 1_000_000);
      });
    },
  };
  reasonOf({ children: [spec], intensity: 3 });
  expect(log).toEqual(["start", "fresh"]);
});

test("RC1: a choice may be given by its name, and nothing else is one", () => {
  expect(checkedChoice("fresh")).toEqual({ choice: "fresh" });
  for (const rubbish of [
    undefined,
    null,
    1,
    "replace",
    "",
    [],
    {},
    { choice: "again" },
    { choice: "replace" },
  ])
    expect(() => checkedChoice(rubbish)).toThrowError(/choice of a restart/);
});
