/** `glia agent upgrade` and `glia agent rollback`: their options, help and examples. */
import type { Command } from "commander";
import { choiceOptions, describeArgument, type Registrar } from "../registrar.ts";

const AGENT_NAMED = "name, id, or 6 or more characters of the id";
const TIMEOUT = "how long the agent may take to end the message it handles, in seconds";

/** Add them to `glia agent`. */
export function addAgentUpgrade(agent: Command, register: Registrar): void {
  const upgrade = register.leaf(
    agent,
    "upgrade <agent> <file>",
    "Exchange the code of a running agent: a module, or a source that is built first. The new code takes the state over by its codeChange; whatever it " +
      "refuses leaves the agent as it was. With * in the name all agents that fit are upgraded, canaries first; the first failure takes them back.",
    [
      "glia agent upgrade counter counter-v2.ts",
      "glia agent upgrade 'worker-*' worker-v2.wasm --canary 10% --observe 30",
      "glia agent upgrade till till-v2.ts --durable",
    ],
  );
  upgrade.summary("Exchange the code of running agents; their state stays");
  describeArgument(upgrade, `${AGENT_NAMED}; or a name with *`, "the new module or source, at most 15 MiB");
  choiceOptions(upgrade)
    .option("--grant <module...>", "import modules it may use from now on (default: what it may use)")
    .option("--memory <pages>", "limit of its memory in pages of 64 KiB (default: what it has)")
    .option("--durable", "the agent is durable: the source is bundled as for `agent spawn --durable`")
    .option("--timeout <seconds>", TIMEOUT, "10")
    .option("--canary <n|n%>", "with *: how many are upgraded first (default: as many as at a time)")
    .option("--observe <seconds>", "with *: how long the canaries run before they are looked at (default: 0)")
    .option("--at-a-time <n>", "with *: how many are upgraded before they are looked at (default: 1)")
    .option("--no-rollback", "with *: leave those that were upgraded as they are when one fails");
  register.runs(upgrade, async () => (await import("./agent-upgrade.ts")).agentUpgrade);

  const rollback = register.leaf(
    agent,
    "rollback <agent>",
    "Exchange the code of an agent for the one before its last upgrade. Its state stays that of now; the node that upgraded it knows the code until it moves.",
    ["glia agent rollback counter"],
  );
  rollback.summary("Give an agent the code before its last upgrade");
  describeArgument(rollback, AGENT_NAMED);
  choiceOptions(rollback).option("--timeout <seconds>", TIMEOUT, "10");
  register.runs(rollback, async () => (await import("./agent-upgrade.ts")).agentRollback);
}
