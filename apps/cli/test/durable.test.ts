/** Durable programs on the command line, as real processes: stopped, killed, gone on with, looked at and replayed. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

/** Charges, waits for a file `LABEL.ready`, and ships. What it performs is written to `LABEL.ledger`. */
function orderProgram(label: string): string {
  return programs.write(
    `${label}.ts`,
    `import { appendFileSync, existsSync } from "node:fs";
    export default {
      name: "order",
      uses: ["charge", "ready", "ship"],
      run: ({ item }) =>
        function* (sys, _inbox, charge, ready, ship) {
          const payment = yield* sys.exec(charge, { item });
          while (!(yield* sys.exec(ready, null))) yield* sys.sleep(20);
          return { payment, parcel: yield* sys.exec(ship, { item }) };
        },
    };
    export const services = {
      charge: async (input, { key }) => {
        appendFileSync("${label}.ledger", key + "\\n");
        return "paid for " + input.item;
      },
      ready: {
        repeatable: true,
        run: async () => {
          console.error("waiting");
          return existsSync("${label}.ready");
        },
      },
      ship: async (input) => "sent " + input.item,
    };`,
  );
}

const INPUT = ["--input", '{"item":"lamp"}'];
const NAME = ["--name", "order/17"];

/** Run a program until it waits, and end its process. Returns its file and journal. */
async function interrupted(
  label: string,
  signal: "SIGINT" | "SIGKILL",
): Promise<{ file: string; journal: string; code: number | null; stderr: string }> {
  const [file, journal] = [orderProgram(label), `${label}-journal`];
  const run = programs.start(["run", file, "--journal", journal, ...NAME, ...INPUT]);
  await run.until("stderr", /waiting/);
  run.child.kill(signal);
  const { code, stderr } = await run.result;
  return { file, journal, code, stderr };
}

function ledgerOf(label: string): string {
  return readFileSync(join(programs.folder, `${label}.ledger`), "utf8");
}

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

it.each(["SIGINT", "SIGKILL"] as const)(
  "after %s the same command goes on with the program, what was done is not done again, and its result stays",
  async (signal) => {
    const { file, journal, code, stderr } = await interrupted(signal, signal);
    if (signal === "SIGINT") expect(code).toBe(130);
    if (signal === "SIGINT") expect(stderr).toContain("order/17 goes on when the same command is run again");
    programs.write(`${signal}.ready`, "");
    const args = ["run", file, "--journal", journal, ...NAME];
    const second = await programs.run(args);
    expect(second.stderr).toContain("order/17 goes on.\n");
    expect([second.code, second.stdout]).toEqual([0, "{ payment: 'paid for lamp', parcel: 'sent lamp' }\n"]);
    const third = await programs.run([...args, "--json"]);
    expect(lines(third.stdout)[0]).toEqual({ event: "ended-before", domain: "order/17" });
    expect(lines(third.stdout)[1]).toMatchObject({ ok: true, result: { parcel: "sent lamp" } });
    expect(ledgerOf(signal)).toBe("order/17:/0#1\n");
  },
);

describe("looking at a journal", () => {
  it("list and show say what a domain is and did, for people and as JSON, also while it runs", async () => {
    const [file, journal] = [orderProgram("looked"), "looked-journal"];
    const run = programs.start(["run", file, "--journal", journal, ...NAME, ...INPUT]);
    await run.until("stderr", /waiting/);
    const list = await programs.run(["journal", "list", journal, "--json"]);
    expect(lines(list.stdout)[0]).toMatchObject({
      event: "domain",
      domain: "order/17",
      program: "order",
      state: "running",
    });
    expect(lines(list.stdout).at(-1)).toEqual({ ok: true, domains: 1 });
    expect((await programs.run(["journal", "list", journal])).stdout).toMatch(
      /^DOMAIN +PROGRAM +STATE.*\norder\/17 +order /,
    );
    const { stdout } = await programs.run(["journal", "show", journal, "order/17", "--values"]);
    expect(stdout).toMatch(/ 1 {2}begins order, with charge, ready, ship {2}\{ item: 'lamp' \}\n/);
    expect(stdout).toMatch(/ 3 {2}\/0: is about to exec\n/);
    expect(stdout).toContain("/0: exec answered  'paid for lamp'");
    const later = await programs.run(["journal", "show", journal, "order/17", "--from", "3", "--json"]);
    expect(lines(later.stdout)[0]).toMatchObject({
      event: "record",
      seq: 3,
      what: "is about to exec",
      task: "/0",
    });
    expect(lines(later.stdout).at(-1)).toMatchObject({ ok: true, domain: "order/17" });
    run.child.kill("SIGINT");
    await run.result;
  });

  it("a journal that nobody wrote, a domain that is not there and a bad number are refused by name", async () => {
    const { journal } = await interrupted("refusals", "SIGINT");
    const codeOf = async (...args: string[]) => {
      const { stdout, stderr, code } = await programs.run([...args, "--json"]);
      expect(stderr).not.toContain("    at ");
      return [code, (lines(stdout).at(-1) as { error?: { code: string } }).error?.code];
    };
    expect(await codeOf("journal", "list", "nowhere")).toEqual([1, "cli.journal-missing"]);
    expect(await codeOf("journal", "show", journal, "nobody")).toEqual([1, "cli.domain-missing"]);
    expect(await codeOf("journal", "show", journal, "order/17", "--from", "-1")).toEqual([2, "cli.usage"]);
    expect(await codeOf("replay", journal, "nobody", "--program", "refusals.ts")).toEqual([
      1,
      "cli.domain-missing",
    ]);
    expect(await codeOf("replay", journal, "order/17", "--program", "none.ts")).toEqual([
      1,
      "cli.program-unreadable",
    ]);
  });
});

