/**
 * What a durable agent's program says of its code, and how other code goes on with its state (docs/spec/upgrade.md, "Durable agents").
 *
 * PC1. A state of an earlier version is taken over by `codeChange`; without one by code of the same version or an earlier one only, as it is.
 * PC2. Code of another name, or of the other kind (a program, an agent made by `agent()`), takes nothing over.
 */
import type { DurableProgram } from "@glia-os/durable";
import { BadArgumentError } from "../agent/errors.ts";
import type { CodeVersion } from "../upgrade/upgrade-words.ts";

/** What upgrades need to know of a program. */
export interface ProgramCode {
  /** Whether it comes to a checkpoint when it is told to (`RestNote`): programs of agents do. */
  readonly rests: boolean;
  /** What the code is that a state is of. */
  codeOf(state: unknown): CodeVersion;
  /** A state of other code as `run` of this takes it. Throws why it does not. */
  takeOver(state: unknown, from: CodeVersion): unknown;
}

/** A durable program that may be the next version of another. */
export interface VersionedProgram extends DurableProgram<unknown> {
  /** Which version of the program this is: a whole number from 1. Default 1. */
  readonly codeVersion?: number;
  /** The state of the last checkpoint of code of another version, or the input before the first, as this code takes it. A copy: it may be changed. May throw. */
  codeChange?(state: unknown, fromVersion: number): unknown;
}

/** The program of an agent made by `agent()`. */
export interface AgentProgram extends DurableProgram<unknown> {
  readonly agentCode: ProgramCode;
}

/** What a program says of its code. @throws {BadArgumentError} for a version that is none */
export function programCode(program: DurableProgram<unknown>): ProgramCode {
  const { agentCode } = program as Partial<AgentProgram>;
  if (agentCode !== undefined) return agentCode;
  const { name, codeVersion = 1, codeChange } = program as VersionedProgram;
  if (!Number.isSafeInteger(codeVersion) || codeVersion < 1)
    throw new BadArgumentError("codeVersion", "it is no whole number from 1");
  return {
    rests: false,
    codeOf: () => ({ name, version: codeVersion }),
    takeOver: (state, from) => {
      if (from.name !== name) throw new BadArgumentError("program", `it defines ${name}, no ${from.name}`);
      if (codeChange !== undefined) return codeChange(state, from.version);
      if (from.version >= codeVersion) return state;
      const why = `version ${codeVersion} has no codeChange, and the agent is of version ${from.version}`;
      throw new BadArgumentError("program", why);
    },
  };
}
