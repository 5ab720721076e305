import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { LINE_LIMIT_BYTES, linesOf } from "../src/run/input-lines.ts";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

function lastRecord(stdout: string): {
  ok: boolean;
  error?: { code: string; details: Record<string, unknown> };
} {
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as never;
}

describe("RP1: the end of a run", () => {
  const patient = programs.write(
    "patient.ts",
    `export default function* (sys) {
      sys.spawn(function* (sys) {
        try { yield* sys.waitOn("never"); } finally { console.log("child cleaned"); }
      }, { name: "child" });
      try {
        console.log("ready");
        for (;;) yield* sys.sleep(1000);
      } finally { console.log("main cleaned"); }
    }`,
  );

  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s cancels the tasks, their finally blocks run, exit code 130",
    async (signal) => {
      const run = programs.start(["run", patient]);
      await run.until("stdout", /ready/);
      run.child.kill(signal);
      const { code, stdout, stderr } = await run.result;
      expect(code).toBe(130);
      expect(stdout).toContain("main cleaned");
      expect(stdout).toContain("child cleaned");
      expect(stderr).toMatch(/^glia: Interrupted by (Ctrl-C|SIGTERM)\./);
    },
  );

  it("a second Ctrl-C ends a program at once that takes its time to clean up", async () => {
    const file = programs.write(
      "slow.ts",
      `export default function* (sys) {
        console.log("ready");
        try { yield* sys.sleep(1e6); } finally { console.log("cleaning"); yield* sys.sleep(1e6); console.log("never"); }
      }`,
    );
    const run = programs.start(["run", file]);
    await run.until("stdout", /ready/);
    run.child.kill("SIGINT");
    await run.until("stdout", /cleaning/);
    run.child.kill("SIGINT");
    const { code, stdout } = await run.result;
    expect([code, stdout]).toEqual([130, "ready\ncleaning\n"]);
    expect(readdirSync(join(programs.runtime, "glia"))).toEqual([]);
  });

  it("--dump-state on Ctrl-C shows the tasks as they were before they were cancelled", async () => {
    const run = programs.start(["run", patient, "--dump-state"]);
    await run.until("stdout", /ready/);
    run.child.kill("SIGINT");
    const { stderr } = await run.result;
    expect(stderr).toMatch(/main +\/0 +sleeping +normal +sleep/);
    expect(stderr).toMatch(/child +\/0\/0 +waiting +normal +waitOn +key "never"/);
  });

  it("Ctrl-\\ prints the state and the program goes on", async () => {
    const run = programs.start(["run", patient]);
    await run.until("stdout", /ready/);
    run.child.kill("SIGQUIT");
    await run.until("stderr", /child +\/0\/0 +waiting/);
    run.child.kill("SIGQUIT");
    await run.until("stderr", /(?:state of patient\.ts[\s\S]*){2}/);
    run.child.kill("SIGINT");
    expect((await run.result).code).toBe(130);
  });

  it("a reader that goes away ends the program: finally blocks run, exit code 1", async () => {
    const file = programs.write(
      "chatty.ts",
      `export default function* (sys) {
        try { for (;;) { console.log("more"); yield* sys.sleep(1); } } finally { console.error("cleaned"); }
      }`,
    );
    const run = programs.start(["run", file]);
    await run.until("stdout", /more/);
    run.child.stdout?.destroy();
    const { code, stderr } = await run.result;
    expect([code, stderr]).toEqual([1, "cleaned\n"]);
  });

  it("RP3: tasks that wait for ever are a deadlock: who waits for what is printed, finally blocks run, exit code 1", async () => {
    const file = programs.write(
      "stuck.ts",
      `export default function* (sys) {
        const box = sys.mailbox();
        const child = sys.spawn(function* (sys, inbox) {
          try { yield* sys.receive(inbox); } finally { console.log("cleaned"); }
        }, { name: "child", give: [box] });
        yield* sys.wait(child);
      }`,
    );
    const { code, stdout, stderr } = await programs.run(["run", file]);
    expect([code, stdout]).toEqual([1, "cleaned\n"]);
    expect(stderr).toMatch(/main +\/0 +waiting +normal +wait +the end of task \d+ \(child\)/);
    expect(stderr).toMatch(/child +\/0\/0 +waiting +normal +receive +mailbox \d+/);
    expect(stderr).toMatch(/glia: Deadlock: All 2 tasks wait and nothing can wake one\./);
    const json = await programs.run(["run", file, "--json", "--dump-state"]);
    const [state] = json.stdout.trim().split("\n");
    expect(JSON.parse(state ?? "")).toMatchObject({
      event: "state",
      state: { tasks: [{ name: "main" }, { name: "child" }] },
    });
    expect(lastRecord(json.stdout).error).toMatchObject({
      code: "cli.deadlock",
      details: {
        count: 2,
        tasks: [
          { name: "main", syscall: "wait" },
          { name: "child", syscall: "receive" },
        ],
      },
    });
  });

  it("RP3: a task that waits for the outside is no deadlock while the outside can answer, and is one when it cannot", async () => {
    const file = programs.write(
      "outside.ts",
      `export default function* (sys, kind) {
        console.log(yield* sys.external((settle) => { if (kind === "timer") setTimeout(() => settle.ok("came"), 20); }));
      }`,
    );
    expect(await programs.run(["run", file, "timer"])).toMatchObject({ code: 0, stdout: "came\n" });
    const never = await programs.run(["run", file, "never", "--json"]);
    expect(lastRecord(never.stdout).error).toMatchObject({
      code: "cli.deadlock",
      details: { tasks: [{ syscall: "external" }] },
    });
  });
});

