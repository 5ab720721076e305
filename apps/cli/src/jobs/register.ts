/** The commands of `glia job`. */
import { type Command, Option } from "commander";
import { choiceOptions, describeArgument, group, type Registrar } from "../registrar.ts";

/** Add them. */
export function addJobs(program: Command, register: Registrar): void {
  const job = group(program, "job", "Give durable jobs to a node, and look at them.");
  addSubmit(job, register);
  addList(job, register);
  const add = (
    usage: string,
    says: string,
    run: "jobStatus" | "jobWait" | "jobWatch" | "jobCancel",
    shown: string,
  ): void => {
    const command = register.leaf(job, `${usage} <id>`, says, [shown]);
    describeArgument(command, "id of the job");
    register.runs(choiceOptions(command), async () => (await import("./job-commands.ts"))[run]);
  };
  const id = "0123456789abcdef0123456789abcdef";
  add("status", "Show a job as it stands.", "jobStatus", `glia job status ${id}`);
  add("wait", "Wait for the end of a job, and print its result.", "jobWait", `glia job wait ${id}`);
  add(
    "watch",
    "Print a job whenever it changes, until it has ended.",
    "jobWatch",
    `glia job watch ${id} --json`,
  );
  add(
    "cancel",
    "Give a job up: one that waits never starts, one that runs is stopped, also on another node.",
    "jobCancel",
    `glia job cancel ${id}`,
  );
}

function addSubmit(job: Command, register: Registrar): void {
  const submit = register.leaf(
    job,
    "submit <entry>",
    "Submit a job to the node, which keeps it on its disk and runs it at least once, there or on another node; then wait for its result.",
    [
      "glia job submit resize --payload '{\"width\":80}'",
      "glia job submit report --key report/2026-11 --deadline 3600 --detach",
    ],
  );
  describeArgument(submit, "exported function of the node's module of jobs");
  choiceOptions(submit)
    .option("--payload <json>", "what it is called with", "null")
    .option("--key <key>", "names the work: the same key with the same work is the same job")
    .option("--priority <n>", "higher ones start first (default: 0)")
    .option("--deadline <seconds>", "how long the result is wanted")
    .option("--detach", "do not wait: print the job as it was accepted");
  register.runs(submit, async () => (await import("./job-commands.ts")).jobSubmit);
}

function addList(job: Command, register: Registrar): void {
  const list = register.leaf(job, "list", "List the jobs that the node accepted, in order.", [
    "glia job list --state pending",
  ]);
  choiceOptions(list)
    .addOption(
      new Option("--state <state>", "only those in this state").choices([
        "pending",
        "succeeded",
        "failed",
        "cancelled",
        "expired",
      ]),
    )
    .option("--limit <n>", "how many, 1 to 1000", "100");
  register.runs(list, async () => (await import("./job-commands.ts")).jobList);
}
