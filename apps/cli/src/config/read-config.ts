/**
 * Finds and reads a configuration file.
 *
 * RC1. TypeScript and JavaScript files run in a thread of their own (config-worker.ts) for at most {@link READ_MS}; JSON files are only parsed.
 * RC2. Without a name the one file of {@link CONFIG_FILES} in the folder is taken; several are refused, none is no configuration.
 * RC3. Paths in a configuration are relative to its folder.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type CheckedConfig, checkConfig, type GliaConfig } from "@glia-os/daemon/config";
import { reasonOf } from "../errors.ts";
import { readBounded } from "../node/first-line.ts";
import type { ConfigReading } from "./config-worker.ts";
import { ConfigAmbiguousError, ConfigUnreadableError } from "./errors.ts";

/** Names that are looked for. */
export const CONFIG_FILES: readonly string[] = [
  "glia.config.ts",
  "glia.config.mts",
  "glia.config.js",
  "glia.config.mjs",
  "glia.config.json",
];
/** How long running a configuration may take, in milliseconds (RC1). */
export const READ_MS = 10_000;
const BYTES_MAX = 1024 * 1024;

/** A configuration that was read and checked. */
export interface ReadConfig extends CheckedConfig {
  /** Its file; undefined when there is none. */
  readonly file: string | undefined;
}

/** The configuration file that is meant (RC2). @throws {ConfigAmbiguousError} {ConfigUnreadableError} when a named one is missing */
export function findConfig(named: string | undefined, folder: string = process.cwd()): string | undefined {
  if (named !== undefined) {
    const file = resolve(named);
    if (!existsSync(file)) throw new ConfigUnreadableError(file, "there is no such file");
    return file;
  }
  const found = CONFIG_FILES.filter((name) => existsSync(join(folder, name)));
  if (found.length > 1) throw new ConfigAmbiguousError(folder, found);
  return found[0] === undefined ? undefined : join(folder, found[0]);
}

/** Read and check a file, with the environment above it; without a file, the environment alone. */
export async function readConfig(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ReadConfig> {
  const value = file === undefined ? {} : await readConfigValue(file);
  const checked = checkConfig(value, file ?? "the environment", environment);
  return { file, ...checked, config: withWholePaths(checked.config, file) };
}

/** What a file holds, unchecked. @throws {ConfigUnreadableError} */
export async function readConfigValue(file: string): Promise<unknown> {
  if (!statSync(file).isFile()) throw new ConfigUnreadableError(file, "it is not a regular file");
  if (extname(file) === ".json") return parsed(file, textOf(file));
  if (!/^\.m?[jt]s$/.test(extname(file)))
    throw new ConfigUnreadableError(file, "its name ends in none of .ts, .mts, .js, .mjs and .json");
  const reading = await runInThread(file);
  if ("why" in reading) throw new ConfigUnreadableError(file, reading.why);
  return parsed(file, reading.json);
}

function textOf(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readBounded(file, BYTES_MAX));
  } catch (error) {
    throw new ConfigUnreadableError(file, reasonOf(error), error);
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigUnreadableError(file, reasonOf(error), error);
  }
}

/** (RC1) */
async function runInThread(file: string): Promise<ConfigReading> {
  const source = import.meta.url.endsWith(".ts");
  const worker = new Worker(new URL(source ? "./config-worker.ts" : "./config-worker.js", import.meta.url), {
    workerData: { url: pathToFileURL(file).href },
    name: "glia-config",
    stdout: true,
  });
  // What the file prints is nothing a program that reads our output expects there.
  worker.stdout.on("data", (bytes: Uint8Array) => process.stderr.write(bytes));
  const answer = Promise.withResolvers<ConfigReading>();
  const patience = setTimeout(
    () => answer.resolve({ why: `it did not end within ${READ_MS / 1000} s` }),
    READ_MS,
  );
  worker.once("message", (reading: ConfigReading) => answer.resolve(reading));
  worker.once("error", (error) => answer.resolve({ why: reasonOf(error) }));
  worker.once("exit", (code) => answer.resolve({ why: `it ended the thread with code ${code}` }));
  try {
    return await answer.promise;
  } finally {
    clearTimeout(patience);
    await worker.terminate();
  }
}

/** (RC3) */
function withWholePaths(config: GliaConfig, file: string | undefined): GliaConfig {
  const folder = file === undefined ? process.cwd() : dirname(file);
  const whole = (path: string): string => resolve(folder, path);
  const { data, join: how, jobs, services, programs, agents } = config;
  return {
    ...config,
    ...(data === undefined ? {} : { data: whole(data) }),
    ...(how?.file === undefined ? {} : { join: { file: whole(how.file) } }),
    ...(jobs === undefined ? {} : { jobs: { ...jobs, module: whole(jobs.module) } }),
    ...(services?.files === undefined
      ? {}
      : { services: { ...services, files: { ...services.files, folder: whole(services.files.folder) } } }),
    ...(programs?.folder === undefined ? {} : { programs: { folder: whole(programs.folder) } }),
    ...(agents === undefined ? {} : { agents: agents.map((each) => ({ ...each, file: whole(each.file) })) }),
  };
}
