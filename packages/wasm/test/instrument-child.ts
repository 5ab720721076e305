/** Prints the hashes of one module in the profiles named: `instrument-child.ts FILE PROFILE...`. */
import { readFileSync } from "node:fs";
import { instrument, type Profile } from "@glia-os/wasm/pipeline";

const [file = "", ...profiles] = process.argv.slice(2);
const hashes: string[] = [];
for (const profile of profiles)
  hashes.push((await instrument(readFileSync(file), { profile: profile as Profile })).hash);
process.stdout.write(`${hashes.join(" ")}\n`);
