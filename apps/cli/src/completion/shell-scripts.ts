/**
 * Completion scripts for shells, made of the command tree: they ask nobody while a person types.
 *
 * SS1. After an option that is limited to words, those words; after one that takes anything else, files. Otherwise options where a dash was typed,
 *      the commands of a group, and files for what takes arguments.
 * SS2. A word that a script contains is quoted for its shell; no text of the tree is run.
 */
import type { CommandWords, OptionWords } from "./command-words.ts";

/** The shells. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
/** One of them. */
export type Shell = (typeof SHELLS)[number];

/** The script for a shell. */
export function completionScript(shell: Shell, words: readonly CommandWords[]): string {
  switch (shell) {
    case "bash":
      return bashScript(words);
    case "zsh":
      return zshScript(words);
    case "fish":
      return fishScript(words);
  }
}

/** Quoted for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function paths(words: readonly CommandWords[]): string {
  const below = words.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  return below.join("|");
}

/** Branches of a `case` over `path|option`: values of options (SS1). */
function valueBranches(words: readonly CommandWords[], add: (option: OptionWords) => string): string {
  return words
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map((option) => `    ${quoted(`${path}|${option.name}`)}) ${add(option)} ;;`),
    )
    .join("\n");
}

function wordBranches(
  words: readonly CommandWords[],
  of: (command: CommandWords) => readonly string[],
): string {
  return words
    .map((command) => `    ${quoted(command.path)}) words=${quoted(of(command).join(" "))} ;;`)
    .join("\n");
}

const optionNames = ({ options }: CommandWords): readonly string[] => options.map(({ name }) => name);
const commandNames = ({ commands }: CommandWords): readonly string[] => commands.map(({ name }) => name);

function bashScript(words: readonly CommandWords[]): string {
  return `# Completion of glia for bash: source this file, or put it into /etc/bash_completion.d
_glia() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in
      ${paths(words)}) path="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$path|\${COMP_WORDS[COMP_CWORD-1]}" in
${valueBranches(words, ({ choices }) =>
  choices.length === 0
    ? "return"
    : `COMPREPLY=($(compgen -W ${quoted(choices.join(" "))} -- "$current")); return`,
)}
  esac
  if [[ "$current" == -* ]]; then
    case "$path" in
${wordBranches(words, optionNames)}
    esac
  else
    case "$path" in
${wordBranches(words, commandNames)}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _glia glia
`;
}

function zshScript(words: readonly CommandWords[]): string {
  return `#compdef glia
# Completion of glia for zsh: put this file as _glia into a folder of $fpath
_glia() {
  local current="\${words[CURRENT]}" route="" next names="" i
  for ((i = 2; i < CURRENT; i++)); do
    next="\${route:+$route }\${words[i]}"
    case "$next" in
      ${paths(words)}) route="$next" ;;
    esac
  done
  case "$route|\${words[CURRENT-1]}" in
${valueBranches(words, ({ choices }) =>
  choices.length === 0 ? "_files; return" : `compadd -- ${choices.map(quoted).join(" ")}; return`,
)}
  esac
  if [[ "$current" == -* ]]; then
    case "$route" in
${wordBranches(words, optionNames).replaceAll(") words=", ") names=")}
    esac
  else
    case "$route" in
${wordBranches(words, commandNames).replaceAll(") words=", ") names=")}
    esac
  fi
  if [[ -n "$names" ]]; then compadd -- \${=names}; else _files; fi
}
if [[ "$funcstack[1]" == "_glia" ]]; then _glia "$@"; else compdef _glia glia; fi
`;
}

/** Quoted for fish. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function fishScript(words: readonly CommandWords[]): string {
  const known = words.filter(({ path }) => path !== "").map(({ path }) => fishQuoted(path));
  return `# Completion of glia for fish: put this file as glia.fish into ~/.config/fish/completions
function __glia_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$path $word")
    contains -- "$next" ${known.join(" ")}; and set path $next
  end
  test "$path" = "$argv[1]"
end
${words.flatMap(fishLines).join("\n")}
`;
}

function fishLines({ path, commands, options }: CommandWords): readonly string[] {
  const at = `complete -c glia -n ${fishQuoted(`__glia_at ${fishQuoted(path)}`)}`;
  return [
    ...commands.map(({ name, says }) => `${at} -f -a ${fishQuoted(name)} -d ${fishQuoted(says)}`),
    ...options.map(({ name, says, takesValue, choices }) => {
      const value = !takesValue
        ? ""
        : choices.length === 0
          ? " -r"
          : ` -x -a ${fishQuoted(choices.join(" "))}`;
      return `${at} -l ${fishQuoted(name.slice(2))}${value} -d ${fishQuoted(says)}`;
    }),
  ];
}
