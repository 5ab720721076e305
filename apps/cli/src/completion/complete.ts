/** `glia complete`: what completion scripts ask for where running nodes know the words. */
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { commandWords } from "./command-words.ts";
import { allCandidates } from "./live-words.ts";
import { inTwo, placeAfter } from "./place.ts";

/** Print what may stand in the place of the last word, one word on each line. */
export async function complete(
  program: Command,
  typed: readonly string[],
  { terminal }: Context,
): Promise<ExitCode> {
  // Some shells take the `=` of `--name=hub` for a word of its own.
  const words = typed.flatMap((word, at) => (word === "=" && at < typed.length - 1 ? [] : [word]));
  const last = inTwo(words.at(-1) ?? "");
  const before = [...words.slice(0, -1), ...last.slice(0, -1)];
  const found = await allCandidates(placeAfter(commandWords(program), before), last.at(-1) ?? "");
  terminal.record({ ok: true, words: found });
  for (const word of found) terminal.line(word);
  return EXIT.ok;
}
