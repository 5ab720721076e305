/** `glia completion`: what makes a shell complete command lines of `glia`. */
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { commandWords } from "./command-words.ts";
import { completionScript, type Shell } from "./shell-scripts.ts";

/** Run it over a command tree. */
export async function completion(program: Command, shell: Shell, { terminal }: Context): Promise<ExitCode> {
  const script = completionScript(shell, commandWords(program));
  terminal.record({ ok: true, shell, script });
  if (!terminal.json) terminal.write(script);
  return EXIT.ok;
}
