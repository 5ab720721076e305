/**
 * Runs a block as a process of its own, from source.
 *
 * R1. The program lies inside the package that owns the document, so bare imports mean what they mean to that package's users;
 *     the root's documents run inside the app that depends on everything. Its folder is removed afterwards.
 * R2. Its working directory is a fresh temporary folder, so what a program writes does not end up in the repository.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../workspace/children.ts";
import { type Block, missingOutput } from "./blocks.ts";

/** The package in which the root's documents run. */
const rootOwner = "apps/cli";
const limitMs = 120_000;

/** The folder of the package that owns a document, relative to the root. */
export function ownerOf(file: string): string {
  return /^((?:packages|apps|examples)\/[^/]+)\//.exec(file)?.[1] ?? rootOwner;
}

/** Runs a block; gives undefined when it ended well and printed what it says, else what went wrong. */
export async function runBlock(root: string, block: Block): Promise<string | undefined> {
  const owner = join(root, ownerOf(block.file));
  if (!existsSync(join(owner, "package.json")))
    return `there is no package ${ownerOf(block.file)} to run it in`;
  // Git ignores .glia, and so does everything that looks at the repository's files.
  mkdirSync(join(owner, ".glia"), { recursive: true });
  const folder = mkdtempSync(join(owner, ".glia/doc-block-"));
  const cwd = mkdtempSync(join(tmpdir(), "glia-doc-block-"));
  try {
    const program = join(folder, "block.ts");
    // Blank lines in front keep line numbers in stack traces those of the document.
    writeFileSync(program, "\n".repeat(block.line - 1) + block.text);
    const args = ["--conditions=@glia-os/source", "--enable-source-maps", program];
    const { code, stdout, stderr, timedOut } = await runChild(process.execPath, args, { cwd, limitMs });
    if (timedOut) return `did not end within ${limitMs / 1000} s`;
    if (code !== 0) return `ended with ${code}:\n${stderr.replaceAll(program, block.file)}`;
    const missing = missingOutput(block.expected, stdout);
    return missing === undefined ? undefined : `says it prints "${missing}", and printed:\n${stdout}`;
  } finally {
    for (const dir of [folder, cwd]) rmSync(dir, { recursive: true, force: true });
  }
}
