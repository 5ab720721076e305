/** What can stand on a command line, as data: every command with its commands, its options and the values an option is limited to. */
import type { Command } from "commander";

/** One command. */
export interface CommandWords {
  /** The words that lead to it, without the program's name: "", "mesh", "mesh start". */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly says: string }[];
  readonly options: readonly OptionWords[];
}

/** One option. */
export interface OptionWords {
  /** With its dashes. */
  readonly name: string;
  readonly says: string;
  /** Whether a word follows it. */
  readonly takesValue: boolean;
  /** The words that may; empty when any may. */
  readonly choices: readonly string[];
}

/** Every command of a tree, parents first. */
export function commandWords(command: Command, path = ""): readonly CommandWords[] {
  const below = command.commands.filter((each) => each.name() !== "help");
  const own: CommandWords = {
    path,
    commands: below.flatMap((each) =>
      namesOf(each).map((name) => ({ name, says: firstLine(each.summary() || each.description()) })),
    ),
    options: [
      { name: "--help", says: "show help", takesValue: false, choices: [] },
      ...command.options.flatMap(({ long, description, required, optional, argChoices, hidden }) =>
        long === undefined || long === null || hidden
          ? []
          : [
              {
                name: long,
                says: firstLine(description),
                takesValue: required || optional,
                choices: argChoices ?? [],
              },
            ],
      ),
    ],
  };
  return [
    own,
    ...below.flatMap((each) => namesOf(each).flatMap((name) => commandWords(each, `${path} ${name}`.trim()))),
  ];
}

/** A command may have another name, too. */
function namesOf(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
