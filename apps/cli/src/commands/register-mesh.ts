/** The commands of `glia mesh`: their options, help and examples. */
import { MESH_CHOICES } from "@glia-os/daemon/config";
import { type Command, Option } from "commander";
import { movementOptions } from "../movement/movement-options.ts";
import { choiceOptions, describeArgument, group, type Registrar } from "../registrar.ts";

const NODE_NAMED = "name, id, or 6 or more characters of the id";

/** Add them. */
export function addMesh(program: Command, register: Registrar): void {
  const mesh = group(program, "mesh", "Start, join, look at and manage a mesh of nodes.");
  addStart(mesh, register);
  addJoin(mesh, register);
  addLeave(mesh, register);
  addViews(mesh, register);
  addPing(mesh, register);
  addJob(mesh, register);
  addAdmission(mesh, register);
  addCertificates(mesh, register);
}

function addStart(mesh: Command, register: Registrar): void {
  const start = register.leaf(
    mesh,
    "start",
    "Found a mesh and run its first node until Ctrl-C; prints the join line.",
    [
      "glia mesh start --bind 127.0.0.1:7400",
      "glia mesh start --bind 0.0.0.0:7400 --name hub --ttl 1h --uses 3",
      "glia mesh start --name hub --resume --metrics-port 9464",
    ],
  );
  const bind = "address to listen on; port 0 picks a free one (with --resume: the one it had)";
  nodeOptions(start.option("--bind <host:port>", bind), undefined);
  joinLineOptions(start).option(
    "--resume",
    "take up again the node whose folder it is, instead of founding a mesh",
  );
  register.runs(start, async () => (await import("./mesh-start.ts")).meshStart);
}

function addJoin(mesh: Command, register: Registrar): void {
  const join = register.leaf(mesh, "join <line>", "Join a mesh and run a node until Ctrl-C.", [
    "glia mesh join glia-join-v1/127.0.0.1:7400/pdcm...",
    "glia mesh join join-line.txt --role relay",
    "glia mesh token create | glia mesh join - --bind 127.0.0.1:0 --role edge",
  ]);
  describeArgument(join, "the join line, a file that holds it, or - to read it from standard input");
  nodeOptions(
    join.option("--bind <host:port>", "address to listen on; port 0 picks a free one", "127.0.0.1:0"),
    "edge",
  );
  register.runs(join, async () => (await import("./mesh-join.ts")).meshJoin);
}

function addLeave(mesh: Command, register: Registrar): void {
  const leave = register.leaf(
    mesh,
    "leave",
    "Let a running node of this machine leave its mesh and stop; its folder stays.",
    ["glia mesh leave", "glia mesh leave --name edge --force"],
  );
  choiceOptions(leave).option("--force", "leave even if agents live on the node: they end with it");
  register.runs(leave, async () => (await import("./mesh-leave.ts")).meshLeave);
}

function addViews(mesh: Command, register: Registrar): void {
  const status = register.leaf(
    mesh,
    "status",
    "Show a running node of this machine and the members it sees.",
    ["glia mesh status", "glia mesh status --name hub --json"],
  );
  register.runs(choiceOptions(status), async () => (await import("./mesh-status.ts")).meshStatus);

  const members = register.leaf(
    mesh,
    "members",
    "Show the members of the mesh, and what a node's sessions with them go over.",
    ["glia mesh members", "glia mesh members --name hub --json"],
  );
  register.runs(choiceOptions(members), async () => (await import("./mesh-members.ts")).meshMembers);

  const metrics = register.leaf(mesh, "metrics", "Print what a node measured, as text for Prometheus.", [
    "glia mesh metrics | promtool check metrics",
  ]);
  register.runs(choiceOptions(metrics), async () => (await import("./mesh-metrics.ts")).meshMetrics);
}

function addPing(mesh: Command, register: Registrar): void {
  const ping = register.leaf(
    mesh,
    "ping <node>",
    "Ask a node of the mesh to answer, and say how long it took.",
    ["glia mesh ping edge", "glia mesh ping edge --count 20 --name hub"],
  );
  describeArgument(ping, NODE_NAMED);
  choiceOptions(ping)
    .option("--count <n>", "how often to ask", "4")
    .option("--timeout <seconds>", "how long to wait for each answer", "5");
  register.runs(ping, async () => (await import("./mesh-ping.ts")).meshPing);

  const route = register.leaf(
    mesh,
    "route <target>",
    "Show how messages to an agent or a node go: what the registry and the anchor say, and the way.",
    ["glia mesh route counter", "glia mesh route edge --name hub"],
  );
  describeArgument(route, "an agent's name or id, or a node's name, id, or 6 or more characters of the id");
  register.runs(choiceOptions(route), async () => (await import("./mesh-route.ts")).meshRoute);
}

