/** The commands of `glia journal`, and `glia replay`. */
import type { Command } from "commander";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";

/** What registering needs of the program's own registrar. */
interface Register {
  leaf(parent: Command, usage: string, description: string, shown: readonly string[]): Command;
  runs<Args extends unknown[]>(
    command: Command,
    load: () => Promise<(...args: [...Args, Context]) => Promise<ExitCode>>,
  ): void;
}

/** Add them to `glia`. */
export function addDurable(program: Command, register: Register): void {
  const journal = program
    .command("journal")
    .description("Look at the journals of durable programs, also while they run.")
    .helpOption("-h, --help", "show help")
    .helpCommand(false);

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

  const replay = register.leaf(
    program,
    "replay <folder> <domain>",
    "Run a program against the journal of a domain, without any effect: where it stands, or where it parts from its journal.",
    ["glia replay ./journal order/17 --program order.ts"],
  );
  replay.requiredOption("--program <file>", "the program file");
  register.runs(replay, async () => (await import("./replay.ts")).replayCommand);
}
