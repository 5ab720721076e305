/**
 * What goes with a node that `glia up` runs: its HTTP face, the agents it keeps, its configuration as it changes.
 *
 * UA1. An HTTP face that cannot be opened where a changed configuration wants it stays where it was (HF1); the other changes are taken.
 * UA2. Before the node leaves, no agent is started any more, and with `shutdown.drain` those that can move are moved away.
 */
import { join } from "node:path";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { HostPort } from "@glia-os/abi/ports";
import { type HttpServer, HttpToken, type NodeApi, type NodeEvent, serveHttp } from "@glia-os/daemon";
import type { GliaConfig } from "@glia-os/daemon/config";
import { drainBeforeStop } from "../movement/drain-before-stop.ts";
import { formatHostPort, parseHostPort } from "../node/host-port.ts";
import type { Attendance } from "../node/run-node.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { HttpFace } from "./http-face.ts";
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
  #http: HttpFace | undefined;
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
    const address = this.#http?.address;
    return address && { address };
  }

  /** Something happened on the node. */
  event({ kind }: NodeEvent): void {
    if (kind === "agent-ended") void this.#agents?.look();
  }

  /** Begin with a node that is a member. @throws {HttpListenError} */
  async begin(node: NodeApi, dataDir: string): Promise<void> {
    const { file, log, read } = this.#parts;
    this.#node = node;
    this.#http = new HttpFace((bind) => this.#serve(node, dataDir, bind));
    await this.#http.move(addressOf(this.#config));
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

  /** What holds afterwards (UA1). */
  async #apply(config: GliaConfig, live: readonly string[]): Promise<GliaConfig> {
    const changed = (path: string): boolean => live.some((each) => each.startsWith(path));
    const { format = "pretty", level = "info" } = config.log ?? {};
    this.#parts.log.use({ format, level });
    const moved = !changed("http") || (await this.#moveHttp(config));
    this.#config = moved ? config : withHttp(config, this.#config.http);
    if (changed("agents")) await this.#agents?.keep(config.agents ?? []);
    return this.#config;
  }

  /** (UA1) */
  async #moveHttp(config: GliaConfig): Promise<boolean> {
    try {
      await this.#http?.move(addressOf(config));
      return true;
    } catch (error) {
      const { code, message } = toErrorRecord(error);
      this.#parts.log.log("error", "http stays where it was", { code, error: message });
      return false;
    }
  }

  async #serve(node: NodeApi, dataDir: string, bind: HostPort): Promise<HttpServer> {
    const token = new HttpToken(join(dataDir, "http-token"));
    const http = await serveHttp({ node, jobs: node, logs: node, bind, token });
    this.#parts.log.log("info", "http is served", { address: formatHostPort(http.address) });
    return http;
  }
}

function addressOf({ http }: GliaConfig): HostPort | undefined {
  return http?.bind === undefined ? undefined : parseHostPort(http.bind);
}

function withHttp({ http: _, ...rest }: GliaConfig, http: GliaConfig["http"]): GliaConfig {
  return http === undefined ? rest : { ...rest, http };
}
