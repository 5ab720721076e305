/**
 * An agent with a replica, on nodes in processes of their own that are killed with SIGKILL one after the other and whose folders are moved away; its asker is
 * the anchor. A failover is the time from the kill to the first answer after it, of an agent that had answered everything before. Every answer is
 * checked: it depends on every number before, so one that was lost or applied twice shows in all later ones.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, type LocalNode } from "@glia-os/daemon";

const TIMEOUT_MS = 60_000;
const AGENT = "counter";
/** Numbers that the agent takes on its way down, most of them never. */
const DEPTH = 10_000;
/** Answers between two kills. */
const ANSWERS = 50;

/** The nodes, and their agent. */
export class Failovers {
  readonly #anchor: LocalNode;
  readonly #folder: string;
  readonly #nodes = new Map<string, ChildProcess>();
  #started = 0;
  #depth = 0;
  #running = 0n;

  private constructor(anchor: LocalNode, folder: string) {
    this.#anchor = anchor;
    this.#folder = folder;
  }

  /** An anchor, three nodes, and the agent on the first of them. */
  static async start(): Promise<Failovers> {
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    const anchor = await createNode({
      dataDir: join(folder, "anchor"),
      role: "core",
      name: "anchor",
      bind: { host: "127.0.0.1", port: 0 },
      start: { kind: "new-cluster" },
      mesh: { profile: "fast" },
    });
    const failovers = new Failovers(anchor, folder);
    for (let left = 3; left > 0; left--) await failovers.#join();
    const guest = createRequire(import.meta.url).resolve("@glia-os/guest-as/guests/counter.wasm");
    const module = new Uint8Array(readFileSync(guest));
    await anchor.spawn({ name: AGENT, module, on: "n1", durability: "replica" });
    return failovers;
  }

  /** Kill the agent's node; milliseconds until it answers. An agent that came to the anchor is moved away first. */
  async kill(): Promise<number> {
    for (let left = ANSWERS; left > 0; left--) await this.#ask();
    const owner = await this.#owner();
    const process = this.#nodes.get(owner) as ChildProcess;
    this.#nodes.delete(owner);
    const startMs = performance.now();
    process.kill("SIGKILL");
    renameSync(join(this.#folder, owner), join(this.#folder, `${owner}.away`));
    await this.#ask();
    const tookMs = performance.now() - startMs;
    await this.#join();
    return tookMs;
  }

  async close(): Promise<void> {
    for (const process of this.#nodes.values()) process.kill("SIGKILL");
    await this.#anchor.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #owner(): Promise<string> {
    for (;;) {
      const [agent] = await this.#anchor.listAgents();
      const name = agent?.ownerName ?? "";
      if (name === "anchor") await this.#anchor.migrate(AGENT, [...this.#nodes.keys()][0] as string);
      else if (agent?.live?.replica?.state === "fed") return name;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #join(): Promise<void> {
    const name = `n${++this.#started}`;
    const line = await this.#anchor.createJoinLine({ ttlMs: TIMEOUT_MS, uses: 1 });
    const program = join(import.meta.dirname, "glia/failover-node.ts");
    const node = fork(program, [join(this.#folder, name), name, line]);
    await once(node, "message");
    this.#nodes.set(name, node);
  }

  /** One number on the agent's way down (guests/counter.ts of guest-as): its answer depends on all before. */
  async #ask(): Promise<void> {
    const first = this.#depth === 0;
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, first ? DEPTH : 7, true);
    const said = await this.#anchor.ask(AGENT, number, TIMEOUT_MS);
    const running = new DataView(said.buffer, said.byteOffset).getBigUint64(0, true);
    if (!first) this.#running = mix(this.#running, mix(BigInt(this.#depth--), 7n));
    else this.#depth = DEPTH;
    if (running !== this.#running)
      throw new RangeError(`answer ${DEPTH - this.#depth} comes from another history`);
  }
}

function mix(a: bigint, b: bigint): bigint {
  const product = ((a ^ b) * 0x9e3779b97f4a7c15n) & 0xffff_ffff_ffff_ffffn;
  return product ^ (product >> 29n);
}
