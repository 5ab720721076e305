/**
 * `glia agent logs`: the lines that an agent logged, on whichever nodes of the mesh it was, and the messages it was sent.
 *
 * AL1. Lines of all nodes are merged by their time. Each node keeps its newest 2,000; what is not kept any more is not there.
 * AL2. With `--messages` an agent of `@glia-os/cells/agent` keeps its newest messages from then on: the first call shows none.
 * AL3. With `--follow` it goes on until Ctrl-C, also where the agent moves.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type ControlConnection, connectSystem, type LogEntry } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { escaped, linesOf } from "../terminal/log-text.ts";

/** Its options. */
export interface AgentLogsOptions extends NodeChoice {
  readonly lines: string;
  readonly messages?: boolean;
  readonly follow?: boolean;
}

const LOOK_MS = 500;
const MESSAGES_KEPT = 256;

interface Line {
  readonly node: string;
  readonly entry: LogEntry;
}

/** Run it. */
export async function agentLogs(
  text: string,
  options: AgentLogsOptions,
  context: Context,
): Promise<ExitCode> {
  const most = linesOf(options.lines);
  const { terminal, interrupt } = context;
  await withNode(options, async (node) => {
    const { agent } = await unlessInterrupted(context, chooseAgent(node, text));
    if (options.messages === true) await showMessages(node, agent, context);
    const seen = new Map<string, number>();
    const first = await unlessInterrupted(context, newLines(node, agent, seen));
    for (const line of first.slice(-most)) show(line, context);
    if (first.length === 0 && options.messages !== true && options.follow !== true)
      terminal.note("glia: it has logged nothing; --messages shows what it is sent");
    if (options.follow === true) terminal.letReaderLeave();
    while (options.follow === true && !interrupt.aborted) {
      await pause(LOOK_MS, undefined, { signal: interrupt }).catch(() => undefined);
      if (!interrupt.aborted) for (const line of await newLines(node, agent, seen)) show(line, context);
    }
    terminal.record({ ok: true, agent, nodes: [...seen.keys()] });
  });
  return EXIT.ok;
}

/** What the nodes that can be reached kept about the agent since the last look, oldest first (AL1). */
async function newLines(
  node: ControlConnection,
  agent: string,
  seen: Map<string, number>,
): Promise<readonly Line[]> {
  const { members } = await node.status();
  const living = members.filter(({ state }) => state === "alive");
  const lines = await Promise.all(
    living.map(({ node: id, name }) => linesOfNode(node, id, seen).then((found) => ({ name, found }))),
  );
  return lines
    .flatMap(({ name, found }) => found.map((entry) => ({ node: name, entry })))
    .filter(({ entry }) => entry.fields["agent"] === agent)
    .sort((a, b) => a.entry.atMs - b.entry.atMs);
}

/** A node that does not answer now is asked again at the next look. */
async function linesOfNode(
  node: ControlConnection,
  id: string,
  seen: Map<string, number>,
): Promise<readonly LogEntry[]> {
  const found: LogEntry[] = [];
  try {
    for (let more = true; more; ) {
      const page = await node.logs({ node: id, after: seen.get(id) ?? 0 });
      found.push(...page.entries);
      seen.set(id, page.next);
      more = page.more;
    }
  } catch {
    // The lines of other nodes are worth showing.
  }
  return found;
}

/** AL2. */
async function showMessages(node: ControlConnection, id: string, { terminal }: Context): Promise<void> {
  const system = connectSystem(node);
  const kept = await system.observe.messages({ id });
  if (kept.length === 0) await system.observe.log({ id }, MESSAGES_KEPT);
  for (const message of kept) {
    terminal.record({ event: "message", ...message });
    const { atMs, direction, kind, message: name, peer = "outside", text } = message;
    const arrow = direction === "in" ? "<-" : "->";
    terminal.line(`${new Date(atMs).toISOString()} ${arrow} ${peer} ${kind} ${name} ${text}`);
  }
  if (kept.length === 0) terminal.note("glia: the agent keeps its messages from now on");
  await system.close();
}

function show({ node, entry }: Line, { terminal }: Context): void {
  const { atMs, level, message, fields } = entry;
  terminal.record({ event: "entry", node, atMs, level, message, fields });
  const told = Object.entries(fields).filter(([name]) => !["agent", "name", "thread"].includes(name));
  const rest = told.map(([name, value]) => ` ${name}=${escaped(String(value))}`).join("");
  terminal.line(`${new Date(atMs).toISOString()} ${node} ${level.padEnd(5)} ${escaped(message)}${rest}`);
}
