/**
 * What goes with a node that `glia up` runs: its HTTP face, the agents it keeps, its configuration as it changes.
 *
 * UA1. An HTTP face that moves is opened at the new address before the old one closes; when it cannot be opened, the old one stays.
 * UA2. Before the node leaves, no agent is started any more, and with `shutdown.drain` those that can move are moved away.
 */
import { join } from "node:path";
import type { HostPort } from "@glia-os/abi/ports";
import { type HttpServer, HttpToken, type NodeApi, type NodeEvent, serveHttp } from "@glia-os/daemon";
import type { GliaConfig } from "@glia-os/daemon/config";
import { drainBeforeStop } from "../movement/drain-before-stop.ts";
import { formatHostPort, parseHostPort } from "../node/host-port.ts";
import type { Attendance } from "../node/run-node.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { KeptAgents } from "./kept-agents.ts";
import { Reload } from "./reload.ts";
import { tellServiceManager } from "./service-manager.ts";
import type { UpLog } from "./up-log.ts";

/** How long stopping may take, unless the configuration says. */
const STOP_MS = 10_000;

/** What it is made of. */
export interface UpAttendanceParts {
  readonly file: string | undefined;
  readonly config: GliaConfig;
  readonly log: UpLog;
  readonly terminal: Terminal;
  read(): Promise<GliaConfig>;
}

/** The attendance of one node. */
export class UpAttendance implements Attendance {
  readonly #parts: UpAttendanceParts;
  #config: GliaConfig;
  #node: NodeApi | undefined;
  #dataDir = "";
  #http: HttpServer | undefined;
  #agents: KeptAgents | undefined;
  #reload: Reload | undefined;

  constructor(parts: UpAttendanceParts) {
    this.#parts = parts;
    this.#config = parts.config;
  }

  /** What holds now. */
  get config(): GliaConfig {
    return this.#config;
  }

  get http(): Pick<HttpServer, "address"> | undefined {
    return this.#http;
  }

  /** Something happened on the node. */
  event({ kind }: NodeEvent): void {
    if (kind === "agent-ended") void this.#agents?.look();
  }

  /** Begin with a node that is a member. @throws {HttpListenError} */
  async begin(node: NodeApi, dataDir: string): Promise<void> {
    const { file, log, read } = this.#parts;
    this.#node = node;
    this.#dataDir = dataDir;
    this.#http = await this.#open(this.#config.http?.bind);
    this.#agents = new KeptAgents({
      node,
      logger: log,
      nowMs: () => performance.now(),
      later: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    });
    this.#reload = new Reload(this.#config, {
      file,
      logger: log,
      read,
      apply: (config, live) => this.#apply(config, live),
    });
    await this.#agents.keep(this.#config.agents ?? []);
    const { name, members } = await node.status();
    await tellServiceManager("ready", `${name} is one of ${members.length} members`);
  }

  /** How long stopping may take, in milliseconds. */
  get stopMs(): number {
    return this.#config.shutdown?.timeoutMs ?? STOP_MS;
  }

  /** (UA2) */
  async leave(): Promise<void> {
    const drains = this.#config.shutdown?.drain === true;
    await tellServiceManager("stopping", drains ? "moving agents away" : "leaving the mesh");
    await this.#agents?.stop();
    if (drains && this.#node !== undefined)
      await drainBeforeStop(this.#node, this.stopMs, this.#parts.terminal);
  }

  async close(): Promise<void> {
    await Promise.all([this.#reload?.stop(), this.#agents?.stop(), this.#http?.close()]);
  }

  async #apply(config: GliaConfig, live: readonly string[]): Promise<void> {
    const changed = (path: string): boolean => live.some((each) => each.startsWith(path));
    if (changed("http")) {
      const before = this.#http;
      this.#http = await this.#open(config.http?.bind);
      await before?.close();
    }
    const { format = "pretty", level = "info" } = config.log ?? {};
    this.#parts.log.use({ format, level });
    this.#config = config;
    if (changed("agents")) await this.#agents?.keep(config.agents ?? []);
  }

  /** (UA1) */
  async #open(bind: string | undefined): Promise<HttpServer | undefined> {
    if (bind === undefined || this.#node === undefined) return undefined;
    const address: HostPort = parseHostPort(bind);
    const token = new HttpToken(join(this.#dataDir, "http-token"));
    const http = await serveHttp({
      node: this.#node,
      jobs: this.#node,
      logs: this.#node,
      bind: address,
      token,
    });
    this.#parts.log.log("info", "http is served", { address: formatHostPort(http.address) });
    return http;
  }
}
