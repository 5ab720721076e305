/** Three nodes: the anchor here, the others in processes of their own that can be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNode, type LocalNode } from "@glia-os/daemon";

const PROGRAM = fileURLToPath(new URL("./node-process.ts", import.meta.url));
const BIND = { host: "127.0.0.1", port: 0 };

/** A cluster with the profile `fast`. */
export class Cluster {
  readonly anchor: LocalNode;
  readonly #base: string;
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(anchor: LocalNode, base: string) {
    this.anchor = anchor;
    this.#base = base;
  }

  static async start(): Promise<Cluster> {
    const base = mkdtempSync(join(tmpdir(), "glia-failover-"));
    const start = { kind: "new-cluster" } as const;
    const common = { dataDir: join(base, "anchor"), bind: BIND, start, mesh: { profile: "fast" } } as const;
    return new Cluster(await createNode({ ...common, role: "core", name: "anchor" }), base);
  }

  /** Start a node in a process; its name is that of its folder. */
  async join(name: string): Promise<void> {
    const line = await this.anchor.createJoinLine({ ttlMs: 60_000, uses: 1 });
    await this.#run(name, { kind: "join", line });
  }

  /** Start one again with the folder it had. */
  async comeBack(name: string): Promise<void> {
    renameSync(this.#folder(`${name}.away`), this.#folder(name));
    await this.#run(name, { kind: "resume" });
  }

  /** Kill -9 a node, and move its folder away. */
  async kill(name: string): Promise<void> {
    const process = this.#processes.get(name) as ChildProcess;
    this.#processes.delete(name);
    process.kill("SIGKILL");
    await once(process, "exit");
    renameSync(this.#folder(name), this.#folder(`${name}.away`));
  }

  async stop(): Promise<void> {
    for (const process of this.#processes.values()) process.kill("SIGKILL");
    await this.anchor.stop();
    rmSync(this.#base, { recursive: true, force: true });
  }

  #folder(name: string): string {
    return join(this.#base, name);
  }

  async #run(name: string, start: object): Promise<void> {
    const common = { role: "edge", name, bind: BIND, mesh: { profile: "fast" } };
    const options = JSON.stringify({ ...common, dataDir: this.#folder(name), start });
    const args = ["--conditions=@glia-os/source", PROGRAM, options];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#processes.set(name, child);
    await Promise.race([
      once(child.stdout as NonNullable<typeof child.stdout>, "data"),
      once(child, "exit").then(() => {
        throw new Error(`the node ${name} did not start`);
      }),
    ]);
  }
}
