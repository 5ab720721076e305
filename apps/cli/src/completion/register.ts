/** The commands `glia completion`, and `glia complete`, which the scripts that it prints call. */
import { Argument, type Command } from "commander";
import type { Context } from "../context.ts";
import type { Registrar } from "../registrar.ts";

/** Add it. */
export function addCompletion(program: Command, register: Registrar): void {
  const command = register.leaf(
    program,
    "completion",
    "Print what makes a shell complete command lines of glia: commands, options, the words they are limited to, and the agents, nodes and jobs " +
      "of nodes that run.",
    [
      "source <(glia completion bash)",
      "glia completion zsh > ~/.zfunc/_glia",
      "glia completion fish > ~/.config/fish/completions/glia.fish",
    ],
  );
  command
    .summary("Print what makes a shell complete glia")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]));
  register.runs(command, async () => {
    const { completion } = await import("./completion.ts");
    return (shell: Parameters<typeof completion>[1], _options: object, context: Context) =>
      completion(program, shell, context);
  });
  addComplete(program, register);
}

/** For the scripts, so it is in no list of commands. */
function addComplete(program: Command, register: Registrar): void {
  const complete = program
    .command("complete [words...]", { hidden: true })
    .description("Print what may stand in the place of the last word, one word on each line.")
    .helpOption("-h, --help", "show help");
  register.runs(complete, async () => {
    const run = (await import("./complete.ts")).complete;
    return (words: readonly string[], _options: object, context: Context) => run(program, words, context);
  });
}
