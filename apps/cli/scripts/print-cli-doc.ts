/** Prints docs/cli.md (see cli-doc.ts). */
import { cliDoc } from "./cli-doc.ts";

process.stdout.write(cliDoc());
