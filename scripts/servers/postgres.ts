/**
 * A private PostgreSQL server on loopback with a temporary data folder, for tests. Nothing is installed here: where the programs
 * are missing, `postgresMissing` says so and the tests that need them are skipped with that reason.
 *
 * P1. The server runs as a user who is not root, because PostgreSQL refuses root; its folder belongs to that user.
 * P2. It keeps what it acknowledged: fsync is on.
 * P3. `stop` ends every process of the server and removes its folder.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "./free-port.ts";

const READY = "database system is ready to accept connections";
const DEBIAN_VERSIONS = "/usr/lib/postgresql";
/** The users that may run a server when root starts it, the first that exists. */
const USERS = ["postgres", "nobody"];

/** How often to look whether the processes of a killed server are gone. */
const POLL_MS = 5;

/** A server that runs. */
export interface PostgresServer {
  /** Connects as its superuser, without a password. */
  readonly url: string;
  /** kill -9 of every process of the server, as if its machine had stopped. */
  kill(): Promise<void>;
  /** Start it again on what its folder holds. */
  restart(): Promise<void>;
  /** Send a signal to every process of the server, such as SIGSTOP. */
  signal(name: NodeJS.Signals): void;
  /** End it and remove its folder (P3). Idempotent. */
  stop(): Promise<void>;
}

/** Why no server can be started here; `undefined` when one can. */
export function postgresMissing(): string | undefined {
  if (process.platform !== "linux") return "PostgreSQL is started on Linux only";
  if (programs() === undefined) return "PostgreSQL is not installed: apt-get install postgresql";
  return process.getuid?.() === 0 && serverUser() === undefined
    ? "PostgreSQL does not run as root, and there is no other user"
    : undefined;
}

/** Make a data folder, start a server on a free port and wait until it answers. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = programs();
  if (bin === undefined) throw new Error(postgresMissing());
  const user = process.getuid?.() === 0 ? serverUser() : undefined;
  const root = mkdtempSync(join(tmpdir(), "glia-postgres-"));
  if (user !== undefined) chownSync(root, user.uid, user.gid);
  const data = join(root, "data");
  const options = { ...user, cwd: root, env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" } };
  const made = spawnSync(
    join(bin, "initdb"),
    ["--auth=trust", "--username=glia", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", data],
    { ...options, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const port = await freePort();
  const settings = [
    `listen_addresses=127.0.0.1`,
    "unix_socket_directories=",
    "fsync=on",
    "max_connections=40",
  ];
  const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  const start = (): Promise<ChildProcess> =>
    started(spawn(join(bin, "postgres"), args, { ...options, stdio: ["ignore", "ignore", "pipe"] }));
  return serverOf(await start(), start, root, `postgresql://glia@127.0.0.1:${port}/postgres`);
}

function serverOf(
  first: ChildProcess,
  start: () => Promise<ChildProcess>,
  root: string,
  url: string,
): PostgresServer {
  let child: ChildProcess | undefined = first;
  const endNow = (): void => {
    for (const pid of child === undefined ? [] : processesOf(child)) kill(pid, "SIGKILL");
  };
  process.once("exit", endNow);
  return {
    url,
    async kill() {
      if (child === undefined) return;
      const exited = once(child, "exit");
      // A stopped server starts no further processes while its present ones are counted.
      kill(child.pid, "SIGSTOP");
      const processes = processesOf(child);
      for (const pid of processes) kill(pid, "SIGKILL");
      await exited;
      child = undefined;
      while (processes.some(lives)) await setTimeout(POLL_MS);
    },
    async restart() {
      child ??= await start();
    },
    signal(name) {
      for (const pid of child === undefined ? [] : processesOf(child)) kill(pid, name);
    },
    async stop() {
      process.off("exit", endNow);
      const ending = child;
      child = undefined;
      if (ending !== undefined) {
        const exited = once(ending, "exit");
        for (const pid of processesOf(ending)) kill(pid, "SIGCONT");
        kill(ending.pid, "SIGQUIT");
        await exited;
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Resolves when the server says that it answers. */
async function started(child: ChildProcess): Promise<ChildProcess> {
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (bytes: Buffer) => {
      if (said.includes(READY)) return;
      said += bytes.toString();
      if (said.includes(READY)) resolve();
    });
    child.once("exit", () => reject(new Error(`the server ended: ${said}`)));
    child.once("error", reject);
  });
  return child;
}

/** The server's first process and the ones it started. */
function processesOf({ pid }: ChildProcess): readonly number[] {
  if (pid === undefined) return [];
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return [pid, ...children.split(" ").filter(Boolean).map(Number)];
  } catch {
    return [pid];
  }
}

/** Whether a process still holds anything: one that ended and was not waited for does not. */
function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

/** A process that is gone already needs no signal. */
function kill(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The folder of `initdb` and `postgres`: of the newest version Debian installed, or on the path. */
function programs(): string | undefined {
  const versions = existsSync(DEBIAN_VERSIONS) ? readdirSync(DEBIAN_VERSIONS) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_VERSIONS, version, "bin"));
  const path = (process.env["PATH"] ?? "").split(":").filter(Boolean);
  return [...folders, ...path].find(
    (bin) => existsSync(join(bin, "initdb")) && existsSync(join(bin, "postgres")),
  );
}

function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  for (const name of USERS) {
    if (spawnSync("id", ["-u", name]).status !== 0) continue;
    const number = (flag: string): number => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
    return { uid: number("-u"), gid: number("-g") };
  }
  return undefined;
}
