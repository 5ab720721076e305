/** A throw-away copy of this workspace, built files included, that versions and publishing may change. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { mustRun } from "./command.ts";

/** The workspace this file belongs to. */
export const workspaceRoot: string = resolve(import.meta.dirname, "../..");

/** A package that is published. */
export interface PublishedPackage {
  readonly name: string;
  readonly version: string;
  /** Folder inside the workspace, for example `packages/abi`. */
  readonly folder: string;
  /** Subpaths of the exports map that can be imported as JavaScript. */
  readonly entries: readonly string[];
  /** Subpaths that have declarations. */
  readonly typed: readonly string[];
  /** Subpaths of files that are read, such as modules and headers: no JavaScript, no JSON. */
  readonly assets: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

function isImportable(target: unknown): boolean {
  const file = typeof target === "string" ? target : (target as { default?: string }).default;
  return file?.endsWith(".js") === true;
}

function isAsset([path, target]: [string, unknown]): boolean {
  return !path.includes("*") && typeof target === "string" && !/\.js(on)?$/.test(target);
}

function isTyped([path, target]: [string, unknown]): boolean {
  return !path.includes("*") && typeof target === "object" && target !== null && "types" in target;
}

/** Every package of the workspace that is not private. */
export function publishedPackages(root: string = workspaceRoot): PublishedPackage[] {
  const folders = ["packages", "apps"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name)),
  );
  return folders
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest,
    }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({
      name: manifest.name,
      version: manifest.version,
      folder,
      entries: Object.entries(manifest.exports ?? {})
        .filter(([, target]) => isImportable(target))
        .map(([path]) => path),
      typed: Object.entries(manifest.exports ?? {})
        .filter(isTyped)
        .map(([path]) => path),
      assets: Object.entries(manifest.exports ?? {})
        .filter(isAsset)
        .map(([path]) => path),
    }));
}

/** Build every package whose built files are missing or older than its source; turbo's cache knows. */
export async function buildWorkspace(): Promise<void> {
  const turbo = join(workspaceRoot, "node_modules", ".bin", "turbo");
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  await mustRun(turbo, ["run", "build", "--output-logs=errors-only"], workspaceRoot, env);
}

/** Copy what git knows or would add, and every built `dist`, into `target`, as a git repository with one commit. */
export async function copyWorkspace(target: string): Promise<void> {
  const listed = await mustRun(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    workspaceRoot,
  );
  const files = listed.split("\0").filter((file) => file !== "" && existsSync(join(workspaceRoot, file)));
  for (const file of files) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(workspaceRoot, file), join(target, file));
  }
  for (const { folder } of publishedPackages()) {
    const dist = join(workspaceRoot, folder, "dist");
    if (existsSync(dist)) cpSync(dist, join(target, folder, "dist"), { recursive: true });
  }
  symlinkSync(join(workspaceRoot, "node_modules"), join(target, "node_modules"), "junction");
  await mustRun("git", ["init", "--quiet", "--initial-branch", "main"], target);
  await commitAll(target, "Copy");
}

/** Commit everything in a copy. */
export async function commitAll(folder: string, message: string): Promise<void> {
  await mustRun("git", ["add", "--all"], folder);
  const identity = ["-c", "user.name=copy", "-c", "user.email=copy@localhost.invalid"];
  await mustRun("git", [...identity, "commit", "--quiet", "--allow-empty", "-m", message], folder);
}

/** Add a changeset that raises one package. */
export function addChangeset(folder: string, name: string, bump: "patch" | "minor"): void {
  writeFileSync(
    join(folder, ".changeset", `raise-${bump}-${name.replaceAll(/\W/g, "")}.md`),
    `---\n"${name}": ${bump}\n---\n\nA change.\n`,
  );
}
