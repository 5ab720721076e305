/** The commands of `glia journal`, and `glia replay`. */
import type { Command } from "commander";
import { addOversight } from "../oversight/register.ts";
import { group, type Registrar } from "../registrar.ts";
import { addHistory } from "./history/register.ts";

/** Add them to `glia`. */
export function addDurable(program: Command, register: Registrar): void {
  const journal = group(program, "journal", "Look at the journals of durable programs, also while they run.");

  const list = register.leaf(
    journal,
    "list <folder>",
    "List the domains of a journal and what each waits for.",
    ["glia journal list ./journal", "glia journal list ./journal --json"],
  );
  register.runs(list, async () => (await import("./journal-list.ts")).journalList);

  const show = register.leaf(journal, "show <folder> <domain>", "Show the records of one domain, in words.", [
    "glia journal show ./journal order/17",
    "glia journal show ./journal order/17 --from 40 --values",
  ]);
  show.option("--from <number>", "first record", "1").option("--values", "show inputs, messages and answers");
  register.runs(show, async () => (await import("./journal-show.ts")).journalShow);

  const deadLetters = register.leaf(
    journal,
    "dead-letters <folder>",
    "List the messages that a program with attempts could not handle, and why.",
    ["glia journal dead-letters ./journal", "glia journal dead-letters ./journal --domain ledger --json"],
  );
  deadLetters.option("--domain <name>", "of one domain only");
  register.runs(deadLetters, async () => (await import("./journal-dead-letters.ts")).journalDeadLetters);

  const replay = register.leaf(
    program,
    "replay <folder> <domain>",
    "Run a program against the journal of a domain, without any effect: where it stands, or where it parts from its journal.",
    ["glia replay ./journal order/17 --program order.ts"],
  );
  replay.requiredOption("--program <file>", "the program file");
  register.runs(replay, async () => (await import("./replay.ts")).replayCommand);

  addHistory(program, register);
  addOversight(program, register);
}
