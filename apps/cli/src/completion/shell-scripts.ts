/**
 * Completion scripts for shells, made of the command tree.
 *
 * CS1. After an option that is limited to words, those words; after one that takes anything else, files. Otherwise options where a dash was typed,
 *      the commands of a group, and files for what takes arguments. All of that is in the script: it asks nobody.
 * CS2. Where an agent, a node or a job is named, the script asks `glia complete`; files where that offers nothing.
 * CS3. A word that a script contains is quoted for its shell; no text of the tree is run, and nothing that `glia complete` prints.
 */
import type { CommandWords, OptionWords, ValueWords } from "./command-words.ts";

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
/** A first argument that is limited to words. */
const firstChoices = ({ values }: CommandWords): readonly string[] => values[0]?.choices ?? [];
const commandNames = ({ commands }: CommandWords): readonly string[] => commands.map(({ name }) => name);

/** Branches of a `case` over paths whose arguments nodes know (CS2). */
function liveBranches(words: readonly CommandWords[], ask: string): string {
  const paths = words.filter(({ values }) => values.some(({ live }) => live !== undefined));
  return `    ${paths.map(({ path }) => quoted(path)).join("|")}) ${ask} ;;`;
}

function bashScript(words: readonly CommandWords[]): string {
  return `# Completion of glia for bash: source this file, or put it into /etc/bash_completion.d
_glia_ask() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done \\
    < <(command "\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
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
${valueBranches(words, ({ choices, live }) =>
  live !== undefined
    ? "_glia_ask; return"
    : choices.length === 0
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
${liveBranches(words, "_glia_ask; return")}
    esac
    case "$path" in
${wordBranches(words, (command) => [...commandNames(command), ...firstChoices(command)])}
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
_glia_ask() {
  local -a found
  found=("\${(@f)$(command "\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
_glia() {
  local current="\${words[CURRENT]}" route="" next names="" i
  for ((i = 2; i < CURRENT; i++)); do
    next="\${route:+$route }\${words[i]}"
    case "$next" in
      ${paths(words)}) route="$next" ;;
    esac
  done
  case "$route|\${words[CURRENT-1]}" in
${valueBranches(words, ({ choices, live }) =>
  live !== undefined
    ? "_glia_ask; return"
    : choices.length === 0
      ? "_files; return"
      : `compadd -- ${choices.map(quoted).join(" ")}; return`,
)}
  esac
  if [[ "$current" == -* ]]; then
    case "$route" in
${wordBranches(words, optionNames).replaceAll(") words=", ") names=")}
    esac
  else
    case "$route" in
${liveBranches(words, "_glia_ask; return")}
    esac
    case "$route" in
${wordBranches(words, (command) => [...commandNames(command), ...firstChoices(command)]).replaceAll(") words=", ") names=")}
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
function __glia_ask
  set -l typed (commandline -opc)
  command $typed[1] complete -- $typed[2..-1] (commandline -ct) 2>/dev/null
end
${words.flatMap(fishLines).join("\n")}
`;
}

function fishLines({ path, commands, options, values }: CommandWords): readonly string[] {
  const at = `complete -c glia -n ${fishQuoted(`__glia_at ${fishQuoted(path)}`)}`;
  const first = values[0]?.choices ?? [];
  return [
    ...commands.map(({ name, says }) => `${at} -f -a ${fishQuoted(name)} -d ${fishQuoted(says)}`),
    ...fishAsks(values).map((ask) => `${at} ${ask}`),
    ...(first.length === 0 ? [] : [`${at} -f -a ${fishQuoted(first.join(" "))}`]),
    ...options.map(
      (option) =>
        `${at} -l ${fishQuoted(option.name.slice(2))}${fishValue(option)} -d ${fishQuoted(option.says)}`,
    ),
  ];
}

/** Files as well, unless every argument is one that nodes know. */
function fishAsks(values: readonly ValueWords[]): readonly string[] {
  const asked = values.filter(({ live }) => live !== undefined);
  if (asked.length === 0) return [];
  return [`${asked.length === values.length ? "-f " : ""}-a '(__glia_ask)'`];
}

function fishValue({ takesValue, choices, live }: OptionWords): string {
  if (!takesValue) return "";
  if (live !== undefined) return " -x -a '(__glia_ask)'";
  return choices.length === 0 ? " -r" : ` -x -a ${fishQuoted(choices.join(" "))}`;
}
