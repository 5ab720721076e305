/**
 * `glia shell`: commands of this command line typed one after the other, with history and completion by Tab; or, where standard input is no
 * terminal, read from it line by line.
 *
 * SH1. Every line is a process of its own, as if it had been typed after `glia`: what ends or breaks it leaves the shell as it was.
 * SH2. Ctrl-C ends the command that runs, or clears the line; Ctrl-D and `exit` leave.
 * SH3. Lines that are read and not typed end at the first that fails, with its exit code; typed ones go on.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { commandWords } from "../completion/command-words.ts";
import { allCandidates } from "../completion/live-words.ts";
import { placeAfter } from "../completion/place.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { gliaHome } from "../node/data-dir.ts";
import { History } from "./history.ts";
import { wordsOf } from "./words.ts";

const PROMPT = "glia> ";
const HISTORY_FILE = "shell-history";

/** Run it. */
export async function shell(program: Command, context: Context): Promise<ExitCode> {
  if (context.terminal.json)
    throw new UsageError("glia shell has no --json", "Give --json to the commands in it.");
  const typed = context.stdin.isTTY === true;
  const history = new History(join(gliaHome(), HISTORY_FILE));
  return typed ? converse(program, history, context) : runLines(context);
}

async function converse(program: Command, history: History, context: Context): Promise<ExitCode> {
  const { terminal } = context;
  terminal.line(`glia shell: commands without "glia"; Tab completes, Ctrl-D leaves`);
  for (;;) {
    const line = await ask(program, history, context);
    if (line === undefined) return EXIT.ok;
    history.add(line);
    const words = parsed(line, context);
    if (words === undefined || words.length === 0) continue;
    if (words[0] === "exit" || words[0] === "quit") return EXIT.ok;
    if (words[0] === "history") for (const each of history.lines()) terminal.line(each);
    else await run(words);
  }
}

/** One line, or undefined at the end of the input. */
function ask(program: Command, history: History, { stdin, terminal }: Context): Promise<string | undefined> {
  return new Promise((resolve) => {
    const reader: Interface = createInterface({
      input: stdin,
      output: terminal.out,
      history: history.newestFirst(),
      completer: (line: string, done: (error: null, found: [string[], string]) => void) =>
        void completion(program, line).then((found) => done(null, found)),
    });
    let answer: string | undefined;
    reader.on("SIGINT", () => {
      terminal.write("^C\n");
      reader.write(null, { ctrl: true, name: "e" });
      reader.write(null, { ctrl: true, name: "u" });
      reader.prompt();
    });
    reader.once("line", (line) => {
      answer = line;
      reader.close();
    });
    reader.once("close", () => {
      if (answer === undefined) terminal.write("\n");
      resolve(answer);
    });
    reader.setPrompt(PROMPT);
    reader.prompt();
  });
}

/** What readline wants of a completer: candidates for the last word, and that word. */
export async function completion(program: Command, line: string): Promise<[string[], string]> {
  const begun = /\S*$/.exec(line)?.[0] ?? "";
  const before = wordsOf(line.slice(0, line.length - begun.length));
  if (before.kind === "unfinished") return [[], begun];
  const typed = before.words[0] === "glia" ? before.words.slice(1) : before.words;
  const found = await allCandidates(placeAfter(commandWords(program), typed), begun);
  return [found.map((word) => `${word} `), begun];
}

/** (SH3) */
async function runLines(context: Context): Promise<ExitCode> {
  for await (const line of createInterface({ input: context.stdin })) {
    const words = parsed(line, context);
    if (words === undefined) return EXIT.usage;
    if (words[0] === "exit" || words[0] === "quit") return EXIT.ok;
    if (words.length === 0) continue;
    const code = await run(words);
    if (code !== EXIT.ok) return code;
  }
  return EXIT.ok;
}

/** The words of a line; undefined, and said so, when a quote is open. */
function parsed(line: string, { terminal }: Context): readonly string[] | undefined {
  const words = wordsOf(line);
  if (words.kind === "words") return words.words[0] === "glia" ? words.words.slice(1) : words.words;
  terminal.note(`glia: the line ends inside ${words.quote}`);
  return undefined;
}

/** Run a line as a process (SH1). */
function run(words: readonly string[]): Promise<ExitCode> {
  const source = import.meta.url.endsWith(".ts");
  const main = fileURLToPath(new URL(source ? "../main.ts" : "./main.js", import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, main, ...words], {
      stdio: [process.stdin.isTTY ? "inherit" : "ignore", "inherit", "inherit"],
    });
    child.once("error", () => resolve(EXIT.failure));
    child.once("close", (code) => resolve((code ?? EXIT.interrupted) as ExitCode));
  });
}
