/**
 * Where a word of a command line stands, and what may stand there.
 *
 * PC1. The value of an option is none of the command's words: it neither leads to another command nor counts as an argument. `--name hub` and
 *      `--name=hub` are the same.
 */
import type { CommandWords, OptionWords, ValueWords } from "./command-words.ts";

/** The place of the word after some words. */
export interface Place {
  /** The command they lead to; the root when they lead to none. */
  readonly command: CommandWords;
  /** The option whose value it is. */
  readonly option: OptionWords | undefined;
  /** The argument it would be. */
  readonly argument: ValueWords | undefined;
  /** Options that name the node to ask, as far as they were typed. */
  readonly choice: { readonly name?: string; readonly data?: string };
}

const NOTHING: CommandWords = { path: "", commands: [], options: [], values: [] };

/** The words of a word: the option and its value where it is both (PC1). */
export function inTwo(word: string): readonly string[] {
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  return name === undefined || value === undefined ? [word] : [name, value];
}

/** The place after `before`. O(words). */
export function placeAfter(tree: readonly CommandWords[], before: readonly string[]): Place {
  const byPath = new Map(tree.map((command) => [command.path, command]));
  const choice: { name?: string; data?: string } = {};
  let command = byPath.get("") ?? NOTHING;
  let option: OptionWords | undefined;
  let arguments_ = 0;
  for (const word of before) {
    if (option !== undefined) {
      choose(choice, option, word);
      option = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const [typed, value] = inTwo(word);
      const named = command.options.find(({ name, takesValue }) => takesValue && name === typed);
      if (value === undefined) option = named;
      else choose(choice, named, value);
      continue;
    }
    const next = byPath.get(`${command.path} ${word}`.trim());
    if (next === undefined) arguments_ += 1;
    else [command, arguments_] = [next, 0];
  }
  return { command, option, argument: command.values[arguments_], choice };
}

function choose(
  choice: { name?: string; data?: string },
  option: OptionWords | undefined,
  value: string,
): void {
  if (option?.name === "--name") choice.name = value;
  if (option?.name === "--data") choice.data = value;
}

/** Words of the command tree that may stand there and begin with `begun`, in order. */
export function candidates({ command, option, argument }: Place, begun: string): readonly string[] {
  const names = begun.startsWith("-") ? command.options : command.commands;
  const fixed = option?.choices ?? (begun.startsWith("-") ? [] : (argument?.choices ?? []));
  const words = option === undefined && fixed.length === 0 ? names.map(({ name }) => name) : fixed;
  return words.filter((word) => word.startsWith(begun)).toSorted();
}
