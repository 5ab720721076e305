/**
 * `pnpm start [ARGS]`: builds the workspace and runs the main job, `glia demo ARGS`. What this script says goes to stderr, so stdout is the
 * job's own. It ends with the job's exit code; Ctrl-C reaches the job, which stops its nodes.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { repositoryRoot as root } from "./workspace/packages.ts";

const cli = join(root, "apps/cli/dist/main.js");
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };

function run(args: readonly string[], stdout: "inherit" | 2): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: stdout === 2 ? root : process.cwd(),
      env,
      stdio: ["inherit", stdout, "inherit"],
    });
    const forward = (signal: NodeJS.Signals): void => {
      // A terminal sends Ctrl-C to the whole group by itself.
      if (signal !== "SIGINT" || process.stdin.isTTY !== true) child.kill(signal);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, forward);
    child.on("error", (error) => {
      console.error(`${args[0]} could not be started: ${error.message}`);
      resolve(1);
    });
    child.on("close", (code, signal) => {
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(name, forward);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

async function start(): Promise<number> {
  const given = process.argv.slice(2);
  const args = given[0] === "--" ? given.slice(1) : given;
  console.error(
    "Glia: building the workspace (the first time takes a while), then running the main job: glia demo",
  );
  const built = await run(
    [join(root, "node_modules/turbo/bin/turbo"), "run", "build", "--output-logs=errors-only"],
    2,
  );
  if (built !== 0) {
    console.error("The build failed, so the main job was not started. What failed is above.");
    return built;
  }
  if (!existsSync(cli)) {
    console.error("apps/cli has no build, so there is no main job to run.");
    return 1;
  }
  return run([cli, "demo", ...args], "inherit");
}

process.exitCode = await start();
