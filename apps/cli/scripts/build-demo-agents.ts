/** Puts the agents of the demo, each as one script, into `dist`, for what is published. Run after `tsup`. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleAgent } from "@glia-os/guest-js/build";
import { SCRIPT_FILE, SOURCE_FILE } from "../src/demo/catalogue/module.ts";
import { logbookModule, MODULE_FILE } from "../src/demo/logbook/logbook.ts";

const { code } = await bundleAgent({ entry: SOURCE_FILE }, true);
write(SCRIPT_FILE, code);
write(MODULE_FILE, await logbookModule());

/** By a rename: whoever reads it meanwhile gets the old or the new one, never half of one. */
function write(name: string, content: string | Uint8Array): void {
  const path = join(import.meta.dirname, "../dist", name);
  writeFileSync(`${path}.${process.pid}`, content);
  renameSync(`${path}.${process.pid}`, path);
}
