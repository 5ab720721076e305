/** The command `glia completion`. */
import { Argument, type Command } from "commander";
import type { Context } from "../context.ts";
import type { Registrar } from "../registrar.ts";

/** Add it. */
export function addCompletion(program: Command, register: Registrar): void {
  const command = register.leaf(
    program,
    "completion",
    "Print what makes a shell complete command lines of glia: commands, options and the words they are limited to.",
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
}
