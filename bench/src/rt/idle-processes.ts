/** Processes with nothing to do, and how often the operating system saw them wake. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { processActivity } from "@glia-os/host";
import type { Contestant } from "../suite.ts";

const program = fileURLToPath(new URL("./idle-program.ts", import.meta.url));
/** Engines compile and collect for a while after the start; what is measured is rest. */
const SETTLE_MS = 20_000;
const WINDOW_MS = 5000;

/** What is read of a process that rests. */
export type IdleFigure = "wake-ups per second" | "percent of a core";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A child of ours and its first line. */
async function child(
  args: readonly string[],
): Promise<{ readonly process: ChildProcess; readonly line: string }> {
  const conditions = process.execArgv.filter((flag) => flag.startsWith("--conditions"));
  const started = spawn(process.execPath, [...conditions, program, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: started.stdout });
  const [line] = (await once(lines, "line")) as [string];
  return { process: started, line };
}

/** The busiest of some processes, over one window. */
async function busiest(pids: readonly number[], figure: IdleFigure): Promise<number> {
  const before = pids.map((pid) => processActivity(pid));
  const startMs = performance.now();
  await pause(WINDOW_MS);
  const seconds = (performance.now() - startMs) / 1000;
  const figures = pids.map((pid, i) => {
    const [was, is] = [before[i], processActivity(pid)];
    if (was === undefined || is === undefined) throw new TypeError(`process ${pid} is gone`);
    if (figure === "percent of a core") return (is.cpuMs - was.cpuMs) / 10 / seconds;
    return (is.wakeUps - was.wakeUps) / seconds;
  });
  return Math.max(...figures);
}

function contestant(children: readonly ChildProcess[], figure: IdleFigure, close: () => void): Contestant {
  const pids = children.map(({ pid }) => pid as number);
  return {
    value: () => busiest(pids, figure),
    close: async () => {
      for (const one of children) {
        one.stdin?.end();
        if (one.exitCode === null && one.signalCode === null) {
          one.kill();
          await once(one, "exit");
        }
      }
      close();
    },
  };
}

/** A kernel without a mesh. */
export async function idleKernel(figure: IdleFigure): Promise<Contestant> {
  const { process } = await child(["kernel"]);
  await pause(SETTLE_MS / 4);
  return contestant([process], figure, () => undefined);
}

/** The nodes of a mesh. */
export async function idleMesh(figure: IdleFigure, nodes: number): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), "glia-idle-"));
  const founder = await child(["found", join(folder, "n0")]);
  const children = [founder.process];
  for (let n = 1; n < nodes; n++)
    children.push((await child(["join", join(folder, `n${n}`), founder.line])).process);
  await pause(SETTLE_MS);
  return contestant(children, figure, () => rmSync(folder, { recursive: true }));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** As many members of serf, which does membership and nothing else; undefined where it is not installed. */
export async function idleSerf(figure: IdleFigure, nodes: number): Promise<Contestant | undefined> {
  if (spawnSync("serf", ["version"]).status !== 0) return undefined;
  const children: ChildProcess[] = [];
  let first = "";
  for (let n = 0; n < nodes; n++) {
    const address = `127.0.0.1:${await freePort()}`;
    const rpc = `127.0.0.1:${await freePort()}`;
    const joins = first === "" ? [] : [`-join=${first}`];
    const args = ["agent", `-node=n${n}`, `-bind=${address}`, `-rpc-addr=${rpc}`, "-profile=lan", ...joins];
    children.push(spawn("serf", args, { stdio: "ignore" }));
    if (first === "") first = address;
    await pause(500);
  }
  await pause(SETTLE_MS / 2);
  return contestant(children, figure, () => undefined);
}
