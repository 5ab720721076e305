/** The three processes, and a client node in this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createNode, type NodeApi } from "@glia-os/daemon";

/** What the nodes are called, after their roles. */
export const ROLES = ["core", "relay", "edge"] as const;
/** One of them. */
export type Role = (typeof ROLES)[number];

const LOOK_EVERY_MS = 50;

interface Ready {
  readonly pid: number;
  readonly address: { readonly host: string; readonly port: number };
  readonly joinLine?: string;
}

/** A running cluster; disposing of it ends every process and removes every folder. */
export class Cluster implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "glia-cluster-"));
  readonly #processes = new Map<Role, ChildProcess>();
  #client: NodeApi | undefined;

  /** Start core, then relay and edge, then the client; resolves when the client knows all of them. */
  async open(onReady: (role: Role, ready: Ready) => void): Promise<NodeApi> {
    const core = await this.#start("core", "");
    onReady("core", core);
    const line = core.joinLine ?? "";
    const joined = (["relay", "edge"] as const).map(async (role) =>
      onReady(role, await this.#start(role, line)),
    );
    await Promise.all(joined);
    const start = { kind: "join", line } as const;
    this.#client = await createNode({
      dataDir: join(this.#folder, "client"),
      role: "client",
      start,
      mesh: { profile: "fast" },
    });
    for (const role of ROLES) await this.until(role, "alive");
    return this.#client;
  }

  /** Kill a node as `kill -9` does. */
  kill(role: Role): void {
    this.#processes.get(role)?.kill("SIGKILL");
  }

  /** Resolves when the client holds the node for `state`; how long that took, in milliseconds. */
  async until(role: Role, state: "alive" | "dead"): Promise<number> {
    const startedAt = performance.now();
    for (;;) {
      const members = (await this.#client?.members()) ?? [];
      if (members.some((member) => member.name === role && member.state === state))
        return performance.now() - startedAt;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.stop();
    await Promise.all([...this.#processes.values()].map(ended));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #start(role: Role, line: string): Promise<Ready> {
    const file = join(import.meta.dirname, "node.ts");
    const args = ["--conditions=@glia-os/source", "--no-warnings", file, role, join(this.#folder, role)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#processes.set(role, child);
    child.stdin.on("error", () => undefined);
    child.stdin.write(`${line}\n`);
    return new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).once("line", (text) => resolve(JSON.parse(text) as Ready));
      child.once("close", (code) => reject(new RangeError(`${role} ended with ${code} before it was ready`)));
    });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.stdin?.end();
  await closed;
}
