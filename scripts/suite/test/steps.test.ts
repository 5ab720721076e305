import { afterEach, describe, expect, test, vi } from "vitest";
import { command, runSteps, type Step, totalLine } from "../steps.ts";

afterEach(() => vi.restoreAllMocks());

const step = (name: string, passed: number, failed: number, needed = false): Step => ({
  name,
  needed,
  run: () =>
    Promise.resolve({
      passed,
      failed,
      skipped: 0,
      ...(failed > 0 ? { notes: [`${name} failed`], failures: [`no ${name}`] } : {}),
    }),
});

test("a failed step does not stop the others, and everything is added up", async () => {
  const { total, lines, notes, failures } = await runSteps(
    [step("a", 2, 0), step("b", 1, 3), step("c", 4, 0)],
    () => {},
  );
  expect(total).toEqual({ passed: 7, failed: 3, skipped: 0 });
  expect(lines.map((line) => line.replace(/ \(.*/, ""))).toEqual([
    "  ok      a: 2 passed, 0 failed",
    "  FAILED  b: 1 passed, 3 failed",
    "  ok      c: 4 passed, 0 failed",
  ]);
  expect(notes).toEqual(["b failed"]);
  expect(failures).toEqual(["b: no b"]);
});

test("when a needed step fails the rest is listed as not run", async () => {
  const { total, lines } = await runSteps([step("build", 0, 1, true), step("tests", 9, 0)], () => {});
  expect(total).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(lines.at(-1)).toBe("  not run  tests");
});

describe("a command", () => {
  const runs = async (program: string): Promise<{ passed: number; failed: number; said: string }> => {
    const said: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line));
    const { passed, failed } = await command("x", ["-e", program]).run();
    return { passed, failed, said: said.join("\n") };
  };

  test("that passes without counting is one passed test", async () => {
    expect(await runs("console.log('fine')")).toEqual({ passed: 1, failed: 0, said: "fine" });
  });

  test("that fails without counting is one failed test and shows all it said", async () => {
    const { passed, failed, said } = await runs(
      "console.log('1\\n2\\n3\\n4'); console.error('why'); process.exit(3)",
    );
    expect([passed, failed, said]).toEqual([0, 1, "1\n2\n3\n4\nwhy"]);
  });

  test("that fails is named at the end with its last three lines", async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    const { failures } = await command("x", ["-e", "console.log('1\\n2\\n3\\n4'); process.exit(3)"]).run();
    expect(failures).toEqual(["2", "3", "4"]);
  });

  test("that counts no failure but exits with one is a failure", async () => {
    expect(await runs("console.log('counts: 5 passed, 0 failed'); process.exit(1)")).toEqual({
      passed: 5,
      failed: 1,
      said: "",
    });
  });

  test("that counts is counted, and its counts line is not shown", async () => {
    expect(await runs("console.log('x\\ncounts: 5 passed, 0 failed')")).toEqual({
      passed: 5,
      failed: 0,
      said: "x",
    });
  });
});

test("the last line has skips only when there are some", () => {
  expect(totalLine({ passed: 2, failed: 0, skipped: 0 })).toBe("2 passed, 0 failed");
  expect(totalLine({ passed: 2, failed: 1, skipped: 3 })).toBe("2 passed, 1 failed, 3 skipped");
});
