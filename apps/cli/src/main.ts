#!/usr/bin/env node
/**
 * The `glia` command.
 *
 * M1. `glia --version` loads this file and the package's manifest, nothing else: programs ask it to see whether the command is there.
 */
import { packageVersion } from "./package-root.ts";

const argv = process.argv.slice(2);
if (argv.length === 1 && argv[0] === "--version") showVersion();
else await (await import("./command-line.ts")).commandLine(argv);

function showVersion(): void {
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE") process.stderr.write(`glia: Standard output cannot be written: ${message}\n`);
    process.exitCode = 1;
  });
  process.stdout.write(`${packageVersion()}\n`);
}
