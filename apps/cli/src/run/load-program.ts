/**
 * Loads a program file and makes a task of its default export.
 *
 * LP1. A program is a generator function `function* (sys, ...args)`, an async function `async (sys, ...args)`, a function that returns what
 *      either of them does, or a reactor: an object with `init` and `handle`. The arguments are the texts of the command line.
 * LP2. A reactor gets the lines of standard input as messages, and ends when they do.
 * LP3. Whatever is wrong with the file is a typed error that names the place; no task was started then.
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Handle, Program, Sys } from "@glia-os/kernel";
import { asyncProgram, type Reactor, reactor, stop } from "@glia-os/kernel/face";
import type { QueueOptions } from "@glia-os/kernel/jobs";
import {
  NoProgramError,
  ProgramLoadError,
  ProgramSyntaxError,
  ProgramUnreadableError,
  reasonOf,
} from "../errors.ts";
import { shortPath, siteOf } from "./failure-site.ts";
import { offerOwnPackages } from "./own-imports.ts";

/** Longest time for a look at a file with a syntax error. */
const CHECK_MS = 5000;
const EXTENSIONS = [".ts", ".mts", ".js", ".mjs"];

/** The message that ends a reactor: there are no more lines (LP2). */
export const INPUT_ENDED: unique symbol = Symbol("no more lines");

/** A program that can be spawned. */
export interface LoadedProgram {
  /** As people see it. */
  readonly file: string;
  readonly url: URL;
  readonly main: Program;
  /** Its job queues, by name: the export `queues`. Their options are checked when they are made. */
  readonly queues: Readonly<Record<string, QueueOptions>> | undefined;
  /** Whether it wants a mailbox with the lines of standard input. */
  readonly readsLines: boolean;
}

/** Load `file` with `args` for its main task. @throws {ProgramUnreadableError} {ProgramSyntaxError} {ProgramLoadError} {NoProgramError} */
export async function loadProgram(file: string, args: readonly string[]): Promise<LoadedProgram> {
  const { file: shown, url, exports } = await importProgram(file);
  const queues = queuesOf(shown, exports["queues"]);
  return { file: shown, url, queues, ...mainOf(shown, exports, args) };
}

/** A program file and what it exports. */
export interface ImportedProgram {
  /** As people see it. */
  readonly file: string;
  readonly url: URL;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Import a program file. @throws {ProgramUnreadableError} {ProgramSyntaxError} {ProgramLoadError} */
export async function importProgram(file: string): Promise<ImportedProgram> {
  const path = resolve(file);
  checkFile(file, path);
  const url = pathToFileURL(path);
  offerOwnPackages();
  try {
    return { file: shortPath(path), url, exports: await import(url.href) };
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ProgramSyntaxError(shortPath(path), syntaxSite(path, error), error);
    throw new ProgramLoadError(shortPath(path), siteOf(error), error);
  }
}

function checkFile(file: string, path: string): void {
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(path);
  } catch (error) {
    const missing = (error as { code?: unknown }).code === "ENOENT";
    throw new ProgramUnreadableError(file, missing ? "there is no such file" : reasonOf(error), error);
  }
  if (!found.isFile()) throw new ProgramUnreadableError(file, "it is not a regular file");
  if (!EXTENSIONS.includes(extname(path)))
    throw new ProgramUnreadableError(file, `its name does not end in ${EXTENSIONS.join(", ")}`);
}

/** The engine keeps the place of a syntax error in JavaScript to itself; its check of the file alone prints it. */
function syntaxSite(path: string, error: SyntaxError): string | undefined {
  const site = siteOf(error);
  if (site !== undefined) return site;
  const { stderr } = spawnSync(process.execPath, ["--check", path], { encoding: "utf8", timeout: CHECK_MS });
  const line = /^(?:file:\/\/)?(\/[^\n]+):(\d+)\n/.exec(stderr);
  return line === null ? undefined : `${shortPath(line[1] ?? path)}:${line[2]}`;
}

function queuesOf(file: string, found: unknown): LoadedProgram["queues"] {
  if (found === undefined) return undefined;
  const options = typeof found === "object" && found !== null ? Object.values(found) : [];
  if (options.length > 0 && options.every((each) => typeof each === "object" && each !== null))
    return found as LoadedProgram["queues"];
  throw new NoProgramError(file, "its export queues is not an object with options for each queue");
}

type Main = Pick<LoadedProgram, "main" | "readsLines">;
type AnyFunction = (...args: readonly unknown[]) => unknown;

/** The main task of a module (LP1). */
function mainOf(file: string, found: Readonly<Record<string, unknown>>, args: readonly string[]): Main {
  if (!("default" in found)) throw new NoProgramError(file, "it has no default export");
  const main = found["default"];
  if (typeof main === "function")
    return { main: functionMain(file, main as AnyFunction, args), readsLines: false };
  const parts = main as Partial<Reactor<unknown, unknown>> | null;
  if (typeof parts === "object" && typeof parts?.init === "function" && typeof parts.handle === "function")
    return { main: lineReactor(parts as Reactor<unknown, unknown>, args), readsLines: true };
  if (typeof (main as { readonly run?: unknown } | null)?.run === "function")
    throw new NoProgramError(
      file,
      "its default export is a durable program",
      "Run it with --journal FOLDER, where its records go.",
    );
  // A file without imports and exports is read as a CommonJS module, whose default export is its empty `exports`.
  const nothing = typeof main === "object" && main !== null && Object.keys(main).length === 0;
  throw new NoProgramError(
    file,
    nothing ? "it has no default export" : `its default export is ${described(main)}`,
  );
}

function functionMain(file: string, main: AnyFunction, args: readonly string[]): Program {
  const kind = Object.prototype.toString.call(main);
  if (kind === "[object AsyncGeneratorFunction]")
    throw new NoProgramError(file, "its default export is an async generator function");
  if (/^class\b/.test(Function.prototype.toString.call(main)))
    throw new NoProgramError(file, "its default export is a class");
  if (kind === "[object AsyncFunction]") return asyncProgram((sys) => main(sys, ...args) as Promise<unknown>);
  return ((sys: Sys) => main(sys, ...args)) as Program;
}

/** A reactor that ends with its input (LP2). `init` gets the mailbox and then the arguments. */
function lineReactor(parts: Reactor<unknown, unknown>, args: readonly string[]): Program {
  const { init, handle, close } = parts;
  return reactor<unknown, unknown>({
    init: (sys, inbox) => (init as AnyFunction).call(parts, sys, inbox as Handle, ...args),
    handle: (sys, state, message) =>
      message === INPUT_ENDED ? stop() : handle.call(parts, sys, state, message),
    ...(close === undefined ? {} : { close: (sys, state) => close.call(parts, sys, state) }),
  });
}

function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "object")
    return `an object without init and handle (${Object.keys(value).slice(0, 5).join(", ")})`;
  return `a ${typeof value}`;
}
