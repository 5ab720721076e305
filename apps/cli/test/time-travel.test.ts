/** Going back, branching off, comparing and judging by the real command, on journals of real programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KIND, loggedRecords } from "@glia-os/durable";
import { openJournalReader } from "@glia-os/store/journal-reader";
import { afterAll, describe, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

/** Checks stock, then ships or writes an apology. What it performs is written to `LABEL.ledger`. */
function orderProgram(label: string, apology = "sorry"): string {
  return programs.write(
    `${label}.ts`,
    `import { appendFileSync } from "node:fs";
    export default {
      name: "order",
      uses: ["stock", "ship", "write"],
      run: ({ item }) =>
        function* (sys, _inbox, stock, ship, write) {
          const left = yield* sys.exec(stock, item);
          if (left > 0) return yield* sys.exec(ship, item);
          return yield* sys.exec(write, "${apology}");
        },
    };
    const performed = (what, key) => appendFileSync("${label}.ledger", what + " " + key + "\\n");
    export const services = {
      stock: async (item, { key }) => (performed("stock", key), 3),
      ship: async (item, { key }) => (performed("ship", key), "sent " + item),
      write: async (text, { key }) => (performed("write", key), "wrote " + text),
    };`,
  );
}

interface Ran {
  readonly file: string;
  readonly journal: string;
  /** The records in which the stock was told, and the next call began. */
  readonly told: number;
  readonly shipping: number;
  readonly records: number;
}

async function ran(label: string): Promise<Ran> {
  const [file, journal] = [orderProgram(label), `${label}-journal`];
  const args = ["run", file, "--journal", journal, "--name", "order/17", "--input", '{"item":"lamp"}'];
  const { stdout, stderr } = await programs.run(args);
  expect([stderr, stdout]).toEqual(["", "'sent lamp'\n"]);
  const reader = openJournalReader(join(programs.folder, journal));
  const records = await Array.fromAsync(loggedRecords(reader, "order/17"));
  await reader.close();
  const told = records.find(({ row }) => row.kind === KIND.resume)?.seq ?? 0;
  const shipping = records.findLast(({ row }) => row.kind === KIND.intent)?.seq ?? 0;
  return { file, journal, told, shipping, records: records.length };
}

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const ledgerOf = (label: string): readonly string[] =>
  readFileSync(join(programs.folder, `${label}.ledger`), "utf8")
    .trim()
    .split("\n");

async function codeOf(...args: string[]): Promise<unknown> {
  const { stdout, stderr, code } = await programs.run([...args, "--json"]);
  expect(stderr).not.toContain("    at ");
  return [code, (lines(stdout).at(-1) as { error?: { code: string } }).error?.code];
}

describe("fork and diff", () => {
  it("another answer makes another course: it runs on under its own name, and the old domain is untouched", async () => {
    const { file, journal, told } = await ran("forked");
    const before = await programs.run(["journal", "show", journal, "order/17", "--values"]);
    const fork = ["fork", journal, "order/17", "--at", `${told}`, "--set", "result=0"];
    const { stdout, stderr, code } = await programs.run([...fork, "--as", "order/b", "--program", file]);
    expect([code, stdout]).toEqual([0, "'wrote sorry'\n"]);
    expect(stderr).toContain(`order/b shares ${told} records with order/17.`);
    expect(ledgerOf("forked")).toEqual(["stock order/17:/0#1", "ship order/17:/0#2", "write order/b:/0#2"]);
    expect((await programs.run(["journal", "show", journal, "order/17", "--values"])).stdout).toBe(
      before.stdout,
    );
    const diff = await programs.run(["diff", journal, "order/17", "order/b", "--program", file]);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/^order\/17 and order\/b share 2 records\. The first that differ:\n/);
    expect(diff.stdout).toContain(`order/17 ${told} /0: exec answered  3\n`);
    expect(diff.stdout).toContain(`order/b ${told} /0: exec answered  0\n`);
    expect(diff.stdout).toMatch(
      /The first calls that differ:\n.*\n {6}asked ship {2}'lamp'\n {6}at .*forked\.ts:8:/,
    );
    expect(diff.stdout).toMatch(/asked write {2}'sorry'\n {6}at .*forked\.ts:9:/);
    const json = await programs.run(["diff", journal, "order/17", "order/b", "--json"]);
    expect(lines(json.stdout)[0]).toMatchObject({
      ok: true,
      differs: true,
      first: [{ seq: told }, { seq: told }],
    });
    const same = await programs.run(["diff", journal, "order/17", "order/17"]);
    expect([same.code, same.stdout]).toEqual([0, "order/17 and order/17 are the same: 6 records.\n"]);
  });

  it("without a program the fork rests, and glia run goes on with it", async () => {
    const { file, journal } = await ran("resting");
    const fork = await programs.run([
      "fork",
      journal,
      "order/17",
      "--at",
      "1",
      "--set",
      'input={"item":"cup"}',
    ]);
    expect(fork.stdout).toBe(`glia run PROGRAM.ts --journal ${journal} --name order/17@1\n`);
    const run = await programs.run(["run", file, "--journal", journal, "--name", "order/17@1"]);
    expect(run.stdout).toBe("'sent cup'\n");
  });

  it("what makes no sense is refused by name, and no domain is made", async () => {
    const { journal, told } = await ran("senseless");
    const fork = (...args: string[]) => codeOf("fork", journal, "order/17", ...args);
    expect(await codeOf("fork", "nowhere", "x", "--at", "1")).toEqual([1, "cli.journal-missing"]);
    expect(await fork("--at", "x")).toEqual([2, "cli.usage"]);
    expect(await fork("--at", "4", "--set", "result={bad")).toEqual([2, "cli.usage"]);
    expect(await fork("--at", `${told}`, "--set", "message=1")).toEqual([1, "history.bad-change"]);
    expect(await codeOf("diff", journal, "order/17", "nobody")).toEqual([1, "cli.domain-missing"]);
    const list = await programs.run(["journal", "list", journal, "--json"]);
    expect(lines(list.stdout).at(-1)).toMatchObject({ ok: true, domains: 1 });
  });
});

