/** The commands that go back, branch off, compare and judge. */
import type { Command } from "commander";
import type { Registrar } from "../../registrar.ts";

/** Add them to `glia`. */
export function addHistory(program: Command, register: Registrar): void {
  const fork = register.leaf(
    program,
    "fork <folder> <domain>",
    "Make another course of a domain: it shares what came in up to a record, with that record changed, and goes on by itself.",
    [`glia fork ./journal order/17 --at 4 --set 'result="refused"' --as order/17b --program order.ts`],
  );
  fork
    .requiredOption("--at <number>", "the last shared record")
    .option("--set <change>", "change that record: result=JSON, message=JSON or input=JSON")
    .option("--as <name>", "name of the new domain (default: DOMAIN@NUMBER)")
    .option("--program <file>", "the program file, to run it on at once");
  register.runs(fork, async () => (await import("./fork.ts")).forkCommand);

  const rollback = register.leaf(
    program,
    "rollback <folder> <domain>",
    "Let a domain go back to a record: what it did after that no longer counts, and stays in the journal.",
    ["glia rollback ./journal order/17 --to 4"],
  );
  rollback
    .requiredOption("--to <number>", "the last record that still counts")
    .option("--force", "go back over effects that may then happen a second time");
  register.runs(rollback, async () => (await import("./rollback.ts")).rollbackCommand);

  const diff = register.leaf(
    program,
    "diff <folder> <a> <b>",
    "Show where two domains part: the first records and the first calls that differ. Ends with 1 when they do.",
    ["glia diff ./journal order/17 order/17b --program order.ts"],
  );
  diff
    .option("--with <folder>", "the folder of the second domain (default: the same)")
    .option("--program <file>", "the program file: shows what was asked, and where in the source");
  register.runs(diff, async () => (await import("./diff.ts")).diffCommand);

  const upgrade = register.leaf(
    program,
    "upgrade <folder>",
    "Replay every domain that lives against new code, without any effect: safe, diverges at a record, or pinned to the code it has.",
    ["glia upgrade ./journal --plan order-v2.ts", "glia upgrade ./journal --plan order-v2.ts --json"],
  );
  upgrade.requiredOption("--plan <file>", "the new program file");
  register.runs(upgrade, async () => (await import("./upgrade.ts")).upgradeCommand);
}
