/** Durable domains of one file that send one another messages, on the command line. */
import { afterAll, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

const file = programs.write(
  "orders.ts",
  `const ledger = {
    name: "ledger",
    attempts: 2,
    run: (state) => function* (sys, inbox) {
      const { from, message } = yield* sys.receive(inbox);
      if (typeof message.cents !== "number") throw new RangeError("no amount");
      const total = state.total + message.cents;
      sys.log("info", from + " " + total);
      return yield* sys.checkpoint({ total });
    },
  };
  export default {
    name: "order",
    uses: ["mail"],
    run: (amounts) => function* (sys, _inbox, mail) {
      for (const cents of amounts) yield* sys.exec(mail, { to: "ledger", message: { cents } });
      return amounts.length;
    },
  };
  export const domains = { ledger: { program: ledger, input: { total: 0 } } };`,
);

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function sent(journal: string, more: readonly string[] = []): Promise<void> {
  const args = ["run", file, "--journal", journal, "--name", "order/1", "--input", '[5, "much", 7]', ...more];
  const { code, stdout, stderr } = await programs.run(args);
  expect([code, stdout, stderr]).toEqual([0, "3\n", ""]);
  // What was acknowledged is in the inbox; the ledger goes on where it was while another order is made.
  const again = await programs.run([
    "run",
    file,
    "--journal",
    journal,
    "--name",
    "order/2",
    "--input",
    "[1]",
    ...more,
  ]);
  expect([again.code, again.stdout]).toEqual([0, "1\n"]);
}

it.each(["strict", "sealed"])(
  "a message that the other domain cannot handle is set aside, and dead-letters names it and why (%s)",
  async (guard) => {
    const journal = `mail-${guard}`;
    await sent(journal, ["--guard", guard]);
    const { code, stdout } = await programs.run(["journal", "dead-letters", journal]);
    expect([code, stdout]).toEqual([
      0,
      "ledger  { from: 'order/1', message: { cents: 'much' } }\n    tried 2 times: no amount (abi.unexpected)\n",
    ]);
    const json = await programs.run(["journal", "dead-letters", journal, "--domain", "ledger", "--json"]);
    expect(lines(json.stdout)).toEqual([
      {
        event: "dead-letter",
        domain: "ledger",
        message: { from: "order/1", message: { cents: "much" } },
        attempts: 2,
        error: { code: "abi.unexpected", message: "no amount" },
      },
      { ok: true, deadLetters: 1, dropped: 0 },
    ]);
  },
);

it("a domain without dead letters says so, and one that is not there is refused", async () => {
  await sent("mail-none");
  const none = await programs.run(["journal", "dead-letters", "mail-none", "--domain", "order/1"]);
  expect([none.code, none.stdout]).toEqual([0, "No message was set aside.\n"]);
  const missing = await programs.run([
    "journal",
    "dead-letters",
    "mail-none",
    "--domain",
    "nobody",
    "--json",
  ]);
  expect([missing.code, lines(missing.stdout).at(-1)]).toMatchObject([
    1,
    { error: { code: "cli.domain-missing" } },
  ]);
  const nowhere = await programs.run(["journal", "dead-letters", "nowhere", "--json"]);
  expect(lines(nowhere.stdout).at(-1)).toMatchObject({ error: { code: "cli.journal-missing" } });
});

it("an export domains that holds no programs is refused by name", async () => {
  programs.write(
    "hollow.ts",
    `export default { name: "hollow", run: () => function* () {} };
    export const domains = { ledger: { program: {} } };`,
  );
  const { code, stderr } = await programs.run(["run", "hollow.ts", "--journal", "hollow"]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("its domain ledger has no durable program")]);
});
