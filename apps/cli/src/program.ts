/**
 * The command line: every command, option and example in one place.
 *
 * P2. `docs/cli.md` shows the help of every command; a test keeps them equal.
 */
import { Command, Option } from "commander";
import { addAgentSource, addAgentTalk, addProject } from "./agent-source/register.ts";
import { addAgentUpgrade } from "./agent-upgrade/register.ts";
import { addMesh } from "./commands/register-mesh.ts";
import { addCompletion } from "./completion/register.ts";
import { addConfig } from "./config/register.ts";
import type { Context } from "./context.ts";
import { addDurable } from "./durable/register.ts";
import { addJobs } from "./jobs/register.ts";
import { addLogs } from "./logs/register.ts";
import { addAgentMovement, addNode } from "./movement/register.ts";
import { choiceOptions, describeArgument, examples, group, type Outcome, Registrar } from "./registrar.ts";
import { addShell } from "./shell/register.ts";
import { addSim } from "./sim/register.ts";
import { addBench } from "./tensor/register.ts";
import { addUp } from "./up/register.ts";
import { addWasm } from "./wasm/register.ts";

const EXIT_CODES = `
Exit codes:
  0    done
  1    refused or failed: standard error says what was wrong and what to do
  2    the command line makes no sense
  130  interrupted (Ctrl-C, SIGTERM, SIGHUP) before the work was done

Environment:
  GLIA_HOME        folder that holds a folder per node (default: ~/.local/state/glia)
  XDG_STATE_HOME   used when GLIA_HOME is not set: $XDG_STATE_HOME/glia
  XDG_CACHE_HOME   glia wasm keeps instrumented modules in glia/wasm there (default: ~/.cache)
  XDG_RUNTIME_DIR  where glia run offers its state to glia top (default: the folder for temporary files)
  NO_COLOR         no colour, whatever it is set to`;

/** The command tree. What a run came to is written to `outcome`. */
export function createProgram(context: Context, outcome: Outcome, version: () => string): Command {
  const program = new Command("glia");
  program
    .description("An operating system for AI agents that boots in one process and grows into a mesh.")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help of a command")
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      "after",
      `${EXIT_CODES}\n${examples(["glia demo", "glia run hello.ts", "glia mesh start --bind 127.0.0.1:7400"])}`,
    )
    .option("--version", "print the version")
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  program.on("option:version", () => {
    context.terminal.write(`${version()}\n`);
    throw new VersionShown();
  });
  const register = new Registrar(context, outcome);
  addDemo(program, register);
  addProject(program, register);
  addKernel(program, register);
  addDurable(program, register);
  addUp(program, register);
  addConfig(program, register);
  addMesh(program, register);
  addJobs(program, register);
  addAgent(program, register);
  addNode(program, register);
  addLogs(program, register);
  addWasm(program, register);
  addSim(program, register);
  addBench(program, register);
  addShell(program, register);
  addMachine(program, register);
  addCompletion(program, register);
  return program;
}

/** Ends parsing after `--version`. */
export class VersionShown {}

function addDemo(program: Command, register: Registrar): void {
  const demo = register.leaf(
    program,
    "demo",
    "A tour on real work: three node processes on this machine, an agent that counts words and moves twice while it works, one in TypeScript " +
      "that goes on elsewhere when its node is killed, a durable one whose journal is replayed; everything compared with independent counts.",
    ["glia demo", "glia demo --input /usr/share/common-licenses", "glia demo --input . --json"],
  );
  demo.summary("Count words with agents that move and outlive a killed node");
  demo.option("--input <dir>", "folder whose files are counted (default: the Markdown of this repository)");
  register.runs(demo, async () => (await import("./commands/demo.ts")).demo);
}

