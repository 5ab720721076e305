/**
 * What `glia demo` counts when no folder is named: the Markdown of the Glia repository around the current folder, or else
 * the Markdown that is installed with the package.
 */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PACKAGE_ROOT } from "../package-root.ts";
import { type Corpus, type CorpusFilter, listCorpus } from "./corpus.ts";

const REPOSITORY_NAME = "glia-workspace";
const LEFT_OUT = new Set(["node_modules", "dist", "build", "coverage"]);

/** Markdown written by people: no build output, no dependencies, no hidden folders. */
const MARKDOWN: CorpusFilter = {
  enters: (folder) => !LEFT_OUT.has(folder) && !folder.startsWith("."),
  takes: (file) => file.endsWith(".md"),
};

/** The corpus for a run without `--input`. */
export function defaultCorpus(workingDir: string): Promise<Corpus> {
  return listCorpus(repositoryAround(workingDir) ?? PACKAGE_ROOT, MARKDOWN);
}

function repositoryAround(start: string): string | undefined {
  for (let dir = resolve(start); ; dir = dirname(dir)) {
    if (isRepository(dir)) return dir;
    if (dir === dirname(dir)) return undefined;
  }
}

function isRepository(dir: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as { name?: unknown };
    return manifest.name === REPOSITORY_NAME;
  } catch {
    return false;
  }
}
