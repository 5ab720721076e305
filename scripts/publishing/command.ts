/** Runs a program to its end and keeps what it printed. */
import { spawn } from "node:child_process";

/** What a finished program left behind. */
export interface Finished {
  readonly status: number;
  readonly output: string;
}

/** Run a program; both output streams are kept together, in order of arrival. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status: status ?? 1, output }));
  });
}

/** Run a program that must succeed; its output is the error message when it does not. */
export async function mustRun(
  program: string,
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  const { status, output } = await run(program, args, cwd, env);
  if (status !== 0)
    throw new TypeError(`${program} ${args.join(" ")} in ${cwd} ended with ${status}:\n${output}`);
  return output;
}
