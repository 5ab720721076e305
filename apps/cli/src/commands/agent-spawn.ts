/** `glia agent spawn`: start a sandboxed agent from a WebAssembly module, or from a source that is built first. */
import { basename, dirname, resolve } from "node:path";
import { REPLICAS_MAX } from "@glia-os/abi/ports";
import type { SpawnRequest } from "@glia-os/daemon";
import type { DurableModule } from "../agent-source/durable-bundle.ts";
import { messageInput } from "../agent-source/message-input.ts";
import { readWasm } from "../agent-source/read-module.ts";
import { requireSource } from "../agent-source/readable-source.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { agentLines } from "./agent-list.ts";

/** Its options. */
export interface AgentSpawnOptions extends NodeChoice {
  /** The same as `name`. */
  readonly node?: string;
  readonly as?: string;
  readonly on?: string;
  readonly grant?: readonly string[];
  readonly memory?: string;
  readonly durable?: boolean;
  readonly replica?: string | boolean;
  readonly replicas?: string;
  readonly input?: string;
}

/** A source that `buildAgent` takes. */
const SOURCE = /\.[cm]?[jt]s$/i;

/** Run it. */
export async function agentSpawn(
  path: string,
  options: AgentSpawnOptions,
  context: Context,
): Promise<ExitCode> {
  const input = messageInput(options.input);
  const copies = replicasOf(options);
  const { bytes, grants } = await (options.durable === true ? durableOf(path) : moduleOf(path));
  const request: SpawnRequest = {
    module: bytes,
    name: options.as ?? agentNameOf(path),
    ...(options.durable === true ? { kind: "domain" as const } : {}),
    ...(grants === undefined ? {} : { grants }),
    ...(input === undefined ? {} : { begin: { input: { glia: 1, kind: "tell", message: "start", input } } }),
    ...(options.on === undefined ? {} : { on: options.on }),
    ...(options.grant === undefined ? {} : { grants: options.grant }),
    ...(options.memory === undefined ? {} : { memoryPages: pagesOf(options.memory) }),
    ...copies,
  };
  const name = options.name ?? options.node;
  const choice = { ...options, ...(name === undefined ? {} : { name }) };
  const agent = await unlessInterrupted(
    context,
    withNode(choice, (node) => node.spawn(request)),
  );
  context.terminal.record({ ok: true, agent });
  for (const line of agentLines([agent])) context.terminal.line(line);
  return EXIT.ok;
}

/** A source is built, and asks for what its module needs. */
export async function moduleOf(
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly grants?: readonly string[] }> {
  if (!SOURCE.test(path)) return { bytes: readWasm(path) };
  requireSource(path);
  const { buildAgent } = await import("@glia-os/guest-js/build");
  return buildAgent({ entry: path });
}

/** A bundle for durable agents. */
export async function durableOf(path: string): Promise<DurableModule> {
  requireSource(path);
  const { durableModule } = await import("../agent-source/durable-bundle.ts");
  return durableModule(path);
}

/** `build/Word Count.wasm` becomes `word-count`, and `words/agent.ts` `words`. */
function agentNameOf(path: string): string {
  const file = basename(path).replace(/\.wasm$/i, "");
  const source = file.replace(SOURCE, "");
  const named =
    source !== file && /^(agent|index)$/i.test(source) ? basename(dirname(resolve(path))) : source;
  const stem = named.toLowerCase();
  return stem.replaceAll(/[^a-z0-9._-]+/g, "-").slice(0, 64) || "agent";
}

/** Copies on other nodes, and what the agent does without one. */
function replicasOf({
  replica,
  replicas,
}: AgentSpawnOptions): Pick<SpawnRequest, "replicas" | "withoutReplica"> {
  if (replica === undefined && replicas === undefined) return {};
  const without = replica === undefined || typeof replica === "boolean" ? "hold" : replica;
  const count = replicas ?? "1";
  if (!new RegExp(`^[1-${REPLICAS_MAX}]$`).test(count))
    throw new UsageError(`--replicas ${count.slice(0, 40)} is out of range`, `Give 1 to ${REPLICAS_MAX}.`);
  if (without === "hold" || without === "continue")
    return { replicas: Number(count), withoutReplica: without };
  throw new UsageError(
    `--replica ${without.slice(0, 40)} is none`,
    "Give hold or continue, or nothing for hold.",
  );
}

function pagesOf(text: string): number {
  const pages = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (pages >= 1 && pages <= 32_768) return pages;
  throw new UsageError(`--memory ${text.slice(0, 40)} is out of range`, "Give 1 to 32768 pages of 64 KiB.");
}