function addJob(mesh: Command, register: Registrar): void {
  const job = register.leaf(
    mesh,
    "job <entry>",
    "Run a job of the node's module, there or on a node that is idle, and print what it returned.",
    [
      "glia mesh job resize --payload '{\"width\":80}'",
      "glia mesh job simulate --payload 7 --count 100 --json",
    ],
  );
  describeArgument(job, "exported function of the module that the node was started with (--jobs)");
  choiceOptions(job)
    .option("--payload <json>", "what it is called with", "null")
    .option("--count <n>", "how often to run it, all at once: 1 to 1000", "1");
  register.runs(job, async () => (await import("./mesh-job.ts")).meshJob);
}

function addAdmission(mesh: Command, register: Registrar): void {
  const token = group(mesh, "token", "Make join lines.");
  const create = register.leaf(
    token,
    "create",
    "Print a new join line; only a node that holds the cluster's key can.",
    ["glia mesh token create", "glia mesh token create --ttl 5m --uses 1 > join-line.txt"],
  );
  register.runs(
    joinLineOptions(choiceOptions(create)),
    async () => (await import("./mesh-token.ts")).meshTokenCreate,
  );

  const remove = register.leaf(
    mesh,
    "remove <node>",
    "Put a node out of the mesh for good; only a node that holds the cluster's key can.",
    ["glia mesh remove edge"],
  );
  describeArgument(remove, `${NODE_NAMED}; a node that is not known needs its whole id`);
  register.runs(choiceOptions(remove), async () => (await import("./mesh-remove.ts")).meshRemove);
}

function addCertificates(mesh: Command, register: Registrar): void {
  const cert = group(mesh, "cert", "Show and replace a node's certificates.");
  const show = register.leaf(cert, "show", "Show the certificates of a node and of its peers.", [
    "glia mesh cert show",
    "glia mesh cert show --pem | openssl x509 -noout -text",
  ]);
  choiceOptions(show).option("--pem", "print the session certificate alone, in PEM");
  register.runs(show, async () => (await import("./mesh-cert.ts")).meshCertShow);

  const rotate = register.leaf(cert, "rotate", "Replace a node's session certificate; open sessions go on.", [
    "glia mesh cert rotate --name hub",
  ]);
  register.runs(choiceOptions(rotate), async () => (await import("./mesh-cert.ts")).meshCertRotate);

  const key = group(mesh, "key", "Replace the cluster's key.");
  const rotateKey = register.leaf(
    key,
    "rotate",
    "Replace the cluster's key; only a node that holds it can. Members renew their certificates at once.",
    ["glia mesh key rotate", "glia mesh key rotate --overlap 1h"],
  );
  choiceOptions(rotateKey).option("--overlap <time>", "how long the old key still counts: 0s to 30d", "1d");
  register.runs(rotateKey, async () => (await import("./mesh-key.ts")).meshKeyRotate);
}

function nodeOptions(command: Command, role: string | undefined): Command {
  const untilStdinCloses =
    "run until standard input ends, for programs that start nodes: none outlives its parent";
  const what = "what it does in the mesh";
  const at = new Option(
    "--role <role>",
    role === undefined ? `${what} (default: core; with --resume: the one it had)` : what,
  ).choices(["core", "relay", "edge"]);
  return meshOptions(movementOptions(command).addOption(role === undefined ? at : at.default(role)))
    .option("--name <name>", "name of the node (default: the machine's name and the role)")
    .option("--data <dir>", "data folder (default: a folder of the node's name under GLIA_HOME)")
    .option("--http <origin...>", "origins that agents with the grant service/http may reach")
    .option("--files <folder>", "the folder of agents with the grant service/files")
    .option(
      "--jobs <module>",
      "module whose exported functions run jobs, shared with nodes that have the same file",
    )
    .option(
      "--programs <which>",
      "durable agents it runs outside the sandbox: `uploaded` for any, or a folder for the modules in it (default: none)",
    )
    .option("--job-workers <n>", "jobs at once (default: one for each processor)")
    .option(
      "--metrics-port <port>",
      "serve /metrics, /healthz and /readyz over HTTP at this port; 0 picks one",
    )
    .option("--metrics-host <host>", "the address of that port", "127.0.0.1")
    .option("--until-stdin-closes", untilStdinCloses)
    .option("--temporary", "remove the data folder at the end, if this run made it");
}

function meshOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--profile <profile>", "timing of the failure detector; the same on all nodes")
        .choices(MESH_CHOICES.profile)
        .default("lan"),
    )
    .addOption(
      new Option("--transport <transport>", "what requests go over; auto: QUIC where both ends have it")
        .choices(MESH_CHOICES.transport)
        .default("auto"),
    )
    .addOption(
      new Option("--minority <policy>", "what it does while it sees no majority")
        .choices(MESH_CHOICES.minority)
        .default("continue"),
    )
    .option("--mdns", "announce the node on its link by multicast DNS, and hear of others of its mesh");
}

function joinLineOptions(command: Command): Command {
  return command
    .option("--ttl <time>", "how long the join line admits nodes: 90s, 10m, 2h, 1d", "10m")
    .option("--uses <n>", "how many nodes it admits", "16");
}
