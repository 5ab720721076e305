/** Approvals, modes of oversight and the audit by the real command. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function codeOf(...args: string[]): Promise<unknown> {
  const { stdout, stderr, code } = await programs.run([...args, "--json"]);
  expect(stderr).not.toContain("    at ");
  return [code, (lines(stdout).at(-1) as { error?: { code: string } }).error?.code];
}

/** Asks, and pays when it may. What it pays is written to `LABEL.ledger`. */
function payment(label: string): string {
  return programs.write(
    `${label}.ts`,
    `import { appendFileSync } from "node:fs";
    export default {
      name: "payment",
      uses: ["approver", "pay"],
      run: ({ cents }) =>
        function* (sys, _inbox, approver, pay) {
          const { approved, by, reason } = yield* sys.approve(approver, { question: "Pay?", args: { cents } });
          if (!approved) return "refused by " + by + ": " + reason;
          return yield* sys.exec(pay, cents);
        },
    };
    export const services = {
      pay: async (cents, { key }) => (appendFileSync("${label}.ledger", key + "\\n"), "paid " + cents),
    };`,
  );
}

async function waiting(file: string, journal: string, ...more: string[]): Promise<string> {
  const run = programs.start(["run", file, "--journal", journal, ...more]);
  await run.until("stderr", /glia approve \S+ [0-9a-f]{16}/);
  run.child.kill("SIGKILL");
  await run.result;
  const list = await programs.run(["approvals", journal, "--json"]);
  return (lines(list.stdout)[0] as { id: string }).id;
}

it("an approval given while no program runs is taken at the next run; a second answer is refused; both stand in the audit", async () => {
  const file = payment("cold");
  const id = await waiting(file, "cold-j", "--input", '{"cents":900}');
  const list = await programs.run(["approvals", "cold-j"]);
  expect(list.stdout).toMatch(
    new RegExp(`^${id} {2}Pay\\?\\n {4}asked by payment:/0#1 at .*\\n {4}{"cents":900}\\n$`),
  );
  const approved = await programs.run(["approve", "cold-j", id.slice(0, 8), "--by", "Ada"]);
  expect([approved.code, approved.stdout]).toEqual([0, "Approved: Pay?\n"]);
  expect(await codeOf("deny", "cold-j", id)).toEqual([1, "oversight.answered-before"]);
  const run = await programs.run(["run", file, "--journal", "cold-j"]);
  expect([run.code, run.stdout]).toEqual([0, "'paid 900'\n"]);
  const show = await programs.run(["audit", "show", "cold-j", "--json"]);
  expect(lines(show.stdout)).toMatchObject([
    { action: "allowed", key: "payment:/0#1", call: "approve" },
    { action: "allowed", key: "payment:/0#1", call: "approve" },
    { action: "approved", by: "Ada" },
    { action: "allowed", key: "payment:/0#2", call: "exec", service: "pay" },
    { action: "ended", service: "pay" },
    { ok: true, entries: 5 },
  ]);
});

it("a waiting program goes on at once with an answer from another process, and hears who denied it and why", async () => {
  const run = programs.start(["run", payment("live"), "--journal", "live-j", "--input", '{"cents":5}']);
  await run.until("stderr", /glia approve/);
  const [{ id }] = lines((await programs.run(["approvals", "live-j", "--json"])).stdout) as [{ id: string }];
  const denied = await programs.run(["deny", "live-j", id, "--by", "Bob", "--reason", "no budget"]);
  expect(denied.stdout).toBe("Denied: Pay?\n");
  expect((await run.result).stdout).toBe("'refused by Bob: no budget'\n");
});

it("audit verify names an entry that was changed, taken out or moved, and with a head an end that was cut off", async () => {
  const file = payment("audited");
  const id = await waiting(file, "audited-j", "--input", '{"cents":900}');
  await programs.run(["approve", "audited-j", id]);
  await programs.run(["run", file, "--journal", "audited-j"]);
  const verify = await programs.run(["audit", "verify", "audited-j", "--json"]);
  const [{ entries, head }] = lines(verify.stdout) as [{ entries: number; head: string }];
  expect([verify.code, entries]).toEqual([0, 5]);
  const text = readFileSync(join(programs.folder, "audited-j/oversight/audit.jsonl"), "utf8");
  const rows = text.trimEnd().split("\n");
  const copies: Record<string, readonly string[]> = {
    changed: rows.map((row, i) => (i === 2 ? row.replace('"approved"', '"denied"') : row)),
    removed: rows.filter((_, i) => i !== 2),
    moved: [rows[0]!, rows[2]!, rows[1]!, ...rows.slice(3)],
  };
  for (const [name, copy] of Object.entries(copies)) {
    writeFileSync(join(programs.folder, `${name}.jsonl`), `${copy.join("\n")}\n`);
    const { stderr, code } = await programs.run(["audit", "verify", `${name}.jsonl`]);
    const entry = name === "moved" ? 2 : 3;
    expect([name, code, stderr]).toEqual([name, 1, expect.stringContaining(`entry ${entry} of the audit`)]);
  }
  writeFileSync(join(programs.folder, "cut.jsonl"), `${rows.slice(0, 3).join("\n")}\n`);
  expect(await codeOf("audit", "verify", "cut.jsonl")).toEqual([0, undefined]);
  expect(await codeOf("audit", "verify", "cut.jsonl", "--head", head)).toEqual([1, "oversight.audit-broken"]);
  expect(await codeOf("audit", "verify", "nowhere")).toEqual([1, "cli.input-unreadable"]);
});

it("supervised: a tool waits for its approval over a kill, and is called once", async () => {
  const file = programs.write(
    "tool.ts",
    `import { appendFileSync } from "node:fs";
    export default { name: "tool", uses: ["act"], run: () => function* (sys, _inbox, act) { return yield* sys.exec(act, { n: 1 }); } };
    export const services = { act: async ({ n }, { key }) => (appendFileSync("tool.ledger", key + "\\n"), n) };`,
  );
  const policy = ["--oversight", "supervised"];
  const id = await waiting(file, "tool-j", ...policy);
  await programs.run(["approve", "tool-j", id]);
  const run = await programs.run(["run", file, "--journal", "tool-j", ...policy]);
  expect([run.code, run.stdout]).toEqual([0, "1\n"]);
  expect(readFileSync(join(programs.folder, "tool.ledger"), "utf8")).toBe("tool:/0#1\n");
  for (const [bad, code] of [
    ["strict", "cli.usage"],
    ['{"mode":"lax"}', "oversight.bad-policy"],
  ])
    expect(await codeOf("run", file, "--journal", "bad-j", "--oversight", bad!)).toEqual([
      code === "cli.usage" ? 2 : 1,
      code,
    ]);
});

it("what the kernel refuses a program stands in the audit once, also after the program was gone on with", async () => {
  const file = programs.write(
    "greedy.ts",
    `export default { name: "greedy", uses: ["act"], run: () => function* (sys, inbox, act) {
      try { yield* sys.model(act, "a tool is no model"); } catch {}
      console.error("up");
      yield* sys.receive(inbox);
    } };
    export const services = { act: async () => 1 };`,
  );
  for (let runs = 0; runs < 2; runs++) {
    const run = programs.start(["run", file, "--journal", "greedy-j"]);
    await run.until("stderr", /up/);
    run.child.kill("SIGINT");
    await run.result;
  }
  const show = await programs.run(["audit", "show", "greedy-j", "--json"]);
  expect(lines(show.stdout)).toMatchObject([
    { action: "refused", domain: "greedy", key: "greedy:/0", call: "model" },
    { ok: true, entries: 1 },
  ]);
});