describe("a task that fails", () => {
  it("the main one ends the run: the place in the source, its code, exit code 1, the others cleaned up", async () => {
    const file = programs.write(
      "main-fails.ts",
      `type Kind = string;
      function* deep(sys: unknown): Generator<never, void> {
        throw Object.assign(new RangeError("too far"), { code: "app.too-far" });
      }
      export default function* (sys) {
        sys.spawn(function* (sys) { try { yield* sys.sleep(1e6); } finally { console.log("cleaned"); } });
        yield* sys.sleep(1);
        yield* deep(sys);
      }`,
    );
    const { code, stdout, stderr } = await programs.run(["run", file]);
    expect([code, stdout]).toEqual([1, "cleaned\n"]);
    expect(stderr).toMatch(
      /^glia: Task main failed at main-fails\.ts:3:\d+: RangeError: too far \(app\.too-far\)\. /,
    );
    expect(stderr.trim().split("\n")).toHaveLength(1);
    const verbose = await programs.run(["run", file, "-v"]);
    expect(verbose.stderr).toMatch(/caused by: RangeError: too far\n +at deep/);
    const json = await programs.run(["run", file, "--json"]);
    expect(lastRecord(json.stdout).error).toMatchObject({
      code: "cli.task-failed",
      details: {
        name: "main",
        path: "/0",
        code: "app.too-far",
        at: expect.stringMatching(/^main-fails\.ts:3:/),
      },
    });
  });

  it("RP2: another one is reported at once, the rest goes on, exit code 1", async () => {
    const file = programs.write(
      "child-fails.ts",
      `export default function* (sys) {
        sys.spawn(function* () { throw new Error("child broke"); }, { name: "child" });
        yield* sys.sleep(1);
        console.log("went on");
      }`,
    );
    const { code, stdout, stderr } = await programs.run(["run", file]);
    expect([code, stdout]).toEqual([1, "went on\n"]);
    expect(stderr).toMatch(/^glia: Task child failed at child-fails\.ts:2:\d+: child broke\./);
    expect(stderr).toContain("glia: 1 task failed while nobody waited for it");
  });

  it("one that somebody waits for is that one's matter: exit code 0", async () => {
    const file = programs.write(
      "waited.ts",
      `export default function* (sys) {
        const exit = yield* sys.wait(sys.spawn(function* () { throw new Error("expected"); }));
        console.log(exit.kind, exit.error.message);
      }`,
    );
    expect(await programs.run(["run", file])).toMatchObject({
      code: 0,
      stdout: "failed expected\n",
      stderr: "",
    });
  });

  it("a foreign await and a kernel refusal carry their codes and what to do", async () => {
    programs.write(
      "foreign.js",
      "export default async () => { await new Promise((done) => setTimeout(done, 5)); }",
    );
    programs.write("refused.js", "export default function* (sys) { yield* sys.sleep(-1); }");
    expect((await programs.run(["run", "foreign.js"])).stderr).toMatch(
      /\(kernel\.foreign-await\)\. Await only syscalls/,
    );
    expect((await programs.run(["run", "refused.js"])).stderr).toMatch(
      /failed at refused\.js:1:\d+: .*\(kernel\.bad-duration\)/,
    );
  });

  it("a task that holds the loop is named while it does, with what a person can do", async () => {
    const file = programs.write(
      "hog.ts",
      "export default function* (sys) { yield* sys.sleep(1); for (const t = performance.now(); performance.now() - t < 2500; ); }",
    );
    const { code, stderr } = await programs.run(["run", file]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^glia: task \d+ \(\/0 main\) has held the loop for \d+ ms: Ctrl-C works once it lets go; kill -9 \d+ ends the process now\n/,
    );
  });
});

describe("lines of standard input", () => {
  async function* chunks(...texts: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
    for (const text of texts) yield Buffer.from(text);
  }
  async function collect(input: AsyncIterable<Buffer>): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of linesOf(input)) lines.push(line);
    return lines;
  }

  it("IL1: are split at LF and CR LF wherever the chunks end, and what is no UTF-8 is replaced", async () => {
    expect(await collect(chunks("a", "b\r", "\n\nc\n\n"))).toEqual(["ab", "", "c", ""]);
    expect(await collect(chunks(Buffer.from([0xff, 0x0a]), "\u00e9".slice(0, 1)))).toEqual([
      "\ufffd",
      "\u00e9",
    ]);
    expect(await collect(chunks())).toEqual([]);
  });

  it("IL2: one of 1 MiB is taken, a longer one is refused, in one chunk or many", async () => {
    const most = "x".repeat(LINE_LIMIT_BYTES);
    expect((await collect(chunks(most, "\n", most))).map(({ length }) => length)).toEqual([
      LINE_LIMIT_BYTES,
      LINE_LIMIT_BYTES,
    ]);
    await expect(collect(chunks(`${most}x\n`))).rejects.toMatchObject({ code: "cli.line-too-long" });
    await expect(collect(chunks(most, "x"))).rejects.toMatchObject({ code: "cli.line-too-long" });
  });

  it("IL2: a million lines reach a reactor through its bounded mailbox, none lost", async () => {
    const file = programs.write(
      "count.js",
      "export default { init: () => ({ n: 0 }), handle: (sys, state) => { state.n++; }, close: (sys, { n }) => console.log(n) };",
    );
    const { code, stdout } = await programs.run(["run", file], "line\n".repeat(1_000_000));
    expect([code, stdout]).toEqual([0, "1000000\n"]);
  });

  it("a line that is too long ends the program with exit code 1", async () => {
    const { code, stderr } = await programs.run(["run", "count.js"], "x".repeat(LINE_LIMIT_BYTES + 1));
    expect([code, stderr]).toEqual([1, expect.stringContaining("longer than 1048576 bytes")]);
  });
});
