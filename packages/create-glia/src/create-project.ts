/**
 * Writes a project into a folder that is empty or not there.
 *
 * CP1. Nothing that is there is changed: a folder that holds anything is refused, and no file is written over another.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { FolderInUseError, FolderUnwritableError, ProjectNameError } from "./errors.ts";
import { makeFolder } from "./make-folder.ts";
import { projectFiles } from "./project-files.ts";

/** What was made. */
export interface ProjectMade {
  /** The folder, absolute. */
  readonly folder: string;
  /** The project's and the agent's name. */
  readonly name: string;
  /** Files in it. */
  readonly files: readonly string[];
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Make a project; the folder's last part is its name. @throws {ProjectNameError}, {FolderInUseError}, {FolderUnwritableError} */
export function createProject(folder: string): ProjectMade {
  const path = resolve(folder);
  const name = basename(path);
  if (!NAME.test(name)) throw new ProjectNameError(name);
  requireEmpty(path);
  const files = projectFiles(name, ownVersion());
  try {
    for (const [file, content] of Object.entries(files)) {
      makeFolder(dirname(join(path, file)));
      writeFileSync(join(path, file), content, { flag: "wx" });
    }
  } catch (cause) {
    throw new FolderUnwritableError(path, cause);
  }
  return { folder: path, name, files: Object.keys(files) };
}

/** CP1. */
function requireEmpty(path: string): void {
  let held: readonly string[];
  try {
    held = readdirSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new FolderUnwritableError(path, cause);
  }
  if (held.length > 0) throw new FolderInUseError(path);
}

/** The packages of Glia are released together. */
function ownVersion(): string {
  const manifest = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
}