describe("replay", () => {
  it("says where a domain stands, performs nothing, and leaves the journal as it was", async () => {
    const { file, journal } = await interrupted("replayed", "SIGKILL");
    const before = ledgerOf("replayed");
    const { stdout, code } = await programs.run(["replay", journal, "order/17", "--program", file, "--json"]);
    expect(code).toBe(0);
    expect(lines(stdout)[0]).toMatchObject({ ok: true, domain: "order/17", state: "running" });
    expect(ledgerOf("replayed")).toBe(before);
  });

  it("a changed program is refused with the record, both sides and the line of its source", async () => {
    const { file, journal } = await interrupted("changed", "SIGKILL");
    const changed = readFileSync(join(programs.folder, file), "utf8").replace(
      "const payment = yield* sys.exec(charge, { item });",
      "const payment = yield* sys.exec(ship, { item });",
    );
    programs.write("changed.ts", changed);
    const { stderr, code } = await programs.run(["replay", journal, "order/17", "--program", "changed.ts"]);
    expect(code).toBe(1);
    expect(stderr).toContain("record 3 says  that its root task called exec");
    expect(stderr).toContain("the program     called exec of ship: another service, or other arguments");
    expect(stderr).toMatch(/arguments\n {4}at .*changed\.ts:7:/);
    const run = await programs.run(["run", "changed.ts", "--journal", journal, ...NAME, "--json"]);
    expect((lines(run.stdout).at(-1) as { error: { code: string } }).error.code).toBe("durable.diverged");
  });
});

it("an input that is no JSON is refused before anything is started", async () => {
  const file = orderProgram("early");
  const { stdout, code } = await programs.run([
    "run",
    file,
    "--journal",
    "early-journal",
    "--input",
    "{bad",
    "--json",
  ]);
  expect(code).toBe(2);
  expect((lines(stdout).at(-1) as { error: { code: string } }).error.code).toBe("cli.input-malformed");
  expect(existsSync(join(programs.folder, "early-journal"))).toBe(false);
});

it.each([
  ["--name without --journal", ["--name", "x"], "--name has no meaning without --journal"],
  ["--input without --journal", ["--input", "{}"], "--input has no meaning without --journal"],
  ["--quantum with it", ["--journal", "idle", "--quantum", "5"], "--quantum has no meaning with --journal"],
  [
    "--dump-state with it",
    ["--journal", "idle", "--dump-state"],
    "--dump-state has no meaning with --journal",
  ],
  ["arguments with it", ["--journal", "idle", "lamp"], "A durable program takes no arguments"],
  ["a name that is none", ["--journal", "idle", "--name", "lämp"], '--name "lämp" cannot name a domain'],
])("%s: what would have no effect is refused, and no folder is made", async (_case, args, said) => {
  const { code, stderr } = await programs.run(["run", orderProgram("idle"), ...args]);
  expect([code, stderr.slice(0, said.length + 6)]).toEqual([2, `glia: ${said}`]);
  expect(existsSync(join(programs.folder, "idle"))).toBe(false);
});

it("a program that refuses its input is named with the line that did, and nothing is started", async () => {
  const { code, stderr } = await programs.run(["run", orderProgram("refusing"), "--journal", "refusing"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^glia: Task order failed at refusing\.ts:5:\d+: TypeError: .*'item'/);
  const list = await programs.run(["journal", "list", "refusing", "--json"]);
  expect(lines(list.stdout)).toEqual([{ ok: true, domains: 0 }]);
});

it("a file without a durable program, and a service that nobody offers, are refused by name", async () => {
  programs.write("plain.ts", "export default function* (sys) { yield* sys.sleep(1); }");
  const plain = await programs.run(["run", "plain.ts", "--journal", "p", "--json"]);
  expect((lines(plain.stdout).at(-1) as { error: { code: string } }).error.code).toBe("cli.no-program");
  expect(plain.stderr).toContain("or run it without --journal");
  const durable = await programs.run(["run", orderProgram("unjournaled")]);
  expect(durable.stderr).toMatch(/its default export is a durable program\. Run it with --journal FOLDER/);
  programs.write(
    "lacking.ts",
    `export default { name: "lacking", uses: ["http"], run: () => function* () {} };`,
  );
  const lacking = await programs.run(["run", "lacking.ts", "--journal", "l", "--json"]);
  expect((lines(lacking.stdout).at(-1) as { error: { code: string } }).error.code).toBe(
    "durable.program-unknown",
  );
});

it("files of a granted folder and no others are within reach of a durable program", async () => {
  programs.write(
    "reads.ts",
    `export default {
      name: "reads",
      uses: ["files"],
      run: (path) => function* (sys, _inbox, files) {
        try {
          const bytes = yield* sys.file(files, { operation: "read", path });
          return new TextDecoder().decode(bytes);
        } catch (error) {
          return error.details?.code ?? error.code;
        }
      },
    };`,
  );
  programs.write("granted.txt", "hello");
  const read = async (path: string, name: string) =>
    (
      await programs.run([
        "run",
        "reads.ts",
        "--journal",
        "r",
        "--files",
        ".",
        "--name",
        name,
        "--input",
        JSON.stringify(path),
      ])
    ).stdout;
  expect(await read("granted.txt", "a")).toBe("'hello'\n");
  expect(await read("../outside.txt", "b")).toMatch(/^'host\./);
});
