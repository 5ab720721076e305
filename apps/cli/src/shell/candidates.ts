/** What can stand next on a line of the shell: commands, options and the values an option is limited to, as the command tree has them. */
import type { CommandWords } from "../completion/command-words.ts";

/** Words that may follow `before` and begin with `begun`, in order. */
export function candidates(
  tree: readonly CommandWords[],
  before: readonly string[],
  begun: string,
): readonly string[] {
  const command = commandOf(tree, before);
  const option = command?.options.find(({ name, takesValue }) => takesValue && name === before.at(-1));
  const names = begun.startsWith("-") ? command?.options : command?.commands;
  const words = option?.choices ?? names?.map(({ name }) => name) ?? [];
  return words.filter((word) => word.startsWith(begun)).toSorted();
}

/** The command that some words lead to; the root when they lead to none. */
function commandOf(tree: readonly CommandWords[], words: readonly string[]): CommandWords | undefined {
  const byPath = new Map(tree.map((command) => [command.path, command]));
  let found = byPath.get("");
  for (const word of words) found = byPath.get(`${found?.path ?? ""} ${word}`.trim()) ?? found;
  return found;
}
