/**
 * What every command of the command line shares: help, examples, `--json`, `-v`, and how it is run.
 *
 * P1. Commands are loaded when they run, so that `--help` and `--version` cost little.
 */
import type { Command } from "commander";
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit-code.ts";

/** A parsed command line keeps its outcome here. */
export interface Outcome {
  code: ExitCode;
}

type Run<Args extends unknown[]> = (...args: [...Args, Context]) => Promise<ExitCode>;

/** Adds commands with what all of them share. */
export class Registrar {
  readonly #context: Context;
  readonly #outcome: Outcome;

  constructor(context: Context, outcome: Outcome) {
    this.#context = context;
    this.#outcome = outcome;
  }

  /** A command that runs something. */
  leaf(parent: Command, usage: string, description: string, shown: readonly string[]): Command {
    return parent
      .command(usage)
      .description(description)
      .helpOption("-h, --help", "show help")
      .addHelpText("after", examples(shown));
  }

  /** What the command does; called with its arguments, its options and the context. */
  runs<Args extends unknown[]>(command: Command, load: () => Promise<Run<Args>>): void {
    command.option("--json", "print JSON lines for programs instead of text");
    if (command.options.every(({ long }) => long !== "--verbose"))
      command.option("-v, --verbose", "show more, and stack traces of errors");
    command.action(async (...args: unknown[]) => {
      const given = args.slice(0, -1) as Args;
      const run = await load();
      this.#outcome.code = await run(...given, this.#context);
    });
  }
}

/** Lines of examples for a help text. */
export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

/** A command that only has others under it. */
export function group(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .helpOption("-h, --help", "show help")
    .helpCommand(false);
}

/** The options that say which node of this machine is asked. */
export function choiceOptions(command: Command): Command {
  return command
    .option("--data <dir>", "data folder of the node to ask")
    .option("--name <name>", "name of the node to ask (default: the only one that runs)");
}

/** Texts for the arguments of a command, in order. */
export function describeArgument(command: Command, ...texts: string[]): void {
  for (const [i, text] of texts.entries()) {
    const argument = command.registeredArguments[i];
    if (argument !== undefined) argument.description = text;
  }
}