function addKernel(program: Command, register: Registrar): void {
  const run = register.leaf(
    program,
    "run <file> [args...]",
    "Run a program on a kernel of its own: a TypeScript or JavaScript file whose default export is a task. Ends when " +
      "the last task has ended; Ctrl-C cancels the tasks, twice ends the process, Ctrl-\\ prints their state. With --journal " +
      "it is a durable program: Ctrl-C stops the process only, and the same command goes on with it.",
    [
      "glia run hello.ts",
      "glia run hello.ts --dump-state -v",
      "glia run crawl.ts --concurrency 4 -- --depth 3",
      `glia run order.ts --journal ./journal --name order/17 --input '{"item":"lamp"}'`,
    ],
  );
  run.summary("Run a program file on a kernel of its own");
  describeArgument(
    run,
    "a .ts, .mts, .js or .mjs file",
    "texts for the program; after -- they may begin with -",
  );
  run
    .option("--concurrency <n>", "worker threads for the jobs of the program, 1 to 32 (default: processors)")
    .option("--quantum <ms>", "throttle each task that runs for more than this in every two such times")
    .option("--listen <host:port>", "address the program may accept connections on; port 0 picks a free one")
    .option(
      "--journal <folder>",
      "run a durable program, or go on with it; the folder is made when it is missing",
    )
    .option(
      "--name <domain>",
      "with --journal: the name of this run of the program (default: the program's name)",
    )
    .option("--input <json>", "with --journal: what a new run starts with (default: null)")
    .option("--http <origin...>", "with --journal: origins the program's service http may reach")
    .option("--files <folder>", "with --journal: the folder of the program's service files")
    .option(
      "--oversight <policy>",
      "with --journal: which calls a person approves: supervised, spot-check, autonomous, a policy as JSON or its file",
    )
    .option(
      "--on-failure <choice>",
      "with --journal: how the program goes on when it failed: resume, fresh, escalate, or replace=JSON for the failing result (default: as the program says)",
    )
    .option(
      "--guard <mode>",
      "with --journal: what happens when the program uses a clock, randomness, timers or the network besides syscalls: " +
        "off, warn, strict (it stops), sealed (it runs where there are none; needs esbuild) (default: strict)",
    )
    .option("--dump-state", "print the state of the kernel at the end, before tasks are cancelled")
    .option(
      "-v, --verbose",
      "say when tasks start and end, and stack traces of errors; -vv: every syscall",
      (_: string, times: number | undefined) => (times ?? 0) + 1,
    );
  register.runs(run, async () => (await import("./commands/run.ts")).run);

  const top = register.leaf(
    program,
    "top",
    "Show tasks, queues and states of a program that `glia run` runs, or nodes, agents, jobs and moves of the mesh of a node, again and " +
      "again. On a terminal q or Ctrl-C leaves and the space bar pauses; r, n, w and m sort agents by rate, name, waiting messages and memory.",
    ["glia top", "glia top --name hub", "glia top --pid 4242 --interval 0.5", "glia top --once --json"],
  );
  top
    .summary("Show a running program, or the mesh of a node")
    .option("--pid <pid>", "program to look at (default: the only program or node)")
    .option("--name <name>", "node whose mesh to look at")
    .option("--data <dir>", "data folder of the node whose mesh to look at")
    .option("--interval <seconds>", "time between two looks, 0.1 to 3600", "1")
    .option("--once", "look once");
  register.runs(top, async () => (await import("./commands/top.ts")).top);
}

