/** The `glia` command: reads a command line, runs one command, reports, ends the process. */
import { CommanderError } from "commander";
import { UsageError } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { reportFailure, reportLostOutput } from "./failure.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { packageVersion } from "./package-root.ts";
import { createProgram, VersionShown } from "./program.ts";
import type { Outcome } from "./registrar.ts";
import { Terminal } from "./terminal/terminal.ts";

/** Options that matter before the command line is parsed: how errors of parsing are shown. */
function flagsOf(argv: readonly string[]): { json: boolean; verbose: boolean; child: boolean } {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  return {
    json: flags.includes("--json"),
    verbose: flags.some((flag) => /^-v+$/.test(flag)) || flags.includes("--verbose"),
    child: flags.includes("--until-stdin-closes"),
  };
}

async function run(argv: readonly string[], terminal: Terminal, interrupt: AbortSignal): Promise<ExitCode> {
  const outcome: Outcome = { code: EXIT.ok };
  const program = createProgram({ terminal, interrupt, stdin: process.stdin }, outcome, packageVersion);
  try {
    await program.parseAsync(argv, { from: "user" });
    return outcome.code;
  } catch (error) {
    if (error instanceof VersionShown) return EXIT.ok;
    if (!(error instanceof CommanderError)) return reportFailure(terminal, error);
    if (error.exitCode === 0) return EXIT.ok;
    // A group without a command: commander has shown the help already.
    if (error.code === "commander.help") return EXIT.usage;
    return reportFailure(terminal, new UsageError(usageMessage(error)));
  }
}

/** Commander's sentence without its label, its words for values and line breaks: `unknown option '--jsno' (Did you mean --json?)`. */
function usageMessage({ message }: CommanderError): string {
  return message
    .replace(/^error: /, "")
    .replace(
      /^command-argument value '(.*)' is invalid for argument '(.*?)'\./s,
      "'$1' is no $2 that is known.",
    )
    .replaceAll(/\s*\n\s*/g, " ");
}

/** Signals that the command itself answers, or the program that started it. */
function ignoredSignals(argv: readonly string[], child: boolean): readonly string[] {
  // The program that started this node decides what Ctrl-C means for it; in a shell it is for the command that runs.
  const interrupts = child || argv[0] === "shell" ? ["SIGINT"] : [];
  // A node that no terminal runs reads its configuration again on SIGHUP; at a terminal, the terminal is gone.
  const hangups = argv[0] === "up" && !process.stdin.isTTY ? ["SIGHUP"] : [];
  return [...interrupts, ...hangups];
}

/** Run a command line, and end the process as it ended. */
export async function commandLine(argv: readonly string[]): Promise<never> {
  const { json, verbose, child } = flagsOf(argv);
  const terminal = new Terminal({ out: process.stdout, err: process.stderr, json, verbose });
  const interrupt = listenForInterrupt(terminal, ignoredSignals(argv, child));
  const code = await run(argv, terminal, interrupt);
  await terminal.drain();
  process.exit(reportLostOutput(terminal, code));
}
