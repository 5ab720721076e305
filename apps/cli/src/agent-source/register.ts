/** `glia new`, and the commands of `glia agent` that work on an agent's source or speak with one: `new`, `build`, `ask` and `logs`. */
import { type Command, Option } from "commander";
import { choiceOptions, describeArgument, type Registrar } from "../registrar.ts";

/** `glia new`. */
export function addProject(program: Command, register: Registrar): void {
  const create = register.leaf(
    program,
    "new <folder>",
    "Make a folder with an agent in TypeScript, its test, and the configuration of a node that runs it.",
    ["glia new words", "glia new agents/greeter"],
  );
  create.summary("Make a project with an agent, its test and a node's configuration");
  describeArgument(create, "an empty or new folder; its last part is the name of the project and its agent");
  register.runs(create, async () => (await import("./new-project.ts")).newProject);
}

/** `glia agent ask`, `glia agent queue` and `glia agent logs`. */
export function addAgentTalk(agent: Command, register: Registrar): void {
  const ask = register.leaf(
    agent,
    "ask <agent> <message> [json]",
    "Ask an agent and print its reply. An agent that was defined by `@glia-os/cells/agent` gets the message by its name, with the " +
      "input as JSON, and replies with JSON; any other gets the message as it is.",
    [
      "glia agent ask words count '\"the cat\"'",
      "glia agent ask words top 3",
      "glia agent ask counter status",
    ],
  );
  describeArgument(
    ask,
    "name, id, or 6 or more characters of the id",
    "the name of the message",
    "its input",
  );
  choiceOptions(ask.summary("Ask an agent and print its reply"))
    .option("--timeout <seconds>", "how long to wait", "30")
    .option("--priority <high|normal|low>", "go before what waits with less, or let others go first");
  register.runs(ask, async () => (await import("../commands/agent-ask.ts")).agentAsk);

  const queue = register.leaf(
    agent,
    "queue",
    "Show what a node keeps for agents whose node is away (`glia agent send --keep`), and the newest messages that it gave up.",
    ["glia agent queue", "glia agent queue --drop counter", "glia agent queue --json"],
  );
  choiceOptions(queue.summary("Show the messages that a node keeps for agents elsewhere")).option(
    "--drop <agent>",
    "give up what is queued for an agent",
  );
  register.runs(queue, async () => (await import("./agent-queue.ts")).agentQueue);

  const logs = register.leaf(
    agent,
    "logs <agent>",
    "Show what an agent logged, on whichever nodes it was, merged by time; each node keeps its newest 2,000 lines. With --messages also the " +
      "messages it was sent and sent itself, which it keeps from the first such call on.",
    ["glia agent logs words", "glia agent logs words -f", "glia agent logs words --messages --json"],
  );
  describeArgument(logs, "name, id, or 6 or more characters of the id");
  choiceOptions(logs.summary("Show what an agent logged, wherever it is"))
    .option("--lines <n>", "the newest so many, 0 to 2000", "100")
    .option("--messages", "show its messages too")
    .option("-f, --follow", "go on with what comes, until Ctrl-C");
  register.runs(logs, async () => (await import("../commands/agent-logs.ts")).agentLogs);
}

/** Add them to `glia agent`. */
export function addAgentSource(agent: Command, register: Registrar): void {
  const create = register.leaf(
    agent,
    "new <folder>",
    "Make a folder with a small agent in TypeScript or AssemblyScript that builds and runs.",
    ["glia agent new counter", "glia agent new agents/greeter --lang assemblyscript"],
  );
  create.addOption(
    new Option("--lang <language>", "what it is written in")
      .choices(["typescript", "assemblyscript"])
      .default("typescript"),
  );
  register.runs(create, async () => (await import("./new-agent.ts")).agentNew);

  const build = register.leaf(
    agent,
    "build <file>",
    "Make a WebAssembly module of an agent in TypeScript or JavaScript, with a source map beside it, or in AssemblyScript.",
    [
      "glia agent build agent.ts",
      "glia agent build src/agent.ts --out counter.wasm --minify",
      "glia agent build agent.ts --lang assemblyscript",
    ],
  );
  build
    .option("--out <file>", "where the module goes (default: the source's name with .wasm)")
    .addOption(
      new Option("--start <when>", "when the top of the program runs: at the build, or at every spawn")
        .choices(["auto", "build", "spawn"])
        .default("auto"),
    )
    .option("--minify", "shorten the code; TypeScript only")
    .addOption(
      new Option(
        "--lang <language>",
        "what it is written in; auto: AssemblyScript when it imports @glia-os/guest-as/assembly",
      )
        .choices(["auto", "typescript", "assemblyscript"])
        .default("auto"),
    )
    .addOption(
      new Option("--profile <profile>", "where an agent in AssemblyScript can be stopped (docs/guests.md)")
        .choices(["cooperative", "metered", "preemptive"])
        .default("cooperative"),
    );
  register.runs(build, async () => (await import("./build-agent.ts")).agentBuild);
}
