#!/usr/bin/env node
/** The `glia` command: reads the command line, runs one command, reports, exits. */
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

/** Commander's sentence without its label and line breaks: `unknown option '--jsno' (Did you mean --json?)`. */
function usageMessage({ message }: CommanderError): string {
  return message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
}

const argv = process.argv.slice(2);
const { json, verbose, child } = flagsOf(argv);
const terminal = new Terminal({ out: process.stdout, err: process.stderr, json, verbose });
// The program that started this node decides what Ctrl-C means for it; in a shell it is for the command that runs.
const interrupt = listenForInterrupt(terminal, child || argv[0] === "shell" ? ["SIGINT"] : []);
const code = await run(argv, terminal, interrupt);
await terminal.drain();
process.exit(reportLostOutput(terminal, code));
