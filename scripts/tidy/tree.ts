/**
 * The files that the rules look at, read and parsed once.
 *
 * T1. A rule sees only what is here: paths relative to the root with forward slashes, their text, their syntax tree and the
 *     packages. The same rule therefore runs on the repository and on a tree that a test writes by hand.
 * T2. Built JavaScript (`dist`) is part of the tree although git ignores it: shipped code is judged as it is shipped.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { repositoryFiles } from "../workspace/packages.ts";

/** A target of package.json's exports: a path, or conditions that lead to one. */
export type ExportTarget = string | null | { readonly [condition: string]: ExportTarget };

/** What the rules need of a package.json. */
export interface Manifest {
  readonly name?: string;
  readonly exports?: ExportTarget;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A workspace package: its folder, the short name the layer table uses, and its manifest. */
export interface WorkspacePackage {
  readonly dir: string;
  readonly short: string;
  readonly name: string;
  readonly manifest: Manifest;
}

/** A source of files: the repository, or a record that a test wrote. */
export interface Files {
  readonly paths: readonly string[];
  read(path: string): string;
}

const script = /\.[cm]?[jt]sx?$/;

/** The tree the rules run on. */
export class Tree {
  readonly paths: readonly string[];
  readonly packages: readonly WorkspacePackage[];
  readonly #files: Files;
  readonly #known: ReadonlySet<string>;
  readonly #texts = new Map<string, string>();
  readonly #parsed = new Map<string, ts.SourceFile>();

  constructor(files: Files) {
    this.#files = files;
    this.paths = files.paths;
    this.#known = new Set(files.paths);
    this.packages = files.paths.flatMap((path) => this.#packageAt(path));
  }

  has(path: string): boolean {
    return this.#known.has(path);
  }

  text(path: string): string {
    let text = this.#texts.get(path);
    if (text === undefined) {
      text = this.#files.read(path);
      this.#texts.set(path, text);
    }
    return text;
  }

  parse(path: string): ts.SourceFile {
    let parsed = this.#parsed.get(path);
    if (parsed === undefined) {
      parsed = ts.createSourceFile(path, this.text(path), ts.ScriptTarget.Latest, true);
      this.#parsed.set(path, parsed);
    }
    return parsed;
  }

  /** TypeScript and JavaScript files below `dir`, declaration files and built output left out. */
  scripts(dir: string): string[] {
    return this.paths.filter((path) => {
      if (!path.startsWith(`${dir}/`) || !script.test(path) || /\.d\.[cm]?ts$/.test(path)) return false;
      return !/(^|\/)(dist|build|fixtures|assembly)\//.test(path);
    });
  }

  /** Source files of packages and apps: what ships. */
  shipped(): string[] {
    return this.packages
      .filter(({ dir }) => /^(packages|apps)\//.test(dir))
      .flatMap(({ dir }) => this.scripts(`${dir}/src`));
  }

  #packageAt(path: string): WorkspacePackage[] {
    const found = /^((?:packages|apps)\/([^/]+))\/package\.json$/.exec(path);
    if (found === null) return [];
    const [, dir = "", short = ""] = found;
    const manifest = JSON.parse(this.#files.read(path)) as Manifest;
    return [{ dir, short, name: manifest.name ?? "", manifest }];
  }
}

/** The line of a position, from 1. */
export function lineOf(file: ts.SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1;
}

/** The repository at `root`, with built JavaScript. */
export function repositoryTree(root: string): Tree {
  const built = globSync("{packages,apps}/*/dist/**/*.js", { cwd: root }).map((path) =>
    path.replaceAll("\\", "/"),
  );
  const tracked = repositoryFiles(root).filter((path) => existsSync(join(root, path)));
  return new Tree({
    paths: [...tracked, ...built].sort(),
    read: (path) => readFileSync(join(root, path), "utf8"),
  });
}

/** A tree out of a record from path to text, for tests. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return new Tree({ paths: Object.keys(files).sort(), read: (path) => files[path] ?? "" });
}
