/** A node of the command line that runs until its process is ended, once it has said that it is ready. */
import type { ChildProcess } from "node:child_process";
import type { ReadyRecord } from "../src/node/node-records.ts";
import { type CliResult, resultOf, startCli } from "./run-cli.ts";

/** A node that is ready. */
export interface ReadyNode {
  readonly child: ChildProcess;
  readonly ready: ReadyRecord;
  readonly result: Promise<CliResult>;
  /** What it wrote to standard output so far. */
  seen(): string;
}

/**
 * Start a node; `args` are its command and options. Its standard input is closed at once, or stays open after `stdin` was written to it.
 * Rejects with what it said when it ends before it is ready.
 */
export async function startReadyNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin?: string,
): Promise<ReadyNode> {
  const child = startCli([...args, "--json"], { env });
  if (stdin === undefined) child.stdin?.end();
  else child.stdin?.write(stdin);
  const result = resultOf(child);
  let seen = "";
  const ready = await new Promise<ReadyRecord>((resolve, reject) => {
    child.stdout?.on("data", (text: string) => {
      seen += text;
      const line = seen.split("\n").find((each) => each.includes('"ready"'));
      if (line !== undefined && seen.includes(`${line}\n`)) resolve(JSON.parse(line) as ReadyRecord);
    });
    void result.then(({ stdout, stderr }) => reject(new RangeError(`ended early: ${stdout}${stderr}`)));
  });
  return { child, ready, result, seen: () => seen };
}
