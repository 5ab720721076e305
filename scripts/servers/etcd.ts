/**
 * A private etcd server of one member on loopback with a temporary data folder, for tests. Nothing is installed here: where the program
 * is missing, `etcdMissing` says so and the tests that need it are skipped with that reason.
 *
 * E1. It keeps what it acknowledged: its write-ahead log is flushed, which is etcd's default.
 * E2. `stop` ends the process of the server and removes its folder.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

const READY = "serving client traffic";

/** A server that runs. */
export interface EtcdServer {
  /** Where clients connect. */
  readonly url: string;
  /** kill -9, as if its machine had stopped. */
  kill(): Promise<void>;
  /** Start it again on what its folder holds. */
  restart(): Promise<void>;
  /** Throw away what its folder holds and start it again, as a member that was replaced. */
  replace(): Promise<void>;
  /** Send a signal to the server, such as SIGSTOP. */
  signal(name: NodeJS.Signals): void;
  /** End it and remove its folder (E2). Idempotent. */
  stop(): Promise<void>;
}

/** Why no server can be started here; `undefined` when one can. */
export function etcdMissing(): string | undefined {
  if (process.platform !== "linux") return "etcd is started on Linux only";
  const found = spawnSync("etcd", ["--version"]).status === 0;
  return found ? undefined : "etcd is not installed: apt-get install etcd-server";
}

/** Make a data folder, start a server on free ports and wait until it answers. `flags` are added to its command line. */
export async function startEtcd(flags: readonly string[] = []): Promise<EtcdServer> {
  const root = mkdtempSync(join(tmpdir(), "glia-etcd-"));
  const data = join(root, "data");
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const args = [
    ...["--name", "one", "--data-dir", data, "--logger", "zap"],
    ...["--listen-client-urls", url, "--advertise-client-urls", url],
    ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
    ...["--initial-cluster", `one=${peerUrl}`, ...flags],
  ];
  const env = { PATH: process.env["PATH"], ETCD_UNSUPPORTED_ARCH: process.arch };
  const start = (): Promise<ChildProcess> =>
    started(spawn("etcd", args, { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] }));
  return new Server(url, root, data, start, await start());
}

class Server implements EtcdServer {
  readonly url: string;
  readonly #root: string;
  readonly #data: string;
  readonly #start: () => Promise<ChildProcess>;
  #child: ChildProcess | undefined;
  readonly #endNow = (): void => void this.#child?.kill("SIGKILL");

  constructor(
    url: string,
    root: string,
    data: string,
    start: () => Promise<ChildProcess>,
    child: ChildProcess,
  ) {
    this.url = url;
    this.#root = root;
    this.#data = data;
    this.#start = start;
    this.#child = child;
    process.once("exit", this.#endNow);
  }

  async kill(): Promise<void> {
    const ending = this.#child;
    this.#child = undefined;
    if (ending === undefined) return;
    const exited = once(ending, "exit");
    ending.kill("SIGKILL");
    await exited;
  }

  async restart(): Promise<void> {
    this.#child ??= await this.#start();
  }

  async replace(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
    await this.restart();
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async stop(): Promise<void> {
    process.off("exit", this.#endNow);
    await this.kill();
    rmSync(this.#root, { recursive: true, force: true });
  }
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
