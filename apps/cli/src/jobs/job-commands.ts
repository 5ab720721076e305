/** `glia job`: jobs that the node keeps on its disk until they have ended. */
import { RemoteError } from "@glia-os/abi/errors";
import { type JobProtocol, type JobState, type JobView, jobProtocolOver } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { jobLine } from "./job-line.ts";

/** Options of `job submit`. */
export interface JobSubmitOptions extends NodeChoice {
  readonly payload: string;
  readonly key?: string;
  readonly priority?: string;
  readonly deadline?: string;
  readonly detach?: boolean;
}

const WAIT_MS = 60_000;

/** `glia job submit`: accepted is durable; then it waits for the end, unless it is not to. */
export async function jobSubmit(
  entry: string,
  options: JobSubmitOptions,
  context: Context,
): Promise<ExitCode> {
  const { key, detach } = options;
  const job = {
    entry,
    payload: payloadOf(options.payload),
    ...(key === undefined ? {} : { key }),
    ...(options.priority === undefined ? {} : { priority: wholeOf("--priority", options.priority) }),
    ...(options.deadline === undefined ? {} : { deadlineMs: 1000 * wholeOf("--deadline", options.deadline) }),
  };
  return overJobs(options, context, async (jobs) => {
    const accepted = await jobs.submit(job);
    if (detach === true) return show(accepted, context);
    if (context.terminal.verbose) context.terminal.note(jobLine(accepted));
    return showEnd(await ended(jobs, accepted), context);
  });
}

/** `glia job status`. */
export function jobStatus(id: string, options: NodeChoice, context: Context): Promise<ExitCode> {
  return overJobs(options, context, async (jobs) => show(await jobs.status(id), context));
}

/** `glia job wait`. */
export function jobWait(id: string, options: NodeChoice, context: Context): Promise<ExitCode> {
  return overJobs(options, context, async (jobs) =>
    showEnd(await ended(jobs, await jobs.status(id)), context),
  );
}

/** `glia job watch`. */
export function jobWatch(id: string, options: NodeChoice, context: Context): Promise<ExitCode> {
  const { terminal } = context;
  return overJobs(options, context, async (jobs) => {
    let last: JobView | undefined;
    for await (const view of jobs.watch(id)) {
      last = view;
      terminal.record({ event: "job", job: view });
      terminal.line(jobLine(view));
    }
    return last?.state === "succeeded" ? EXIT.ok : EXIT.failure;
  });
}

/** `glia job cancel`. */
export function jobCancel(id: string, options: NodeChoice, context: Context): Promise<ExitCode> {
  return overJobs(options, context, async (jobs) => show(await jobs.cancel(id), context));
}

/** Options of `job list`. */
export interface JobListOptions extends NodeChoice {
  readonly state?: JobState;
  readonly limit: string;
}

/** `glia job list`. */
export function jobList(options: JobListOptions, context: Context): Promise<ExitCode> {
  const { terminal } = context;
  const { state } = options;
  const filter = { limit: wholeOf("--limit", options.limit), ...(state === undefined ? {} : { state }) };
  return overJobs(options, context, async (jobs) => {
    const views = await jobs.list(filter);
    terminal.record({ ok: true, jobs: views });
    for (const view of views) terminal.line(jobLine(view));
    if (views.length === 0) terminal.line("no jobs");
    return EXIT.ok;
  });
}

async function overJobs(
  choice: NodeChoice,
  context: Context,
  act: (jobs: JobProtocol) => Promise<ExitCode>,
): Promise<ExitCode> {
  return unlessInterrupted(
    context,
    withNode(choice, (node) => act(jobProtocolOver(node))),
  );
}

async function ended(jobs: JobProtocol, accepted: JobView): Promise<JobView> {
  let view = accepted;
  while (view.state === "pending") view = await jobs.wait(view.id, WAIT_MS);
  return view;
}

function show(view: JobView, { terminal }: Context): ExitCode {
  terminal.record({ ok: true, job: view });
  terminal.line(jobLine(view));
  return EXIT.ok;
}

/** The result, or the failure of a job that has none. */
function showEnd(view: JobView, { terminal }: Context): ExitCode {
  if (view.error !== undefined) throw new RemoteError(view.error);
  terminal.record({ ok: true, job: view });
  terminal.line(typeof view.result === "string" ? view.result : JSON.stringify(view.result));
  return EXIT.ok;
}

function payloadOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError("--payload is no JSON", "Write for example --payload '{\"width\":80}'.");
  }
}

function wholeOf(option: string, text: string): number {
  if (/^-?\d{1,7}$/.test(text)) return Number(text);
  throw new UsageError(`${option} ${text.slice(0, 40)} is no whole number`, "Give one of at most 7 digits.");
}
