/** What can stand on a command line, as data: every command with its commands, its arguments, its options and the values these may have. */
import type { Argument, Command, Option } from "commander";

/** What of nodes that run a word may be: agents, members of a mesh, either, nodes of this machine, jobs. */
export type LiveKind = "agents" | "members" | "agents-and-members" | "nodes" | "jobs";

/** The words a value may be. */
export interface ValueWords {
  /** The words it is limited to; empty when any may stand there. */
  readonly choices: readonly string[];
  /** What running nodes know of it; undefined when they know nothing. */
  readonly live: LiveKind | undefined;
}

/** One command. */
export interface CommandWords {
  /** The words that lead to it, without the program's name: "", "mesh", "mesh start". */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly says: string }[];
  readonly options: readonly OptionWords[];
  /** Its arguments, in order. */
  readonly values: readonly ValueWords[];
}

/** One option. */
export interface OptionWords extends ValueWords {
  /** With its dashes. */
  readonly name: string;
  readonly says: string;
  /** Whether a word follows it. */
  readonly takesValue: boolean;
}

/** What the words in a usage line stand for: `<agent>`, `[node]`. */
const LIVE: ReadonlyMap<string, LiveKind> = new Map([
  ["agent", "agents"],
  ["node", "members"],
  ["target", "agents-and-members"],
]);

/** Every command of a tree that its help shows, parents first. */
export function commandWords(command: Command, path = ""): readonly CommandWords[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== "help");
  const own: CommandWords = {
    path,
    commands: below.flatMap((each) =>
      namesOf(each).map((name) => ({ name, says: firstLine(each.summary() || each.description()) })),
    ),
    options: [
      { name: "--help", says: "show help", takesValue: false, choices: [], live: undefined },
      ...command.options.flatMap(optionWords),
    ],
    values: command.registeredArguments.map((argument) => argumentWords(argument, path)),
  };
  return [
    own,
    ...below.flatMap((each) => namesOf(each).flatMap((name) => commandWords(each, `${path} ${name}`.trim()))),
  ];
}

function optionWords(option: Option): readonly OptionWords[] {
  const { long, description, required, optional, argChoices, hidden, flags } = option;
  if (long === undefined || long === null || hidden) return [];
  const stands = /[<[]([^\]>]+?)(?:\.\.\.)?[\]>]$/.exec(flags)?.[1] ?? "";
  return [
    {
      name: long,
      says: firstLine(description),
      takesValue: required || optional,
      choices: argChoices ?? alternatives(stands),
      live: long === "--name" && stands === "name" ? "nodes" : LIVE.get(stands),
    },
  ];
}

function argumentWords(argument: Argument, path: string): ValueWords {
  const name = argument.name();
  const isJob = name === "id" && path.startsWith("job ");
  return { choices: argument.argChoices ?? [], live: isJob ? "jobs" : LIVE.get(name) };
}

/** `high|normal|low`, as some options are written. */
function alternatives(text: string): readonly string[] {
  return /^[a-z]+(?:\|[a-z]+)+$/.test(text) ? text.split("|") : [];
}

/** A command may have another name, too. */
function namesOf(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
