/** How the agents of one bundle are taken over from other code: their packed state goes through `codeChange`, and nothing else of them changes. */
import { AgentProcess } from "../agent/agent-process.ts";
import { BadArgumentError } from "../agent/errors.ts";
import type { AnyAgent } from "../agent/kind.ts";
import type { AgentOutside } from "../agent/outside.ts";
import { type PackedProcess, packedText, unpackedProcess } from "../agent/packed-process.ts";
import type { ProgramCode } from "./program-code.ts";
import type { Beginning } from "./running-agent.ts";

/** That of a bundle with these definitions. */
export function agentCode(definitions: readonly AnyAgent[]): ProgramCode {
  return {
    rests: true,
    codeOf: (state) => {
      const { name, version } = packedIn(state);
      return { name, version };
    },
    takeOver: (state) => {
      const resumed = packedIn(state);
      const definition = newest(resumed.name, definitions);
      const { ref, parent } = resumed;
      const process = new AgentProcess({ ref, definition, outside: NOWHERE, parent, resumed });
      const { state: changed } = process.packed() ?? resumed;
      const kept = packedText({ ...resumed, version: definition.version, state: changed });
      return { ...(state as Beginning), kept } satisfies Beginning;
    },
  };
}

function packedIn(state: unknown): PackedProcess {
  const kept: unknown = (state as Partial<Beginning> | null)?.kept;
  if (typeof kept === "string") return unpackedProcess(kept);
  throw new BadArgumentError("state", "it is none of an agent made by agent()");
}

function newest(name: string, definitions: readonly AnyAgent[]): AnyAgent {
  let found: AnyAgent | undefined;
  for (const each of definitions)
    if (each.name === name && each.version > (found?.version ?? 0)) found = each;
  if (found !== undefined) return found;
  const there = [...new Set(definitions.map((each) => each.name))].slice(0, 16).join(", ");
  throw new BadArgumentError("bundle", `it defines no agent ${name}, only ${there || "none"}`);
}

/** Where an agent is while its state is looked at: it does nothing there. */
const NOWHERE: AgentOutside = {
  send: () => "unknown",
  wake: () => undefined,
  setAlarm: () => undefined,
  spawn: () => undefined,
  find: () => null,
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  publish: () => undefined,
  ended: () => undefined,
  log: () => undefined,
  monotonicMs: () => 0,
  wallMs: () => 0,
  uint32: () => 0,
};
