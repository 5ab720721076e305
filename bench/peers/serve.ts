/**
 * One contestant in a process of its own: the module and the name it has in that module's `contestants` are the arguments. Says on
 * standard output how it is measured, "run", "value" or "missing"; then answers each line: a count with 0 when it has run that often,
 * "value" with one sample.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Contestant, ContestantFactory } from "../src/suite.ts";

const [file = "", name = ""] = process.argv.slice(2);
const loaded = (await import(join(import.meta.dirname, file))) as {
  readonly contestants: Readonly<Record<string, ContestantFactory>>;
};
const open = loaded.contestants[name];
if (open === undefined) throw new RangeError(`${file} has no contestant ${name}`);
const contestant: Contestant | undefined = await open();
console.log(contestant?.run !== undefined ? "run" : contestant?.value !== undefined ? "value" : "missing");

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "value") console.log(await contestant!.value!());
  else {
    await contestant!.run!(Number(line));
    console.log(0);
  }
}
await contestant?.close?.();
