import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

interface Record_ {
  readonly ok?: boolean;
  readonly event?: string;
  readonly result?: unknown;
  readonly throttled?: number;
  readonly tasks?: unknown;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly details: Record<string, unknown>;
  };
  readonly state?: {
    readonly tasks: readonly Record<string, unknown>[];
    readonly counters: Record<string, number>;
  };
}

function linesOf(stdout: string): readonly Record_[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record_);
}

describe("a program file", () => {
  it("LP1: a generator function in TypeScript is a task; it gets the texts after the file", async () => {
    const file = programs.write(
      "hello.ts",
      `import type { Handle, Sys } from "@glia-os/kernel";
      export default function* (sys: Sys, ...args: string[]) {
        const box = sys.mailbox<string>();
        const worker = function* (sys: Sys, out: Handle<string>) {
          yield* sys.sleep(1);
          yield* sys.send(out, args.join("+"));
        };
        sys.spawn(worker, { give: [box] });
        console.log(yield* sys.receive(box));
      }`,
    );
    const { code, stdout, stderr } = await programs.run(["run", file, "a", "--", "--b"]);
    expect([code, stdout, stderr]).toEqual([0, "a+--b\n", ""]);
  });

  it("LP1: an async function is an async task, and its result is the result of the run", async () => {
    const file = programs.write(
      "async.js",
      "export default async (sys, n) => { await sys.sleep(1); return [Number(n) * 2]; };",
    );
    const { code, stdout } = await programs.run(["run", file, "21", "--json"]);
    expect(code).toBe(0);
    expect(linesOf(stdout)).toMatchObject([{ ok: true, result: [42], tasks: { spawned: 1, finished: 1 } }]);
  });

  it("LP2: a reactor gets the lines of standard input and ends with them; close runs", async () => {
    const file = programs.write(
      "lines.ts",
      `export default {
        init: (_sys: unknown, _inbox: unknown, word: string) => ({ word, lines: [] as string[] }),
        handle(_sys: unknown, state: { lines: string[] }, line: string) { state.lines.push(line); },
        close: (_sys: unknown, { word, lines }: { word: string; lines: string[] }) => console.log(word, JSON.stringify(lines)),
      };`,
    );
    const { code, stdout } = await programs.run(["run", file, "got"], "one\r\n\nlast without end");
    expect([code, stdout]).toEqual([0, 'got ["one","","last without end"]\n']);
  });

  it("OI1: a program imports Glia's packages without installing them, and gets the kernel it runs on", async () => {
    const file = programs.write(
      "imports.ts",
      `import { receiveFrom, after } from "@glia-os/kernel";
      import { reactor, stop } from "@glia-os/kernel/face";
      export default function* (sys) {
        const box = sys.mailbox();
        const task = sys.spawn(reactor({ init: () => 0, handle: (_s, n, m) => (m === "end" ? stop(n) : n + 1) }), { give: [box] });
        for (const m of [1, 2, "end"]) yield* sys.send(box, m);
        console.log(JSON.stringify(yield* sys.wait(task)), (yield* sys.select([receiveFrom(sys.mailbox()), after(1)]))[0]);
      }`,
    );
    const { code, stdout, stderr } = await programs.run(["run", file]);
    expect([code, stdout, stderr]).toEqual([0, '{"kind":"ok","value":2} 1\n', ""]);
  });

  it("registers and looks up names, calls and is answered, and grants less than it has", async () => {
    const file = programs.write(
      "names.ts",
      `export default function* (sys) {
        const box = sys.mailbox();
        sys.register("doubler", box);
        sys.spawn(function* (sys) {
          const doubler = sys.lookup("doubler");
          console.log(yield* sys.call(doubler, 21), sys.whereis("doubler") !== undefined);
          try { yield* sys.receive(doubler); } catch (error) { console.log(error.code); }
          try { sys.lookup("nobody"); } catch (error) { console.log(error.code); }
        });
        const call = yield* sys.receive(box);
        sys.reply(call, call.message * 2);
        yield* sys.sleep(1);
      }`,
    );
    const { code, stdout } = await programs.run(["run", file]);
    expect([code, stdout]).toEqual([0, "42 true\nkernel.missing-right\nkernel.unknown-name\n"]);
  });

  it.each([
    ["missing.ts", undefined, "cli.program-unreadable", "there is no such file"],
    ["words.txt", "hello", "cli.program-unreadable", "its name does not end in .ts"],
    ["empty.ts", "", "cli.no-program", "it has no default export"],
    ["object.ts", "export default { a: 1 }", "cli.no-program", "an object without init and handle (a)"],
    ["class.js", "export default class A {}", "cli.no-program", "its default export is a class"],
    ["asyncgen.js", "export default async function* () {}", "cli.no-program", "an async generator function"],
    ["plain.js", "export default () => 5", "cli.no-program", "does not return a generator"],
    [
      "enum.ts",
      "\nenum A { B }\nexport default A",
      "cli.program-syntax",
      "enum.ts:2: TypeScript enum is not supported",
    ],
    ["broken.ts", "const a: = 3;", "cli.program-syntax", "broken.ts:1: "],
    ["broken.js", "\n\nconst a = = 3;", "cli.program-syntax", "broken.js:3: Unexpected token"],
    ["throws.ts", "\nthrow new TypeError('boo')", "cli.program-failed-to-load", "throws.ts:2:7: boo"],
    ["imports-nothing.ts", "import './none.ts'", "cli.program-failed-to-load", "Cannot find module"],
    [
      "waits.js",
      "await new Promise(() => {}); export default 1",
      "cli.program-failed-to-load",
      "it awaits what never comes",
    ],
    ["binary.js", "\u0000\u0001\u0002", "cli.program-syntax", "binary.js"],
  ])("LP3: %s is refused with a typed error that names the fault", async (file, source, code, said) => {
    if (source !== undefined) programs.write(file, source);
    const { code: exit, stdout, stderr } = await programs.run(["run", file, "--json"]);
    expect(exit).toBe(1);
    const [record] = linesOf(stdout);
    expect([record?.error?.code, record?.error?.message]).toEqual([code, expect.stringContaining(said)]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("refuses a folder, and options out of range before the file is looked at", async () => {
    expect((await programs.run(["run", "."])).stderr).toContain("it is not a regular file");
    for (const [option, value] of [
      ["--concurrency", "0"],
      ["--concurrency", "33"],
      ["--concurrency", "two"],
      ["--quantum", "0"],
      ["--quantum", "60001"],
      ["--quantum", "1e3"],
    ] as const) {
      const { code, stderr } = await programs.run(["run", "missing.ts", option, value]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`${option} ${value} is out of range`)]);
    }
    const { code, stderr } = await programs.run(["run", "missing.ts", "--listen", "7000"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('"7000" is not an address')]);
  });
});

describe("the options of glia run", () => {
  const hogs = programs.write(
    "hogs.ts",
    `export default function* (sys) {
      for (const name of ["first", "second"]) sys.spawn(function* (sys) {
        for (let i = 0; i < 300; i++) { const t = performance.now(); while (performance.now() - t < 0.5); yield* sys.yield(); }
      }, { name });
    }`,
  );

  it("a quantum throttles each task that runs too long, and the state shows it; without it none is", async () => {
    const [limited, free] = await Promise.all([
      programs.run(["run", hogs, "--quantum", "5", "--dump-state", "--json"]),
      programs.run(["run", hogs, "--dump-state", "--json"]),
    ]);
    const [state, end] = linesOf(limited.stdout);
    expect(end).toMatchObject({ ok: true, tasks: { finished: 3 } });
    expect(state?.state?.counters["throttled"]).toBeGreaterThan(5);
    expect(end?.throttled).toBe(state?.state?.counters["throttled"]);
    expect(linesOf(free.stdout)[1]).toMatchObject({ ok: true, throttled: 0 });
  });

  it("concurrency is the number of threads that run the program's jobs", async () => {
    // Each job waits until all have started: that needs as many threads as there are jobs.
    const file = programs.write(
      "threads.ts",
      `import { threadId } from "node:worker_threads";
      export function square(n: number) { return n * n; }
      export function fails() { throw new TypeError("no job"); }
      export function where(ms: number) { const t = performance.now(); while (performance.now() - t < ms); return threadId; }
      export default function* (sys) {
        const threads = sys.lookup("threads");
        console.log(yield* sys.call(threads, { run: "square", payload: 7 }));
        for (const job of [{ run: "fails" }, { run: "none" }, 3]) try { yield* sys.call(threads, job); } catch (error) { console.log(error.code); }
        const seen = new Set();
        const asked = Array.from({ length: 12 }, () => sys.spawn(function* (sys) {
          seen.add(yield* sys.call(sys.lookup("threads"), { run: "where", payload: 50 }, 60_000));
        }));
        for (const task of asked) yield* sys.wait(task);
        console.log(seen.has(0), seen.size);
      }`,
    );
    const refused = "49\nhost.job-failed\nhost.unknown-entry\nhost.bad-option\n";
    const one = await programs.run(["run", file, "--concurrency", "1"]);
    expect([one.code, one.stdout]).toEqual([0, `${refused}false 1\n`]);
    const three = await programs.run(["run", file, "--concurrency", "3"]);
    expect(three.stdout).toMatch(new RegExp(`^${refused}false [23]\n$`));
  });

  it("JQ1: the queues a file names take its jobs, and the state shows them; nothing of the kernel is given away", async () => {
    const file = programs.write(
      "queues.ts",
      `export const queues = { mail: { concurrency: 2, capacity: 3 }, bulk: {} };
      export default function* (sys) {
        const given = yield* sys.call(sys.lookup("queues"), "open");
        console.log(Object.keys(given).join());
        const job = (n) => ({ *run(sys) { yield* sys.sleep(1e6); return n; } });
        const first = given.submit("mail", { *run(sys, { number }) { yield* sys.sleep(1); return "sent " + number; } });
        console.log((yield* first.wait(sys)).value);
        for (let i = 0; i < 5; i++) given.submit("mail", job(i));
        for (const queue of ["mail", "none"]) try { given.submit(queue, job(5)); } catch (error) { console.log(error.code); }
        throw new RangeError("look at the state");
      }`,
    );
    const { stdout, stderr } = await programs.run(["run", file, "--dump-state"]);
    expect(stdout).toMatch(
      /^submit,find,pressure,onPressure,dump\nsent 1\nkernel\.queue-full\nkernel\.unknown-queue\n$/,
    );
    expect(stderr).toMatch(/^mail +normal +3\/3 +2\/2 +0 +1 +0 +100 %, paused$/m);
    expect(stderr).toMatch(/^bulk +normal +0\/1024 +0\/16 /m);
  });

  it("JQ2: queues that are wrong are refused before the program starts", async () => {
    const rest = "export default function* () { console.log('ran'); }";
    programs.write("queues-text.ts", `export const queues = "mail"; ${rest}`);
    programs.write("queues-bad.ts", `export const queues = { mail: { concurrency: 0 } }; ${rest}`);
    const [text, bad] = await Promise.all(
      ["queues-text.ts", "queues-bad.ts"].map((file) => programs.run(["run", file])),
    );
    expect([text?.code, text?.stdout, text?.stderr]).toEqual([
      1,
      "",
      expect.stringContaining("its export queues is not"),
    ]);
    expect([bad?.code, bad?.stdout, bad?.stderr]).toEqual([1, "", expect.stringContaining("concurrency")]);
  });

  it("LI1: --listen opens the socket, tasks accept on it and hand connections on, and nobody else can close it", async () => {
    const file = programs.write(
      "echo.ts",
      `import { accept, recv, send } from "@glia-os/host";
      export default function* (sys) {
        const listener = yield* sys.call(sys.lookup("listener"), "open");
        try { sys.closeResource(listener); } catch (error) { console.log(error.code); }
        for (;;) {
          const connection = yield* accept(sys, listener);
          sys.spawn(echo, { give: [connection] });
          sys.drop(connection);
        }
      }
      function* echo(sys, connection) {
        for (;;) {
          const bytes = yield* recv(sys, connection, 4096);
          if (bytes.length === 0) return;
          yield* send(sys, connection, bytes);
        }
      }`,
    );
    const run = programs.start(["run", file, "--listen", "127.0.0.1:0", "--json"]);
    let said = "";
    run.child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await run.until("stdout", /"event":"listening".*\n/);
    await run.until("stderr", /kernel\.missing-right/);
    const { port } = JSON.parse(said.split("\n")[0] ?? "") as { port: number };
    const echoes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => {
        const socket = connect(port, "127.0.0.1", () => socket.end(`client ${i}`));
        return text(socket);
      }),
    );
    expect(echoes).toEqual(Array.from({ length: 50 }, (_, i) => `client ${i}`));
    const second = await programs.run(["run", file, "--listen", `127.0.0.1:${port}`]);
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(`127.0.0.1:${port}`)]);
    run.child.kill("SIGINT");
    expect((await run.result).code).toBe(130);
  });

  it("verbosity: -v says when tasks start and end, -vv every syscall, neither of them nothing", async () => {
    const file = programs.write(
      "small.ts",
      "export default function* (sys) { sys.log('debug', 'seen'); sys.spawn(function* (sys) { yield* sys.sleep(1); }, { name: 'child' }); }",
    );
    const [quiet, v, vv] = await Promise.all(
      [[], ["-v"], ["-vv"]].map((flags) => programs.run(["run", file, ...flags])),
    );
    expect(quiet?.stderr).toBe("");
    const tidy = (text = "") =>
      text.replaceAll(/task \d+/g, "task N").replaceAll(/^.*debug.*seen.*$/gm, "(log)");
    expect(tidy(v?.stderr).trim().split("\n")).toEqual([
      "task N /0 (main) started",
      "(log)",
      "task N /0 (main) finished",
      "task N /0/0 (child) started",
      "task N /0/0 (child) finished",
    ]);
    expect(tidy(vv?.stderr)).toContain("task N /0 (main) spawn() done");
    expect(tidy(vv?.stderr)).toContain("task N /0/0 (child) sleep(1) parked");
    expect([quiet, v, vv].map((result) => result?.stdout)).toEqual(["", "", ""]);
  });

  it("--json keeps standard output for JSON: what the program prints goes to standard error", async () => {
    const file = programs.write(
      "prints.ts",
      "export default function* () { console.log('not json'); return 1n; }",
    );
    const { stdout, stderr } = await programs.run(["run", file, "--json"]);
    expect(linesOf(stdout)).toMatchObject([{ ok: true, result: "1" }]);
    expect(stderr).toBe("not json\n");
  });

  it("the option --dump-state prints a table for people on standard error", async () => {
    const { stdout, stderr } = await programs.run(["run", hogs, "--dump-state"]);
    expect(stdout).toBe("");
    expect(stderr).toMatch(
      /^glia: state of hogs\.ts, process \d+\ntasks {5}0 live\nended {5}3 finished, 0 failed/,
    );
  });
});
