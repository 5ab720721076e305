/**
 * `node main.ts [--json]`: the agent of booking.ts, killed with kill -9 at every moment before or after something is written, one run for each, and
 * once in every life until it is done. Prints a line for each run, and fails if anything was done twice or not at all.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { linesOf } from "./world.ts";

/** What one run of the agent, over all its lives, came to. */
export interface Run {
  /** The moment of each life at which it was killed. */
  readonly killedAt: number;
  readonly lives: number;
  readonly result: string;
  readonly reservations: readonly string[];
  readonly payments: readonly string[];
  readonly mails: readonly string[];
}

const LIVES_MOST = 200;

/** Live once. What it printed; undefined when it was killed. */
async function live(folder: string, killedAt: number): Promise<string | undefined> {
  const life = join(import.meta.dirname, "life.ts");
  const args = ["--conditions=@glia-os/source", "--no-warnings", life, folder, String(killedAt)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal === "SIGKILL") return undefined;
  if (code !== 0) throw new RangeError(`a life ended with ${code}`);
  return printed.trim();
}

/** Run the agent in a new world; kill it at moment `killedAt` of its first `kills` lives. */
export async function run(killedAt: number, kills: number): Promise<Run & { readonly moments: number }> {
  const folder = mkdtempSync(join(tmpdir(), "glia-resilient-"));
  try {
    for (let lives = 1; lives <= LIVES_MOST; lives++) {
      const printed = await live(folder, lives <= kills ? killedAt : 0);
      const [, result, moments] = /^end (.*) (\d+)$/.exec(printed ?? "") ?? [];
      if (result === undefined) continue;
      const [reservations, payments, mails] = [
        linesOf(folder, "reservations"),
        linesOf(folder, "bank"),
        linesOf(folder, "outbox"),
      ];
      return { killedAt, lives, result, reservations, payments, mails, moments: Number(moments) };
    }
    throw new RangeError(`not done after ${LIVES_MOST} lives`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether the run did everything exactly once, and came to the same as one that was not killed. */
export function isOnce(run: Run, whole: Run): boolean {
  const { result, reservations, payments, mails } = run;
  return (
    isDeepStrictEqual(JSON.parse(result), JSON.parse(whole.result)) &&
    new Set(reservations).size === whole.reservations.length &&
    reservations.length === whole.reservations.length &&
    payments.length === 1 &&
    mails.length === 1
  );
}

/** A run without a kill, one for each moment, and one that is killed in every life at a moment that leaves it room to get on. */
export async function* allRuns(atOnce = 4): AsyncGenerator<Run & { readonly fine: boolean }> {
  const whole = await run(0, 0);
  yield { ...whole, fine: isOnce(whole, whole) };
  const moments = Array.from({ length: whole.moments }, (_, index) => index + 1);
  for (let from = 0; from < moments.length; from += atOnce)
    for (const killed of await Promise.all(
      moments.slice(from, from + atOnce).map((moment) => run(moment, 1)),
    ))
      yield { ...killed, fine: isOnce(killed, whole) && killed.lives === 2 };
  const often = await run(4, LIVES_MOST);
  yield { ...often, fine: isOnce(often, whole) && often.lives > 2 };
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const json = args.length === 1 && args[0] === "--json";
  if (args.length > 0 && !json) {
    console.error("usage: node main.ts [--json]");
    process.exit(2);
  }
  let [bad, count] = [0, 0];
  for await (const { fine, ...run } of allRuns()) {
    count += 1;
    if (!fine) bad += 1;
    const how = run.killedAt === 0 ? "not killed" : `killed at moment ${run.killedAt}`;
    const done = `${run.reservations.length} reserved, ${run.payments.length} paid, ${run.mails.length} sent`;
    const lives = `${run.lives} ${run.lives === 1 ? "life" : "lives"}`;
    console.log(
      json
        ? JSON.stringify({ fine, ...run })
        : `${how.padEnd(22)} ${lives.padEnd(8)}  ${done}  ${fine ? "once" : "WRONG"}`,
    );
  }
  if (!json)
    console.log(bad === 0 ? `${count} runs, each did everything once` : `${bad} of ${count} runs went wrong`);
  process.exitCode = bad === 0 ? 0 : 1;
}
