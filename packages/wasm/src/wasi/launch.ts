/**
 * What a WASI guest starts with.
 *
 * L1. Everything here travels in snapshots, so everything is bounded and copied when the guest starts.
 * L2. Files are read-only and lie under the one preopened directory `/`, which exists when there are files.
 */

import { BadLaunchError } from "../errors.ts";

/** Given per guest; every field may be left out. */
export interface WasiLaunch {
  /** The program's name and its arguments. Default `["guest"]`. */
  readonly args?: readonly string[];
  /** Environment variables. Default none. */
  readonly env?: Readonly<Record<string, string>>;
  /** All of standard input. Default empty. */
  readonly stdin?: Uint8Array;
  /** Files by path, `/` between names, none at the start: `data/words.txt`. Default none. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Most bytes of standard output and standard error together. Default 1 MiB, most 1 GiB. */
  readonly outputBytes?: number;
  /** Makes `random_get` a function of these 1 to 64 bytes alone. Default: the host's randomness. */
  readonly seed?: Uint8Array;
}

/** The same with everything filled in. */
export interface Launch {
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly stdin: Uint8Array;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly outputBytes: number;
  readonly seed: Uint8Array | undefined;
}

/** Bounds of a launch; each is in docs/guests.md. */
export const LAUNCH_LIMITS = {
  /** Arguments and variables, each. */
  strings: 1024,
  /** Bytes of all arguments, and of all variables, with their ends. */
  stringBytes: 65_536,
  stdinBytes: 16_777_216,
  files: 1024,
  /** Bytes of all files. */
  fileBytes: 16_777_216,
  pathBytes: 1024,
  outputBytes: 1_073_741_824,
  seedBytes: 64,
} as const;

const DEFAULT_OUTPUT_BYTES = 1_048_576;
const utf8 = new TextEncoder();

/** Filled in, copied and checked. @throws BadLaunchError */
export function completeLaunch(launch: WasiLaunch): Launch {
  return checkLaunch({
    args: [...(launch.args ?? ["guest"])],
    env: Object.entries(launch.env ?? {}).map(variable),
    stdin: (launch.stdin ?? new Uint8Array()).slice(),
    files: new Map(Object.entries(launch.files ?? {}).map(([path, bytes]) => [path, bytes.slice()])),
    outputBytes: launch.outputBytes ?? DEFAULT_OUTPUT_BYTES,
    seed: launch.seed?.slice(),
  });
}

function variable([name, value]: [string, string]): string {
  if (name === "" || name.includes("="))
    throw new BadLaunchError(`the variable name ${JSON.stringify(name)} is not one`);
  return `${name}=${value}`;
}

/** A launch that came from outside. @throws BadLaunchError */
export function checkLaunch(launch: Launch): Launch {
  checkStrings("arguments", launch.args);
  checkStrings("variables", launch.env);
  bounded("standard input", launch.stdin.length, LAUNCH_LIMITS.stdinBytes);
  bounded("the output limit", launch.outputBytes, LAUNCH_LIMITS.outputBytes);
  bounded("the number of files", launch.files.size, LAUNCH_LIMITS.files);
  let bytes = 0;
  for (const [path, content] of launch.files) {
    checkPath(path, launch.files);
    bytes += content.length;
  }
  bounded("all files", bytes, LAUNCH_LIMITS.fileBytes);
  if (launch.seed?.length === 0) throw new BadLaunchError("the seed is empty");
  bounded("the seed", launch.seed?.length ?? 0, LAUNCH_LIMITS.seedBytes);
  return launch;
}

function checkStrings(what: string, strings: readonly string[]): void {
  bounded(`the number of ${what}`, strings.length, LAUNCH_LIMITS.strings);
  let bytes = 0;
  for (const text of strings) {
    if (text.includes("\0")) throw new BadLaunchError(`one of the ${what} holds a zero byte`);
    bytes += utf8.encode(text).length + 1;
  }
  bounded(`all ${what}`, bytes, LAUNCH_LIMITS.stringBytes);
}

function checkPath(path: string, files: ReadonlyMap<string, Uint8Array>): void {
  const names = path.split("/");
  bounded(`the path ${path.slice(0, 80)}`, utf8.encode(path).length, LAUNCH_LIMITS.pathBytes);
  if (path.includes("\0") || names.some((name) => name === "" || name === "." || name === ".."))
    throw new BadLaunchError(`the path ${JSON.stringify(path)} is not plain names with / between them`);
  for (let depth = 1; depth < names.length; depth++)
    if (files.has(names.slice(0, depth).join("/")))
      throw new BadLaunchError(`the path ${path} lies under a file`);
}

function bounded(what: string, value: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > most)
    throw new BadLaunchError(`${what} is ${value}; the most is ${most}`);
}