describe("rollback", () => {
  it("names what cannot be repeated and changes nothing; forced, the program goes on from there and nothing is lost", async () => {
    const { file, journal, told, shipping, records } = await ran("back");
    const rollback = ["rollback", journal, "order/17", "--to", `${told}`];
    const refused = await programs.run(rollback);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`exec of /0 at record ${shipping} may have happened`);
    const forced = await programs.run([...rollback, "--force"]);
    expect(forced.stderr).toBe(`exec of /0 at record ${shipping} may happen a second time.\n`);
    expect(forced.stdout).toBe(
      `order/17 stands at record ${told} again; ${records - told} records no longer count.\n`,
    );
    const shown = await programs.run(["journal", "show", journal, "order/17"]);
    expect(shown.stdout).toContain(` ${shipping}  /0: is about to exec  (discarded)\n`);
    expect(shown.stdout).toContain(` ${records + 1}  goes back to record ${told}\n`);
    const list = await programs.run(["journal", "list", journal, "--json"]);
    expect(lines(list.stdout)[0]).toMatchObject({
      domain: "order/17",
      state: "running",
      records: records + 1,
    });
    const replayed = await programs.run(["replay", journal, "order/17", "--program", file, "--json"]);
    expect(lines(replayed.stdout)[0]).toMatchObject({ ok: true, state: "running" });
    const run = await programs.run(["run", file, "--journal", journal, "--name", "order/17"]);
    expect(run.stdout).toBe("'sent lamp'\n");
    expect(ledgerOf("back").slice(1)).toEqual(["ship order/17:/0#2", "ship order/17:/0#2"]);
    expect(await codeOf("rollback", journal, "order/17", "--to", `${shipping}`, "--force")).toEqual([
      1,
      "history.no-record",
    ]);
  });

  it("a folder that a program runs in is refused", async () => {
    const waiting = programs.write(
      "waiting.ts",
      `export default { name: "w", run: () => function* (sys, inbox) { console.error("up"); yield* sys.receive(inbox); } };`,
    );
    const run = programs.start(["run", waiting, "--journal", "busy"]);
    await run.until("stderr", /up/);
    expect(await codeOf("rollback", "busy", "w", "--to", "2")).toEqual([1, "store.in-use"]);
    run.child.kill("SIGINT");
    await run.result;
  });
});

describe("upgrade", () => {
  it("says of every domain that lives whether the new code can go on with it, and performs nothing", async () => {
    const { file, journal, told } = await ran("fleet");
    for (const [name, at] of [
      ["a", `${told}`],
      ["b", "2"],
    ] as const)
      await programs.run(["fork", journal, "order/17", "--at", at, "--as", name]);
    const other = programs.write(
      "other.ts",
      `export default { name: "other", run: () => function* (sys, inbox) { console.error("up"); yield* sys.receive(inbox); } };`,
    );
    const run = programs.start(["run", other, "--journal", journal]);
    await run.until("stderr", /up/);
    run.child.kill("SIGINT");
    await run.result;
    const same = await programs.run(["upgrade", journal, "--plan", file]);
    expect([same.code, same.stdout.split("\n").at(-2)]).toEqual([
      0,
      "2 safe, 0 diverge, 1 pinned, 0 damaged; 1 ended before.",
    ]);
    const source = readFileSync(join(programs.folder, file), "utf8");
    programs.write("v2.ts", source.replace("sys.exec(stock, item)", "sys.exec(write, item)"));
    const before = ledgerOf("fleet");
    const changed = await programs.run(["upgrade", journal, "--plan", "v2.ts", "--json"]);
    expect(changed.code).toBe(1);
    expect(lines(changed.stdout)).toMatchObject([
      {
        domain: "a",
        state: "diverges",
        seq: 3,
        divergence: { position: [expect.stringMatching(/v2\.ts:7:/)] },
      },
      { domain: "b", state: "safe" },
      { domain: "order/17", state: "ended" },
      { domain: "other", state: "pinned" },
      { ok: false, safe: 1, diverges: 1, pinned: 1, damaged: 0, ended: 1 },
    ]);
    const text = await programs.run(["upgrade", journal, "--plan", "v2.ts"]);
    expect(text.stdout).toContain("a  diverges at record 3\n    recorded: that its root task called exec\n");
    expect(ledgerOf("fleet")).toEqual(before);
    expect(await codeOf("upgrade", journal, "--plan", "none.ts")).toEqual([1, "cli.program-unreadable"]);
  });
});
