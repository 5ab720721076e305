/**
 * Three nodes on this machine, and a client in this process.
 *
 * LM1. Whatever happens, `close` ends every process and removes every folder; it can be called at any time, also twice.
 * LM2. `trouble` rejects as soon as the mesh can not do its work any more.
 */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createNode, type NodeApi } from "@glia-os/daemon";
import { ChildSilentError } from "../errors.ts";
import type { ReadyRecord } from "../node/node-records.ts";
import { NODE_NAMES, type NodeName } from "./node-names.ts";
import { NodeProcess } from "./node-process.ts";

/** Deaths are found within seconds, and a lease is short. */
const PROFILE = "fast";
const JOIN_TTL = "10m";
/** Relay, edge and the client. */
const JOIN_USES = 3;

const MEET_EVERY_MS = 50;
const MEET_LIMIT_MS = 30_000;

/** How a mesh reports while it comes up. */
export interface MeshWatcher {
  ready(record: ReadyRecord): void;
  line(line: string): void;
}

/** The running mesh (LM1, LM2). */
export class LocalMesh {
  readonly #watcher: MeshWatcher;
  readonly #programs: Readonly<Record<string, Uint8Array>>;
  readonly #processes = new Map<NodeName, NodeProcess>();
  #folder: string | undefined;
  #creating: Promise<NodeApi> | undefined;
  #closing: Promise<void> | undefined;
  #troubled: (error: unknown) => void = () => {};
  /** Never resolves (LM2). */
  readonly trouble: Promise<never>;

  /** `programs`: durable programs that the core may run, by file name. */
  constructor(watcher: MeshWatcher, programs: Readonly<Record<string, Uint8Array>> = {}) {
    this.#watcher = watcher;
    this.#programs = programs;
    this.trouble = new Promise((_, reject) => (this.#troubled = reject));
    this.trouble.catch(() => {});
  }

  /** Start everything; the client's face of the mesh. */
  async open(): Promise<NodeApi> {
    const folder = await mkdtemp(join(tmpdir(), "glia-demo-"));
    this.#folder = folder;
    // For an end without `close`, such as a second Ctrl-C; each node removes its own part again when it stops.
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    const limits = ["--ttl", JOIN_TTL, "--uses", String(JOIN_USES)];
    const programs = join(folder, "programs");
    await mkdir(programs);
    for (const [name, module] of Object.entries(this.#programs))
      await writeFile(join(programs, name), module);
    const core = await this.#start("core", ["mesh", "start", ...limits, "--programs", programs]);
    const line = core.joinLine ?? "";
    this.#creating = createNode({
      dataDir: join(this.#folder, "client"),
      name: "client",
      role: "client",
      start: { kind: "join", line },
      mesh: { profile: PROFILE },
      onEvent: (event) => this.#watcher.line(`[client] ${JSON.stringify(event)}`),
    });
    const [client] = await Promise.all([
      this.#creating,
      this.#start("relay", ["mesh", "join", "-"], line),
      this.#start("edge", ["mesh", "join", "-"], line),
    ]);
    void client.failed.then((error) => this.#troubled(error));
    await this.#meet(client);
    return client;
  }

  /** Where a node keeps its data. */
  dataDir(name: NodeName): string {
    return join(this.#folder ?? "", name);
  }

  /** Kill a node as `kill -9` does, and take its data folder away: it cannot come back. Its process id. */
  async kill(name: NodeName): Promise<number | undefined> {
    const killed = this.#processes.get(name);
    await killed?.kill();
    if (this.#folder !== undefined)
      await rm(join(this.#folder, name), { recursive: true, force: true, maxRetries: 5 });
    return killed?.pid;
  }

  /** The most memory each node had resident, in bytes; known after `close`, for nodes that stopped in order. */
  peakRss(): Partial<Record<NodeName, number>> {
    const peaks: Partial<Record<NodeName, number>> = {};
    for (const [name, { stopped }] of this.#processes)
      if (stopped !== undefined) peaks[name] = stopped.peakRssBytes;
    return peaks;
  }

  /** Stop everything (LM1); with `hurry`, what does not stop soon is killed. */
  close(hurry: boolean): Promise<void> {
    this.#closing ??= this.#end(hurry);
    return this.#closing;
  }

  /** Wait until the client has heard of every node: the news of who joined travels by gossip. */
  async #meet(client: NodeApi): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += MEET_EVERY_MS) {
      const { members } = await client.status();
      const known = new Set(members.filter(({ state }) => state === "alive").map(({ name }) => name));
      const missing = NODE_NAMES.find((name) => !known.has(name));
      if (missing === undefined) return;
      if (waitedMs >= MEET_LIMIT_MS)
        throw new ChildSilentError(missing, this.#processes.get(missing)?.pid, waitedMs);
      await setTimeout(MEET_EVERY_MS);
    }
  }

  async #start(name: NodeName, command: readonly string[], firstLine?: string): Promise<ReadyRecord> {
    const data = join(this.#folder ?? "", name);
    const started = new NodeProcess({
      name,
      args: [
        ...command,
        "--profile",
        PROFILE,
        "--bind",
        "127.0.0.1:0",
        "--role",
        name,
        "--name",
        name,
        "--data",
        data,
      ],
      onLine: (line) => this.#watcher.line(line),
      ...(firstLine === undefined ? {} : { firstLine }),
    });
    this.#processes.set(name, started);
    started.endedEarly.catch((error: unknown) => this.#troubled(error));
    const record = await started.ready();
    this.#watcher.ready(record);
    return record;
  }

  async #end(hurry: boolean): Promise<void> {
    const others = [...this.#processes.values()].filter(({ name }) => name !== "core");
    await Promise.allSettled([inTime(this.#stopClient(), hurry), ...others.map((each) => each.stop(hurry))]);
    await this.#processes.get("core")?.stop(hurry);
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Also a client that was about to join when the run was given up. */
  async #stopClient(): Promise<void> {
    const client = await this.#creating?.catch(() => undefined);
    await client?.stop();
  }
}

const CLIENT_WAIT_MS = 3000;
const CLIENT_HURRY_MS = 1000;

/** Resolves when `work` settled, or when it takes too long. */
async function inTime(work: Promise<void>, hurry: boolean): Promise<void> {
  const settled = new AbortController();
  const late = setTimeout(hurry ? CLIENT_HURRY_MS : CLIENT_WAIT_MS, undefined, { signal: settled.signal });
  await Promise.race([work.catch(() => {}), late]);
  settled.abort();
  await late.catch(() => {});
}
