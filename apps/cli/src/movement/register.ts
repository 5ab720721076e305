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

  addFiles(agent, register);
}

function addFiles(agent: Command, register: Registrar): void {
  const passphrase = "file with the passphrase; - is standard input (default: GLIA_PASSPHRASE)";
  const out = register.leaf(
    agent,
    "export <agent> <file>",
    "Write an agent into a file, encrypted by a passphrase or for the cluster, and signed by its node. The agent goes on, unless --stop.",
    [
      "glia agent export counter counter.agent --passphrase-file secret.txt",
      "glia agent export counter counter.agent --to-cluster --stop",
    ],
  );
  out.summary("Write an agent into an encrypted, signed file");
  describeArgument(out, AGENT_NAMED, "the file; it must not be there yet");
  choiceOptions(out)
    .option("--passphrase-file <file>", passphrase)
    .option("--to-cluster", "seal it for the node that holds the cluster's key, instead of by a passphrase")
    .option(
      "--stop",
      "stop the agent when the file is written; its name stays taken until it is imported or terminated",
    )
    .option("--force", "replace a file that is there");
  register.runs(out, async () => (await import("./agent-export.ts")).agentExport);

  const back = register.leaf(
    agent,
    "import <file>",
    "Go on with an agent from a file, if it runs nowhere; or make a copy with a new identity.",
    [
      "glia agent import counter.agent --passphrase-file secret.txt --on edge",
      "glia agent import counter.agent --as counter-2",
    ],
  );
  back.summary("Go on with an agent from a file, or make a copy");
  describeArgument(back, "a file that `glia agent export` wrote");
  choiceOptions(back)
    .option("--passphrase-file <file>", passphrase)
    .option(
      "--on <node>",
      "node that is to run it: name, id, or 6 or more characters of the id (default: the node asked)",
    )
    .option("--as <name>", "make a copy with this name and a new identity")
    .option("--signer <id>", "trust this node's signature although it is no member");
  register.runs(back, async () => (await import("./agent-import.ts")).agentImport);
}
