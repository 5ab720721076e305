/** Where in a program's source something failed, and what it said. */
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCodeOf } from "@glia-os/abi/errors";

const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]+):(\d+):(\d+)\)?$/;
/** The first line of a syntax error: the place without a column. */
const HEADING = /^((?:file:\/\/)?\/[^\n]+):(\d+)\n/;
/** Folders of the code that runs programs: source or build, whichever runs. */
const OWN_FOLDERS: readonly string[] = [
  join(dirname(fileURLToPath(import.meta.url)), import.meta.url.endsWith(".ts") ? ".." : "."),
  ...["@glia-os/kernel", "@glia-os/host", "@glia-os/hal", "@glia-os/durable"].map((name) =>
    dirname(createRequire(import.meta.url).resolve(name)),
  ),
].map((folder) => folder + sep);

/** What an error says about itself. */
export interface Said {
  readonly text: string;
  /** `file:line:column`, the file relative to the working folder when it lies below it. */
  readonly at: string | undefined;
  /** Its stable code, when it has one. */
  readonly code: string | undefined;
}

/** Describe what a task or a module threw. */
export function describeThrown(error: unknown): Said {
  const code = errorCodeOf(error) ?? codeOf(error);
  if (!(error instanceof Error)) return { text: String(error), at: undefined, code };
  const text =
    error.name === "Error" || errorCodeOf(error) !== undefined
      ? error.message
      : `${error.name}: ${error.message}`;
  return { text: code === undefined ? text : `${text} (${code})`, at: siteOf(error), code };
}

/** The innermost place of the program itself: frames of Node and of Glia are passed over. */
export function siteOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const heading = HEADING.exec(stack);
  if (heading !== null) return `${shortPath(heading[1] ?? "")}:${heading[2]}`;
  for (const line of stack.split("\n")) {
    const frame = FRAME.exec(line);
    if (frame === null || isOwn(frame[1] ?? "")) continue;
    return `${shortPath(frame[1] ?? "")}:${frame[2]}:${frame[3]}`;
  }
  return undefined;
}

function isOwn(place: string): boolean {
  const path = place.startsWith("file:") ? fileURLToPath(place) : place;
  return OWN_FOLDERS.some((folder) => path.startsWith(folder));
}

/** A path relative to the working folder when it lies below it. */
export function shortPath(path: string): string {
  const absolute = path.startsWith("file:") ? fileURLToPath(path) : path;
  const below = relative(process.cwd(), absolute);
  return below === "" || below.startsWith("..") ? absolute : below;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && code.length <= 128 ? code : undefined;
}
