/** Projects of a stranger: an empty folder into which npm installs packages from the registry on loopback. */
import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { mustRun } from "./command.ts";
import { workspaceRoot } from "./workspace-copy.ts";

/** Commands of the workspace's own tools; the newest Node is among them. */
export const toolsFolder: string = join(workspaceRoot, "node_modules", ".bin");

const oldest = "conformance/runtimes/node24/node_modules/.bin/node";

/** The Node versions every package must run on: the newest and the oldest. */
export const nodes: readonly string[] = [join(toolsFolder, "node"), join(workspaceRoot, oldest)];

/** The environment for package managers: one registry, our Node first, a cache and a home of their own. */
export function managerEnvironment(folder: string, npmrc: string, registryUrl: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^GLIA_/i.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: `${toolsFolder}${delimiter}${process.env["PATH"]}`,
    NPM_CONFIG_USERCONFIG: npmrc,
    npm_config_userconfig: npmrc,
    npm_config_cache: join(folder, "npm-cache"),
    npm_config_registry: registryUrl,
    GLIA_HOME: join(folder, "glia-home"),
    CI: "true",
  };
}

/** Install packages into a new empty project. */
export async function install(into: string, env: NodeJS.ProcessEnv, specs: readonly string[]): Promise<void> {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  await mustRun("npm", ["install", "--no-fund", "--no-audit", ...specs], into, env);
}

/** Copy one of the programs of this package into a project; gives its path there. */
export function addProgram(project: string, name: string): string {
  const path = join(project, name);
  cpSync(join(import.meta.dirname, "programs", name), path);
  return path;
}

/** Every file below a folder. */
export function filesUnder(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The sizes of files, added up. */
export function bytesOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}
