/** `glia shell`: its help and examples. */
import type { Command } from "commander";
import type { Context } from "../context.ts";
import type { Registrar } from "../registrar.ts";

/** Add it. */
export function addShell(program: Command, register: Registrar): void {
  const shell = register.leaf(
    program,
    "shell",
    "Type commands one after the other, with history and completion by Tab; or read them from standard input, one on each line, to the first that fails.",
    ["glia shell", "glia shell < commands.txt"],
  );
  shell.summary("Type commands one after the other");
  register.runs(shell, async () => {
    const { shell: run } = await import("./shell.ts");
    return (_options: object, context: Context) => run(program, context);
  });
}
