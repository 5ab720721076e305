#!/usr/bin/env node
/** `npm create glia NAME`: makes the folder and says what to do next. */
import { toErrorRecord } from "@glia-os/abi/errors";
import { createProject } from "./create-project.ts";

const USAGE = "Usage: npm create glia NAME\n";
const [folder, ...more] = process.argv.slice(2);

if (folder === "--help" || folder === "-h") process.stdout.write(USAGE);
else if (folder === undefined || more.length > 0 || folder.startsWith("-")) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  try {
    const { files } = createProject(folder);
    process.stdout.write(`${folder}: ${files.join(", ")}\n`);
    process.stdout.write(`Next: cd ${folder} && npm install && npm test && npx glia up\n`);
  } catch (error) {
    const { message, fix } = toErrorRecord(error);
    process.stderr.write(`${message}\n${fix}\n`);
    process.exitCode = 1;
  }
}
