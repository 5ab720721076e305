/** The commands of `glia agent` about whether and where agents run: their options, help and examples. */
import type { Command } from "commander";
import { choiceOptions, describeArgument, type Registrar } from "../registrar.ts";

const AGENT_NAMED = "name, id, or 6 or more characters of the id";

/** Add them to `glia agent`. */
export function addAgentMovement(agent: Command, register: Registrar): void {
  const pause = register.leaf(
    agent,
    "pause <agent>",
    "Let an agent stand still at its next blocking call. It takes messages meanwhile, up to its mailbox, and stays so where it moves.",
    ["glia agent pause counter"],
  );
  pause.summary("Let an agent stand still; its messages wait");
  describeArgument(pause, AGENT_NAMED);
  register.runs(choiceOptions(pause), async () => (await import("./agent-pause.ts")).agentPause);

  const resume = register.leaf(agent, "resume <agent>", "Let a paused agent go on.", [
    "glia agent resume counter",
  ]);
  describeArgument(resume, AGENT_NAMED);
  register.runs(choiceOptions(resume), async () => (await import("./agent-pause.ts")).agentResume);
}
