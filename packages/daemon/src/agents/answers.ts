/**
 * Whether a message that came to a program outside answers what it asked.
 *
 * AN1. Only a reply, an end, an error or a chunk with the number of the ask, from the agent that was asked, belongs to it: an agent that asks or
 *      tells the program back answers nothing, whatever number it chose. The node itself answers, without a sender, for agents it cannot reach.
 */
import type { AgentEnvelope } from "@glia-os/cells/agent";

const ANSWERS: ReadonlySet<string> = new Set<AgentEnvelope["kind"]>(["reply", "end", "error", "chunk"]);

/** Whether it does (AN1); `to` is the id or the name that was asked. */
export function answersAsk(
  { kind, correlation, from }: AgentEnvelope,
  asked: { readonly to: string; readonly correlation: number },
): boolean {
  if (!ANSWERS.has(kind) || correlation !== asked.correlation) return false;
  return from === undefined || from.id === asked.to || from.name === asked.to;
}
