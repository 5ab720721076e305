/**
 * Agents of a mesh that end, as a program hears of them: by looking again and again.
 *
 * WE1. Each end is told once to a listener, in the order in which the node heard of them. When the node is gone the watch is over.
 */
import { toErrorRecord } from "@glia-os/abi/errors";
import { type AgentEnd, AgentEndedError, errorOf } from "@glia-os/cells/agent";
import type { AgentEndView, EndsApi } from "./ends-api.ts";

const WAIT_MS = 20_000;

/** A watch. */
export interface EndsWatch {
  /** Resolves when ends are heard from then on. */
  readonly begun: Promise<void>;
  /** Hear no more. Idempotent. */
  stop(): void;
}

/** Begin to hear. */
export function watchEnds(node: EndsApi, listener: (end: AgentEnd) => void): EndsWatch {
  let open = true;
  const begun = node.agentEnds(null, 0);
  const go = async (): Promise<void> => {
    let { next } = await begun;
    while (open) {
      const page = await node.agentEnds(next, WAIT_MS);
      next = page.next;
      for (const end of page.ends) if (open) listener(endOf(end));
    }
  };
  go().catch(() => undefined); // The node is gone: nothing more is heard (WE1).
  return {
    begun: begun.then(
      () => undefined,
      () => undefined,
    ),
    stop: () => {
      open = false;
    },
  };
}

function endOf({ agent, name, reason, why }: AgentEndView): AgentEnd {
  const ref = name === undefined ? { id: agent } : { id: agent, name };
  if (reason !== "failed" && reason !== "lost") return { ref, reason, error: undefined };
  const record = toErrorRecord(new AgentEndedError(ref, reason));
  return { ref, reason, error: errorOf(why === undefined ? record : { ...record, message: why }) };
}
