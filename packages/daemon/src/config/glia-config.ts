/** The configuration of a node, as it is written in `glia.config.ts` or `glia.config.json` (docs/config.md). */

/** The version of the format. */
export const CONFIG_VERSION = 1;

/** An agent that a node starts and keeps running. */
export interface AgentConfig {
  /** Its name, unique in the mesh. */
  readonly name: string;
  /** A WebAssembly module, or a source that `glia agent build` takes; of a durable agent, its source or its bundle. Relative to the configuration. */
  readonly file: string;
  /** It runs outside the sandbox and keeps what it knows in its journal (docs/durable-agents.md). Default false. */
  readonly durable?: boolean;
  /** Import modules it may use. Default `["glia.v1"]`. */
  readonly grants?: readonly string[];
  /** Limit of its memory in pages of 64 KiB. */
  readonly memoryPages?: number;
  /** The node that hosts it first. Default: this one. */
  readonly on?: string;
  /** On how many other nodes there is a copy that goes on with it, 1 to 4 (docs/availability.md); not of a durable one. Default: none. */
  readonly replicas?: number;
  /** What it does while there is no copy. Default `hold`: it waits. */
  readonly withoutReplica?: "hold" | "continue";
}

/** The configuration of one node. What is left out has its default. */
export interface GliaConfig {
  /** Version of this format: 1. */
  readonly version?: typeof CONFIG_VERSION;
  /** 1 to 32 of a-z 0-9 . _ - . Default: the machine's name and the role. */
  readonly name?: string;
  /** Default: `edge` with `join`, else `core`. Kept from the first start on. */
  readonly role?: "edge" | "relay" | "core";
  /** Its data folder. Default: a folder of its name under `$GLIA_HOME`. */
  readonly data?: string;
  /** Where to listen, `HOST:PORT`. Default `127.0.0.1:7400` for the first node of a mesh, else `127.0.0.1:0`. */
  readonly bind?: string;
  /** How it comes to its mesh at its first start. Without it, it founds one. */
  readonly join?: { readonly line?: string; readonly file?: string };
  readonly mesh?: {
    readonly profile?: "local" | "fast" | "lan" | "wan" | "relaxed";
    readonly transport?: "auto" | "quic-only" | "tls-only";
    readonly mdns?: boolean;
    readonly minority?: "continue" | "refuse-moves" | "pause-agents";
  };
  /** What agents may be given by the grants `service/http` and `service/files`. */
  readonly services?: {
    readonly http?: { readonly origins: readonly string[] };
    readonly files?: { readonly folder: string; readonly writable?: boolean };
  };
  /** The jobs it runs. */
  readonly jobs?: { readonly module: string; readonly workers?: number };
  /** Programs that agents may run outside the sandbox (docs/durable-agents.md): whatever members upload, or the modules of a folder. Default: none. */
  readonly programs?: { readonly uploaded?: true; readonly folder?: string };
  /** How it moves agents by itself (docs/migration.md). Default: not at all. */
  readonly movement?: {
    readonly policies?: readonly ("battery" | "thermal" | "load" | "rebalance" | "latency")[];
    readonly movesPerMinute?: number;
    readonly latency?: { readonly thresholdMs?: number; readonly residenceMs?: number };
  };
  /** Where `/metrics`, `/__health` and its jobs are served, `HOST:PORT`. Default: nowhere. */
  readonly http?: { readonly bind: string };
  readonly log?: {
    readonly format?: "pretty" | "json";
    readonly level?: "debug" | "info" | "warn" | "error";
  };
  /** Where traces go: an OTLP endpoint over HTTP; and how many of 100 that begin here are kept, default all. Default: nowhere. */
  readonly traces?: { readonly endpoint: string; readonly percent?: number };
  readonly shutdown?: {
    /** Move its agents to other nodes first. Default false. */
    readonly drain?: boolean;
    /** How long it may take to stop, agents' moves included, in milliseconds. Default 10,000. */
    readonly timeoutMs?: number;
  };
  /** Agents that are started with the node and kept running. */
  readonly agents?: readonly AgentConfig[];
}

/** Gives a configuration its type: `export default defineConfig({ ... })`. Nothing is checked here. */
export function defineConfig(config: GliaConfig): GliaConfig {
  return config;
}
