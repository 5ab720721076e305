/** The commands about whether and where agents run, of `glia agent` and `glia node`: their options, help and examples. */
import { type Command, Option } from "commander";
import { choiceOptions, describeArgument, group, type Registrar } from "../registrar.ts";

const NODE_NAMED = "name, id, or 6 or more characters of the id (default: the node asked)";
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

  addMigrate(agent, register);
  addFiles(agent, register);
  addPolicy(agent, register);
}

/** Add `glia node`. */
export function addNode(program: Command, register: Registrar): void {
  const node = group(program, "node", "Look at the nodes of the mesh, and empty one of its agents.");
  const list = register.leaf(
    node,
    "list",
    "List the members with their agents and load, and whether they take agents.",
    ["glia node list"],
  );
  register.runs(choiceOptions(list), async () => (await import("./node-list.ts")).nodeList);

  const info = register.leaf(
    node,
    "info [node]",
    "Show what a node says of itself: load, battery, heat, policies.",
    ["glia node info edge"],
  );
  describeArgument(info, NODE_NAMED);
  register.runs(choiceOptions(info), async () => (await import("./node-list.ts")).nodeInfo);

  const drain = register.leaf(
    node,
    "drain [node]",
    "Move all agents of a node away, to members with room. It takes no new ones until undrain, also when it is started again.",
    ["glia node drain edge", "glia node drain --name edge"],
  );
  drain.summary("Move all agents of a node away");
  describeArgument(drain, NODE_NAMED);
  register.runs(choiceOptions(drain), async () => (await import("./node-drain.ts")).nodeDrain);

  const undrain = register.leaf(node, "undrain [node]", "Let a node take agents again.", [
    "glia node undrain edge",
  ]);
  describeArgument(undrain, NODE_NAMED);
  register.runs(choiceOptions(undrain), async () => (await import("./node-drain.ts")).nodeUndrain);
}

function addMigrate(agent: Command, register: Registrar): void {
  const migrate = register.leaf(
    agent,
    "migrate <agent> [node]",
    "Move a running agent to another node, with all its state. Ctrl-C cancels the move.",
    [
      "glia agent migrate counter core",
      "glia agent migrate counter core --strategy stop-and-copy",
      "glia agent migrate counter --cancel",
    ],
  );
  migrate.alias("move");
  describeArgument(migrate, AGENT_NAMED, "where to: name, id, or 6 or more characters of the id");
  choiceOptions(migrate)
    .addOption(
      new Option(
        "--strategy <how>",
        "auto: memory of 4 MiB or more crosses in rounds while the agent runs (pre-copy); post-copy and hybrid let it run there before its memory has come",
      ).choices(["auto", "stop-and-copy", "pre-copy", "post-copy", "hybrid"]),
    )
    .option("--cancel", "roll back the move that is under way, if it is not committed yet");
  register.runs(migrate, async () => (await import("./agent-migrate.ts")).agentMigrate);
}

function addPolicy(agent: Command, register: Registrar): void {
  const policy = register.leaf(
    agent,
    "policy",
    "Show the policies by which nodes move agents away, and what they moved; or turn one of a node on or off until it stops.",
    ["glia agent policy", "glia agent policy --on battery --node edge"],
  );
  policy.summary("Show or change the policies that move agents");
  choiceOptions(policy)
    .option("--on <policy>", "turn on: battery, thermal, load, rebalance or latency")
    .option("--off <policy>", "turn off")
    .option("--node <node>", "the node whose policy it is (default: the node asked)");
  register.runs(policy, async () => (await import("./agent-policy.ts")).agentPolicy);
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
