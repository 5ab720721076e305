/** The help of every command as text, for docs/cli.md and the test that keeps it true. */
import type { Command } from "commander";

/** Width of printed help; what `--help` uses when it is not on a terminal. */
export const HELP_COLUMNS = 80;

/** A command with its help. `name`: as typed, for example `glia mesh start`. */
export interface HelpPage {
  readonly name: string;
  readonly text: string;
}

/** The help of a program and of all commands below it, depth first, in the order they were added. */
export function helpPages(program: Command): readonly HelpPage[] {
  return pagesBelow(program, "");
}

function pagesBelow(command: Command, above: string): HelpPage[] {
  const name = `${above}${command.name()}`;
  let text = "";
  const width = { writeOut: (part: string) => void (text += part), getOutHelpWidth: () => HELP_COLUMNS };
  command.configureOutput({ ...width, getOutHasColors: () => false });
  command.outputHelp();
  return [{ name, text: text.trim() }, ...command.commands.flatMap((each) => pagesBelow(each, `${name} `))];
}
