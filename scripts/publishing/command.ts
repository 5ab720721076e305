/** Runs a program to its end and keeps what it printed. */
import { spawn } from "node:child_process";

/** What a finished program left behind. */
export interface Finished {
  readonly status: number;
  readonly stdout: string;
  /** Both streams, in order of arrival. */
  readonly output: string;
}

/** Run a program. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    // On Windows the commands of packages are scripts, which only a shell starts.
    const shell = process.platform === "win32";
    const child = spawn(program, args, { cwd, env, shell, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, output] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status: status ?? 1, stdout, output }));
  });
}

/** Run a program that must succeed and give its standard output; everything it printed is the error message when it does not. */
export async function mustRun(
  program: string,
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  const { status, stdout, output } = await run(program, args, cwd, env);
  if (status !== 0)
    throw new TypeError(`${program} ${args.join(" ")} in ${cwd} ended with ${status}:\n${output}`);
  return stdout;
}