function addAgent(program: Command, register: Registrar): void {
  const agent = group(program, "agent", "Start, message, move and end agents.");
  addAgentSource(agent, register);
  addAgentTalk(agent, register);
  addAgentMovement(agent, register);
  addAgentUpgrade(agent, register);
  const list = register.leaf(agent, "list", "List the agents that live in the mesh.", ["glia agent list"]);
  register.runs(choiceOptions(list), async () => (await import("./commands/agent-list.ts")).agentList);

  const spawn = register.leaf(
    agent,
    "spawn <file>",
    "Start an agent from a WebAssembly module, in a sandbox; a source in TypeScript or JavaScript is built first.",
    [
      "glia agent spawn agent.ts --as words",
      "glia agent spawn counter.wasm --as counter --on edge --memory 64",
      "glia agent spawn agent.ts --input '{\"most\":5}'",
    ],
  );
  describeArgument(spawn, "the WebAssembly module, at most 15 MiB, or the source");
  choiceOptions(spawn)
    .option("--as <name>", "name of the agent (default: the file's name)")
    .option(
      "--on <node>",
      "node that hosts it: name, id, or 6 or more characters of the id (default: the node asked)",
    )
    .option(
      "--grant <module...>",
      "import modules it may use (default: what a source needs; glia.v1 for a module)",
    )
    .option("--input <json>", "what the start of an agent of @glia-os/cells/agent gets")
    .option("--memory <pages>", "limit of its memory in pages of 64 KiB")
    .option(
      "--replica [without]",
      "keep a copy on another node, which goes on with it; without one it waits (hold, the default) or goes on (continue)",
    )
    .option("--replicas <n>", "keep copies on so many other nodes, 1 to 4 (default with --replica: 1)")
    .option(
      "--durable",
      "run it as a durable agent, outside the sandbox, on a node that allows it (--programs)",
    )
    // Its name before all commands had the same one.
    .addOption(new Option("--node <name>").conflicts("name").hideHelp());
  register.runs(spawn, async () => (await import("./commands/agent-spawn.ts")).agentSpawn);

  const send = register.leaf(
    agent,
    "send <agent> <message> [json]",
    "Send one message to an agent and wait until it is in the agent's mailbox: exit code 0 says that, not what the agent made of it, which " +
      "--ask and `glia agent logs` show. With an input it is the name of a message of an agent that was defined by " +
      "`@glia-os/cells/agent`.",
    [
      'glia agent send counter "hello world"',
      "glia agent send words count '\"the cat\"'",
      "glia agent send counter --ask status",
      "glia agent send counter - < message.bin",
    ],
  );
  describeArgument(
    send,
    "name, id, or 6 or more characters of the id",
    "the message, or - to read it from standard input",
    "the input of the message",
  );
  choiceOptions(send.summary("Send one message to an agent and wait until its mailbox has it"))
    .option("--ask", "wait for the agent's reply and print it")
    .option("--hex", "the message and the reply are hexadecimal")
    .option("--priority <high|normal|low>", "go before what waits with less, or let others go first")
    .option(
      "--keep [time]",
      "keep it on the node that sends it, also over its restarts, until the agent's node is there; at most this time, 1s to 7d (1h)",
    )
    .option("--timeout <seconds>", "how long to wait", "30");
  register.runs(send, async () => (await import("./commands/agent-send.ts")).agentSend);

  const terminate = register.leaf(agent, "terminate <agent>", "End an agent.", [
    "glia agent terminate counter",
  ]);
  describeArgument(terminate, "name, id, or 6 or more characters of the id");
  register.runs(
    choiceOptions(terminate),
    async () => (await import("./commands/agent-terminate.ts")).agentTerminate,
  );
}

function addMachine(program: Command, register: Registrar): void {
  const doctor = register.leaf(
    program,
    "doctor",
    "Say what this machine is and whether Glia can run on it; exit code 1 if not.",
    ["glia doctor", "glia doctor --bind 127.0.0.1:7400 --json"],
  );
  doctor
    .summary("Say what this machine is and whether Glia can run on it")
    .option("--bind <host:port>", "also check that this address can be listened on", "127.0.0.1:0")
    .option("--data <dir>", "also check this data folder instead of the default one");
  register.runs(doctor, async () => (await import("./commands/doctor.ts")).doctor);

  const version = register.leaf(program, "version", "Print the versions of Glia and of what it runs on.", [
    "glia version --json",
  ]);
  register.runs(version, async () => (await import("./commands/version.ts")).versionCommand);
}
