/**
 * `glia agent ask`: a message with an input to an agent of `@glia-os/cells/agent`, and its reply; other agents get the message as bytes.
 *
 * AA1. Which of the two an agent takes only its node knows. While that is gone an input or a priority says that it takes names, and without
 *   either the command waits until a node has the agent: it is never told what is not known, and no agent gets bytes in the place of a name.
 */
import { setTimeout as pass } from "node:timers/promises";
import { type ControlConnection, connectSystem } from "@glia-os/daemon";
import { messageInput, priorityOf, timeoutOf } from "../agent-source/message-input.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { AgentAwayError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { answered } from "../node/name-agent.ts";
import { replyText } from "./agent-send.ts";

/** Its options. */
export interface AgentAskOptions extends NodeChoice {
  readonly timeout: string;
  readonly priority?: string;
}

const LOOK_MS = 250;

/** Run it. */
export async function agentAsk(
  text: string,
  message: string,
  json: string | undefined,
  options: AgentAskOptions,
  context: Context,
): Promise<ExitCode> {
  const input = messageInput(json);
  const timeoutMs = timeoutOf(options.timeout);
  const priority = priorityOf(options.priority);
  const work = withNode(options, async (node) => {
    const found = await chooseAgent(node, text);
    const { agent, live } = found;
    const named = json !== undefined || priority !== undefined;
    if (!(live?.speaks ?? (named || (await takesNames(node, agent, text, timeoutMs))))) {
      if (named)
        throw new UsageError(
          `${text.slice(0, 80)} takes plain messages, without an input or a priority`,
          "Leave the JSON and --priority out, or write it as the message.",
        );
      const bytes = await answered(
        node,
        found,
        node.ask(agent, new TextEncoder().encode(message), timeoutMs),
      );
      return { agent, reply: replyText(bytes) };
    }
    const system = connectSystem(node);
    try {
      const how = { timeoutMs, ...(priority === undefined ? {} : { priority }) };
      return { agent, reply: await answered(node, found, system.ask({ id: agent }, message, input, how)) };
    } finally {
      await system.close();
    }
  });
  const { agent, reply } = await unlessInterrupted(context, work);
  context.terminal.record({ ok: true, agent, reply: reply ?? null });
  context.terminal.line(
    typeof reply === "string" && json === undefined ? reply : (JSON.stringify(reply) ?? "done"),
  );
  return EXIT.ok;
}

/** AA1, for an agent whose node does not answer. @throws {AgentAwayError} when no node has it in that time */
async function takesNames(
  node: ControlConnection,
  agent: string,
  text: string,
  timeoutMs: number,
): Promise<boolean> {
  for (let waited = 0; waited < timeoutMs; waited += LOOK_MS) {
    await pass(Math.min(LOOK_MS, timeoutMs - waited));
    const { live } = await chooseAgent(node, agent);
    if (live !== undefined) return live.speaks === true;
  }
  throw new AgentAwayError(text, timeoutMs);
}
