#!/usr/bin/env node
/**
 * The `glia` command.
 *
 * M1. `glia --version` loads this file and the package's manifest, nothing else: programs ask it to see whether the command is there.
 * M2. On a Node that is too old it says so and loads nothing, since what it would load fails there with an error that says something else.
 */
import { packageVersion } from "./package-root.ts";

const NODE_LEAST = 24;
const argv = process.argv.slice(2);
if (argv.length === 1 && argv[0] === "--version") showVersion();
else if (Number.parseInt(process.versions.node, 10) < NODE_LEAST) refuseNode();
else await (await import("./command-line.ts")).commandLine(argv);

function showVersion(): void {
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE") process.stderr.write(`glia: Standard output cannot be written: ${message}\n`);
    process.exitCode = 1;
  });
  process.stdout.write(`${packageVersion()}\n`);
}

/** M2. In the form of every failure of the command line, with the code it would have. */
function refuseNode(): void {
  const message = `glia needs Node ${NODE_LEAST} or newer, and this is Node ${process.versions.node}`;
  const fix = "Install a newer Node, https://nodejs.org, and run the command again.";
  const error = {
    code: "cli.node-too-old",
    message,
    changed: "Nothing.",
    fix,
    retryable: false,
    details: {},
  };
  if (argv.includes("--json")) process.stdout.write(`${JSON.stringify({ ok: false, error })}\n`);
  process.stderr.write(`glia: ${message}. ${fix}\n`);
  process.exitCode = 1;
}
