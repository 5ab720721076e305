/**
 * `node scripts/doc-blocks/main.ts [FILE...] [--root DIR]`: runs the TypeScript of README.md, docs and the packages' READMEs, each block as
 * a process of its own, at most one per core.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repositoryFiles, repositoryRoot } from "../workspace/packages.ts";
import { blocksOf } from "./blocks.ts";
import { runBlock } from "./run.ts";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { root: { type: "string" } } });
const root = values.root ?? repositoryRoot;
const documents = /^(README|CONTRIBUTING)\.md$|^(packages|apps|examples)\/[^/]+\/README\.md$|^docs\/.*\.md$/;
const files = repositoryFiles(root).filter(
  (file) => documents.test(file) && (positionals.length === 0 || positionals.includes(file)),
);

const read = files.map((file) => blocksOf(file, readFileSync(join(root, file), "utf8")));
const problems = read.flatMap((one) => one.problems);
for (const { file, line, message } of problems) console.error(`${file}:${line} ${message}`);

const queue = read.flatMap((one) => one.blocks);
const count = queue.length;
let failed = problems.length;
async function work(): Promise<void> {
  for (let block = queue.shift(); block !== undefined; block = queue.shift()) {
    const wrong = await runBlock(root, block);
    if (wrong === undefined) continue;
    failed += 1;
    console.error(`${block.file}:${block.line} ${wrong}`);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
console.log(`doc blocks: ${count} in ${files.length} documents, ${failed} failed`);
console.log(`counts: ${count + problems.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
