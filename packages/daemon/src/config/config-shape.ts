/** The fields of a configuration: what each may be, what it says, and whether a running node takes a change of it. */
import { REPLICAS_MAX } from "@glia-os/abi/ports";
import { CONFIG_VERSION } from "./glia-config.ts";
import type { Field, RecordShape, Shape } from "./shape.ts";

const NAME: Shape = {
  kind: "text",
  pattern: /^[a-z0-9][a-z0-9._-]{0,31}$/,
  is: "1 to 32 of a-z 0-9 . _ - beginning with a letter or digit",
};
const ADDRESS: Shape = {
  kind: "text",
  pattern:
    /^(?:\[[0-9A-Fa-f:.%\w]+\]|[^:[\]\s]+):(?:\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
  is: "an address HOST:PORT",
};
const PATH: Shape = { kind: "text", is: "a path" };
const text = (is: string, pattern?: RegExp): Shape => ({
  kind: "text",
  is,
  ...(pattern === undefined ? {} : { pattern }),
});
const choice = (...of: string[]): Shape => ({ kind: "choice", of });
const record = (fields: Readonly<Record<string, Field>>): RecordShape => ({ kind: "record", fields });

const AGENT = record({
  name: {
    shape: text("1 to 64 characters without white space", /^\S{1,64}$/),
    required: true,
    says: "name of the agent",
  },
  file: { shape: PATH, required: true, says: "module or source" },
  durable: { shape: { kind: "flag" }, says: "whether it is a durable agent" },
  grants: {
    shape: { kind: "list", of: text("an import module"), max: 64 },
    says: "import modules it may use",
  },
  memoryPages: { shape: { kind: "number", min: 1, max: 32_768, unit: "pages" }, says: "limit of its memory" },
  on: { shape: text("a node"), says: "node that hosts it first" },
  replicas: {
    shape: { kind: "number", min: 1, max: REPLICAS_MAX, unit: "replicas" },
    says: "on how many other nodes there is a copy that goes on with it",
  },
  withoutReplica: { shape: choice("hold", "continue"), says: "what it does while there is no copy" },
});

/** Words that settings of a mesh may be: here too, so that a command line that only shows them loads no mesh. */
export const MESH_CHOICES: {
  readonly profile: readonly ("lan" | "wan" | "local" | "fast" | "relaxed")[];
  readonly transport: readonly ("auto" | "quic-only" | "tls-only")[];
  readonly minority: readonly ("continue" | "refuse-moves" | "pause-agents")[];
} = {
  profile: ["lan", "wan", "local", "fast", "relaxed"],
  transport: ["auto", "quic-only", "tls-only"],
  minority: ["continue", "refuse-moves", "pause-agents"],
};

const MESH = record({
  profile: {
    shape: choice(...MESH_CHOICES.profile),
    says: "timing of the failure detector",
  },
  transport: { shape: choice(...MESH_CHOICES.transport), says: "what requests go over" },
  mdns: { shape: { kind: "flag" }, says: "announce the node on its link" },
  minority: {
    shape: choice(...MESH_CHOICES.minority),
    says: "what it does while it sees no majority",
  },
});

const SERVICES = record({
  http: {
    shape: record({
      origins: {
        shape: {
          kind: "list",
          of: text("an origin such as https://example.org", /^https?:\/\/\S+$/),
          max: 256,
        },
        required: true,
        says: "origins that agents may reach",
      },
    }),
    says: "the grant service/http",
  },
  files: {
    shape: record({
      folder: { shape: PATH, required: true, says: "folder that agents may use" },
      writable: { shape: { kind: "flag" }, says: "whether they may write there" },
    }),
    says: "the grant service/files",
  },
});

const LOG = record({
  format: { shape: choice("pretty", "json"), says: "how log lines look", live: true },
  level: {
    shape: choice("debug", "info", "warn", "error"),
    says: "the least level that is written",
    live: true,
  },
});

const SHUTDOWN = record({
  drain: { shape: { kind: "flag" }, says: "move agents away first", live: true },
  timeoutMs: {
    shape: { kind: "number", min: 100, max: 3_600_000, unit: "milliseconds" },
    says: "how long stopping may take",
    live: true,
  },
});

/** The whole. */
export const CONFIG_SHAPE: RecordShape = record({
  version: {
    shape: { kind: "number", min: CONFIG_VERSION, max: CONFIG_VERSION },
    says: "version of the format",
  },
  name: { shape: NAME, says: "name of the node" },
  role: { shape: choice("edge", "relay", "core"), says: "what it does in the mesh" },
  data: { shape: PATH, says: "data folder" },
  bind: { shape: ADDRESS, says: "where it listens" },
  join: {
    shape: record({
      line: { shape: text("a join line"), says: "the line itself, which is a secret: better a file" },
      file: { shape: PATH, says: "a file that holds the line" },
    }),
    says: "how it comes to its mesh at the first start",
  },
  mesh: { shape: MESH, says: "how its mesh is set" },
  services: { shape: SERVICES, says: "what agents may be given" },
  jobs: {
    shape: record({
      module: { shape: PATH, required: true, says: "file whose exported functions run jobs" },
      workers: { shape: { kind: "number", min: 1, max: 32 }, says: "jobs at once" },
    }),
    says: "the jobs it runs",
  },
  programs: {
    shape: record({
      uploaded: { shape: { kind: "flag" }, says: "whatever members of the mesh upload" },
      folder: { shape: PATH, says: "the modules of a folder" },
    }),
    says: "programs that agents may run outside the sandbox",
  },
  movement: {
    shape: record({
      policies: {
        shape: { kind: "list", of: choice("battery", "thermal", "load", "rebalance", "latency"), max: 5 },
        says: "policies that are on",
      },
      movesPerMinute: {
        shape: { kind: "number", min: 1, max: 600 },
        says: "most moves that policies begin in a minute",
      },
      latency: {
        shape: record({
          thresholdMs: {
            shape: { kind: "number", min: 1, max: 10_000, unit: "milliseconds" },
            says: "round trip from which on a caller is far",
          },
          residenceMs: {
            shape: { kind: "number", min: 0, max: 86_400_000, unit: "milliseconds" },
            says: "how long an agent stays where it came to",
          },
        }),
        says: "when the policy `latency` moves an agent",
      },
    }),
    says: "how it moves agents by itself",
  },
  http: {
    shape: record({
      bind: { shape: ADDRESS, required: true, says: "where metrics, health and jobs are served", live: true },
    }),
    says: "its HTTP face",
    live: true,
  },
  log: { shape: LOG, says: "its log", live: true },
  traces: {
    shape: record({
      endpoint: {
        shape: text("a URL of http or https", /^https?:\/\/\S+$/),
        required: true,
        says: "where traces go",
      },
      percent: {
        shape: { kind: "number", min: 1, max: 100 },
        says: "how many of 100 traces that begin here are kept",
      },
    }),
    says: "traces by OTLP over HTTP",
  },
  shutdown: { shape: SHUTDOWN, says: "how it stops", live: true },
  agents: {
    shape: { kind: "list", of: AGENT, max: 256, distinct: "name" },
    says: "agents that are kept running",
    live: true,
  },
});
