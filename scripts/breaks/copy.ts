/**
 * A copy of the working tree in which a patch can do no harm.
 *
 * K1. Links between workspace packages lead into the copy, so a patched package is what its dependants load; everything else in
 *     node_modules leads to the installed original and is not copied.
 * K2. Built output (`dist`, `build`) is copied as it is; nothing in the copy leads back to the original's source.
 */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { repositoryFiles, workspaceFolders } from "../workspace/packages.ts";

/** Copies the tracked and the untracked, not ignored files of `root` to `copy`, with built output and linked node_modules. */
export function copyTree(root: string, copy: string): void {
  for (const file of repositoryFiles(root)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true });
  }
  for (const dir of workspaceFolders(root)) {
    for (const built of ["dist", "build"]) {
      const from = join(root, dir, built);
      if (existsSync(from)) cpSync(from, join(copy, dir, built), { recursive: true });
    }
  }
  for (const dir of [".", ...workspaceFolders(root)]) linkModules(root, copy, join(dir, "node_modules"));
}

function linkModules(root: string, copy: string, modules: string): void {
  const from = join(root, modules);
  if (!existsSync(from)) return;
  mkdirSync(join(copy, modules), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name.startsWith("@")) linkModules(root, copy, join(modules, name));
    else if (name === ".bin" || !name.startsWith(".")) link(root, copy, join(modules, name));
  }
}

function link(root: string, copy: string, path: string): void {
  const target = realpathSync(join(root, path));
  const inside = relative(realpathSync(root), target);
  const isWorkspace = !inside.startsWith("..") && !inside.split(sep).includes("node_modules");
  const to = isWorkspace ? join(copy, inside) : target;
  symlinkSync(to, join(copy, path), lstatSync(target).isDirectory() ? "junction" : "file");
}
