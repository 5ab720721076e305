/** What can stand next on a command line: commands, options and the values an option is limited to, as the command tree has them. */
import type { Command } from "commander";

/** Words that may follow `before` and begin with `begun`, in order. */
export function candidates(program: Command, before: readonly string[], begun: string): readonly string[] {
  const { command, last } = commandOf(program, before);
  const choices = command.options.find(
    ({ long, short }) => last !== undefined && (long === last || short === last),
  );
  const open = choices !== undefined && (choices.required || choices.optional);
  const words = open
    ? (choices.argChoices ?? [])
    : begun.startsWith("-")
      ? optionsOf(command)
      : namesOf(command);
  return [...new Set(words)].filter((word) => word.startsWith(begun)).sort();
}

/** The command that some words lead to, and the last of them. */
function commandOf(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly last: string | undefined } {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((each) => each.name() === word);
    if (next !== undefined) command = next;
  }
  return { command, last: words.at(-1) };
}

function namesOf(command: Command): readonly string[] {
  return command.commands.map((each) => each.name());
}

function optionsOf(command: Command): readonly string[] {
  return ["--help", ...command.options.flatMap(({ long }) => long ?? [])];
}
