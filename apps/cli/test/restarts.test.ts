/** Durable programs that fail, on the command line: resumed, begun afresh, given up. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { failureChoice } from "../src/durable/failure-choice.ts";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

/** Reserves and charges; charging fails until a file `LABEL.repaired` is there. What it performs is written to `LABEL.ledger`. */
function shop(label: string): readonly string[] {
  const file = programs.write(
    `${label}.ts`,
    `import { appendFileSync, existsSync } from "node:fs";
    export default {
      name: "shop",
      uses: ["reserve", "charge"],
      run: () =>
        function* (sys, _inbox, reserve, charge) {
          return [yield* sys.exec(reserve, "lamp"), yield* sys.exec(charge, 900)];
        },
    };
    const done = (key) => appendFileSync("${label}.ledger", key + "\\n");
    export const services = {
      reserve: async (item, { key }) => (done(key), item),
      charge: {
        repeatable: true,
        run: async (cents, { key }) => {
          if (!existsSync("${label}.repaired")) throw new Error("the till is broken");
          done(key);
          return cents;
        },
      },
    };`,
  );
  return ["run", file, "--journal", `${label}-journal`, "--name", "order/1"];
}

function ledgerOf(label: string): readonly string[] {
  const file = join(programs.folder, `${label}.ledger`);
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

describe("glia run --on-failure", () => {
  it("resume: what keeps failing the same way is given up by name; repaired, it goes on in the middle", async () => {
    const args = shop("resume");
    const failed = await programs.run([...args, "--on-failure", "resume"]);
    expect(failed.code).not.toBe(0);
    expect(failed.stderr).toMatch(
      /order\/1 failed at record \d+ \(exec of charge\): the till is broken\. It goes on from its journal\./,
    );
    expect(failed.stderr).toContain("failed 2 times in a row");
    expect(failed.stderr).toContain("glia rollback");
    programs.write("resume.repaired", "");
    const { code, stdout } = await programs.run([...args, "--on-failure", "resume"]);
    expect([code, stdout]).toEqual([0, "[ 'lamp', 900 ]\n"]);
    expect(ledgerOf("resume")).toEqual(["order/1:/0#1", "order/1:/0#2"]);
    const shown = await programs.run(["journal", "show", "resume-journal", "order/1"]);
    expect(shown.stdout).toMatch(/goes on from record \d+ after abi.unexpected at record \d+/);
    const audit = readFileSync(join(programs.folder, "resume-journal/oversight/audit.jsonl"), "utf8");
    expect(audit.match(/"action":"(restarted|escalated)"/g)?.length).toBe(3);
  });

  it("fresh: everything is done again, under new keys", async () => {
    const args = shop("fresh");
    expect((await programs.run(args)).code).not.toBe(0);
    programs.write("fresh.repaired", "");
    const { stdout } = await programs.run([...args, "--on-failure", "fresh", "--json"]);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(expect.objectContaining({ event: "failed", choice: "fresh", times: 1 }));
    expect(lines.at(-1)).toMatchObject({ ok: true, result: ["lamp", 900] });
    expect(ledgerOf("fresh")).toEqual(["order/1:/0#1", "order/1:/0#1.1", "order/1:/0#1.2"]);
  });

  it("replace: it goes on as if the failing call had come to this", async () => {
    const args = shop("replace");
    const { code, stdout } = await programs.run([...args, "--on-failure", "replace=0"]);
    expect([code, stdout]).toEqual([0, "[ 'lamp', 0 ]\n"]);
    expect(ledgerOf("replace")).toEqual(["order/1:/0#1"]);
  });

  it("escalate: the failure is the end", async () => {
    const failed = await programs.run([...shop("escalate"), "--on-failure", "escalate"]);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining("It is not restarted.")]);
    expect(ledgerOf("escalate").length).toBe(1);
  });

  it("refuses a choice without a journal, and what is no choice", async () => {
    const plain = await programs.run(["run", shop("refused")[1]!, "--on-failure", "resume"]);
    expect([plain.code, plain.stderr]).toEqual([
      2,
      expect.stringContaining("--on-failure has no meaning without --journal"),
    ]);
    expect(failureChoice("replace=null")).toEqual({ choice: "replace", result: null });
    for (const text of ["", "again", "replace", "replace=", "replace={"])
      expect(() => failureChoice(text)).toThrowError(/--on-failure/);
  });
});
