/**
 * Real serf agents on loopback: Debian's `serf` with the LAN profile of memberlist.
 *
 * SA1. Only 127.0.0.1 is used, and only processes started here are ended.
 * SA2. What an agent sees is read from its log as it writes it: no program is run per event.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** When an agent said that a member failed. */
export interface Failed {
  readonly viewer: number;
  readonly member: number;
  readonly atMs: number;
}

interface Agent {
  readonly process: ChildProcess;
  /** Members it has seen come. */
  readonly joined: Set<number>;
}

const START_LIMIT_MS = 60_000;
const POLL_MS = 50;

/** A cluster of agents. */
export class SerfAgents {
  readonly failures: Failed[] = [];
  readonly #agents = new Map<number, Agent>();
  readonly #ports: readonly number[];
  readonly #size: number;

  private constructor(size: number, ports: readonly number[]) {
    this.#size = size;
    this.#ports = ports;
  }

  /** Start `size` agents that all know each other. @throws when they do not meet within a minute. */
  static async start(size: number): Promise<SerfAgents> {
    const cluster = new SerfAgents(size, await freePorts(2 * size));
    try {
      for (let index = 0; index < size; index++) {
        cluster.#start(index);
        if (index === 0) await sleep(500);
      }
      const all = (): boolean => [...cluster.#agents.values()].every(({ joined }) => joined.size >= size);
      if (!(await until(all, START_LIMIT_MS)))
        throw new RangeError(`${size} serf agents did not meet within ${START_LIMIT_MS / 1000} s`);
      return cluster;
    } catch (error) {
      cluster.stop();
      throw error;
    }
  }

  /** Agents that run. */
  get running(): readonly number[] {
    return [...this.#agents.keys()];
  }

  /** `kill -9` of one agent; when the first and when the last of the others said so, in milliseconds after it. */
  async kill(index: number, limitMs: number): Promise<{ firstMs: number; allMs: number; heard: number }> {
    const agent = this.#agents.get(index);
    this.#agents.delete(index);
    const killedMs = performance.now();
    agent?.process.kill("SIGKILL");
    const heard = (): Failed[] =>
      this.failures.filter(({ member, atMs }) => member === index && atMs >= killedMs);
    await until(() => heard().length >= this.#agents.size, limitMs);
    const times = heard().map(({ atMs }) => atMs - killedMs);
    return { firstMs: Math.min(...times), allMs: Math.max(...times), heard: times.length };
  }

  /** End every agent that runs. */
  stop(): void {
    for (const { process } of this.#agents.values()) process.kill("SIGKILL");
    this.#agents.clear();
  }

  #start(index: number): void {
    const at = (which: number): string => `127.0.0.1:${this.#ports[which]}`;
    const join = index === 0 ? [] : [`-retry-join=${at(0)}`, "-retry-interval=1s"];
    const args = [
      "agent",
      `-node=member-${index}`,
      `-bind=${at(index)}`,
      `-rpc-addr=${at(this.#size + index)}`,
      "-profile=lan",
      "-log-level=info",
      ...join,
    ];
    const process = spawn("serf", args, { stdio: ["ignore", "pipe", "ignore"] });
    const agent: Agent = { process, joined: new Set() };
    this.#agents.set(index, agent);
    createInterface({ input: process.stdout }).on("line", (line) => {
      const event = /EventMember(Join|Failed): member-(\d+)/.exec(line);
      if (event === null) return;
      const member = Number(event[2]);
      if (event[1] === "Join") agent.joined.add(member);
      else this.failures.push({ viewer: index, member, atMs: performance.now() });
    });
  }
}

/** Whether `done` became true in time. */
async function until(done: () => boolean, limitMs: number): Promise<boolean> {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs; await sleep(POLL_MS))
    if (done()) return true;
  return done();
}

/** Wait. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
