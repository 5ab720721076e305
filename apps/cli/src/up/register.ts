/** The command `glia up`. */
import { type Command, Option } from "commander";
import type { Registrar } from "../registrar.ts";

/** Add it. */
export function addUp(program: Command, register: Registrar): void {
  const up = register.leaf(
    program,
    "up",
    "Run a node as its configuration says: the first start founds a mesh or joins one, later ones go on with it. " +
      "Ctrl-C or SIGTERM stops it in order, twice at once; SIGHUP or a change of the file reads the configuration again.",
    [
      "glia up",
      "glia up --config edge.config.json",
      "glia up --name edge --join join-line.txt --bind 192.0.2.2:7400",
    ],
  );
  up.summary("Run a node as its configuration says")
    .option(
      "--config <file>",
      "the configuration (default: glia.config.ts, .mts, .js, .mjs or .json in this folder)",
    )
    .option("--name <name>", "name of the node (default: the machine's name)")
    .addOption(new Option("--role <role>", "what it does in the mesh").choices(["edge", "relay", "core"]))
    .option("--data <dir>", "data folder of the node")
    .option("--bind <host:port>", "address to listen on; port 0 picks a free one, and keeps it")
    .option("--join <line>", "join line for the first start, a file that holds it, or - for standard input")
    .option("--http <host:port>", "address for metrics, health and jobs over HTTP")
    .addOption(new Option("--log-format <format>", "how log lines look").choices(["pretty", "json"]))
    .addOption(
      new Option("--log-level <level>", "the least level that is written").choices([
        "debug",
        "info",
        "warn",
        "error",
      ]),
    )
    .option("--until-stdin-closes", "stop when standard input ends, for programs that start nodes");
  register.runs(up, async () => (await import("./up.ts")).up);
}
