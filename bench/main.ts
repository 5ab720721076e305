/** `pnpm bench`: the command line of the harness. */
import { join } from "node:path";
import { bench } from "./src/commands.ts";

const here = import.meta.dirname;
const folders = {
  suites: join(here, "suites"),
  results: join(here, "results"),
  docs: join(here, "../docs/benchmarks.md"),
};

process.exitCode = await bench(process.argv.slice(2), folders, {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
});
