/** `glia logs`: its options, help and examples. */
import { type Command, Option } from "commander";
import { choiceOptions, type Registrar } from "../registrar.ts";

/** Add it. */
export function addLogs(program: Command, register: Registrar): void {
  const logs = register.leaf(
    program,
    "logs",
    "Show the newest log lines and events of a node: one of this machine, or, asked through it, any node of its mesh.",
    ["glia logs", "glia logs -f --level warn", "glia logs --on edge --lines 50 --json"],
  );
  choiceOptions(logs.summary("Show the log lines and events of a node"))
    .option(
      "--on <node>",
      "the node whose lines are wanted: name, id, or 6 or more characters of the id (default: the node asked)",
    )
    .option("--lines <n>", "the newest so many, 0 to 2000", "100")
    .addOption(
      new Option("--level <level>", "lines of this level and above")
        .choices(["trace", "debug", "info", "warn", "error"])
        .default("info"),
    )
    .option("-f, --follow", "go on with what comes, until Ctrl-C");
  register.runs(logs, async () => (await import("./logs.ts")).logs);
}
