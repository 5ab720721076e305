/** The refusals of the command line itself, one class each. Codes and remedies: `@glia-os/abi/errors`. */
import { errorCodeOf, isGliaError } from "@glia-os/abi/errors";
import { CliError } from "@glia-os/abi/errors/cli";

/** A node that should leave the mesh hosts agents. */
export class AgentsHostedError extends CliError<"cli.agents-hosted"> {
  constructor(name: string, count: number) {
    const agents = count === 1 ? "1 agent lives" : `${count} agents live`;
    super("cli.agents-hosted", `${agents} on the node ${name}`, { details: { name, count } });
  }
}

/** The counting thread failed. */
export class CountingThreadError extends CliError<"cli.counting-thread"> {
  constructor(cause: unknown) {
    super("cli.counting-thread", `The thread that makes the independent count failed: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** The input changed between the two passes over it. */
export class InputChangedError extends CliError<"cli.input-changed"> {
  constructor() {
    super("cli.input-changed", "The input changed while it was counted a second time");
  }
}

/** A task of a deadlock. */
export interface WaitingTask {
  readonly task: number;
  readonly name: string;
  readonly syscall: string;
  readonly waitsFor: string;
}

/** Every task of a program waits, and nothing can wake one. */
export class ProgramDeadlockError extends CliError<"cli.deadlock"> {
  constructor(count: number, tasks: readonly WaitingTask[]) {
    const who = count === 1 ? "The one task that lives waits" : `All ${count} tasks wait`;
    super("cli.deadlock", `Deadlock: ${who} and nothing can wake ${count === 1 ? "it" : "one"}`, {
      details: { count, tasks },
    });
  }
}

/** Tasks of a program failed that nobody waited for; each was reported when it did. */
export class FailedTasksError extends CliError<"cli.task-failed"> {
  constructor(count: number, first: TaskFailedError) {
    const what = count === 1 ? "1 task failed" : `${count} tasks failed`;
    super(
      "cli.task-failed",
      `${what} while nobody waited for it; ${count === 1 ? "it" : "the first"} was reported above`,
      {
        cause: first,
        changed: "The other tasks went on to their ends.",
        details: { count, first: first.toRecord() },
      },
    );
  }
}

/** A guest ended before the place where its snapshot was to be taken. */
export class GuestEndedError extends CliError<"cli.guest-ended"> {
  constructor(details: Readonly<Record<string, unknown>>) {
    super("cli.guest-ended", "The guest ended before it could be stopped", { details });
  }
}

/** Input of a guest that cannot be read or is too long. */
export class GuestInputError extends CliError<"cli.guest-input"> {
  constructor(from: string, why: string, cause?: unknown) {
    super("cli.guest-input", `Cannot read the guest's input from ${from}: ${why}`, {
      cause,
      details: { from },
    });
  }
}

/** A guest ended with a status that is not 0. */
export class GuestStatusError extends CliError<"cli.guest-status"> {
  constructor(status: number, details: Readonly<Record<string, unknown>>) {
    super("cli.guest-status", `The guest ended with status ${status}`, { details: { status, ...details } });
  }
}

/** The thread of a guest ended by itself. */
export class GuestThreadError extends CliError<"cli.guest-thread"> {
  constructor(cause: unknown) {
    super("cli.guest-thread", `The guest's thread failed: ${messageOf(cause)}`, { cause });
  }
}

/** There is nothing at the input path. */
export class InputMissingError extends CliError<"cli.input-missing"> {
  constructor(path: string) {
    super("cli.input-missing", `There is no folder ${path}`, { details: { path } });
  }
}

/** The input path is something else than a folder. */
export class InputNotDirectoryError extends CliError<"cli.input-not-directory"> {
  constructor(path: string) {
    super("cli.input-not-directory", `${path} is not a folder`, { details: { path } });
  }
}

/** No regular file in the input folder. */
export class InputEmptyError extends CliError<"cli.input-empty"> {
  constructor(path: string) {
    super("cli.input-empty", `There is no regular file in ${path}`, { details: { path } });
  }
}

/** More files than a run takes. */
export class InputTooManyError extends CliError<"cli.input-too-many"> {
  constructor(path: string, limit: number) {
    super("cli.input-too-many", `There are more than ${limit} files in ${path}`, {
      details: { path, limit },
    });
  }
}

/** A file or folder of the input cannot be read. */
export class InputUnreadableError extends CliError<"cli.input-unreadable"> {
  constructor(path: string, cause: unknown) {
    super("cli.input-unreadable", `Cannot read ${path}: ${reasonOf(cause)}`, { cause, details: { path } });
  }
}

/** A process of the run ended before its time. `last`: the error it reported, or its last words; its remedy is passed on. */
export class ChildEndedError extends CliError<"cli.child-ended"> {
  constructor(
    name: string,
    pid: number | undefined,
    how: string,
    last: { readonly message: string; readonly fix?: string },
  ) {
    const said = last.message === "" ? "" : `: ${last.message}`;
    super(
      "cli.child-ended",
      `The ${name} node (process ${pid ?? "not started"}) ended early, ${how}${said}`,
      {
        details: { name, pid, how },
        ...(last.fix === undefined ? {} : { fix: last.fix }),
      },
    );
  }
}

/** A process of the run did not get ready in time. */
export class ChildSilentError extends CliError<"cli.child-silent"> {
  constructor(name: string, pid: number | undefined, waitedMs: number) {
    super("cli.child-silent", `The ${name} node (process ${pid}) was not ready after ${waitedMs / 1000} s`, {
      details: { name, pid, waitedMs },
    });
  }
}

/** Ctrl-C, SIGTERM or SIGHUP before the work was done. */
export class InterruptedError extends CliError<"cli.interrupted"> {
  constructor(signal: string) {
    super("cli.interrupted", `Interrupted by ${signal}`, { details: { signal } });
  }
}

/** The reader of standard output went away. */
export class OutputClosedError extends CliError<"cli.output-closed"> {
  constructor() {
    super("cli.output-closed", "Standard output was closed before the end");
  }
}

/** No join line where one was promised. */
export class JoinLineMissingError extends CliError<"cli.join-line-missing"> {
  constructor(where: string, cause?: unknown) {
    super("cli.join-line-missing", `No join line in ${where}`, { cause, details: { where } });
  }
}

/** A line of standard input over the limit. */
export class LineTooLongError extends CliError<"cli.line-too-long"> {
  constructor(limit: number) {
    super("cli.line-too-long", `A line of standard input is longer than ${limit} bytes`, {
      details: { limit },
    });
  }
}

/** A message over the limit. */
export class MessageTooLongError extends CliError<"cli.message-too-long"> {
  constructor(limit: number) {
    super("cli.message-too-long", `The message is longer than ${limit} bytes`, { details: { limit } });
  }
}

/** The module file cannot be read. */
export class ModuleUnreadableError extends CliError<"cli.module-unreadable"> {
  constructor(path: string, why: string, cause?: unknown) {
    super("cli.module-unreadable", `Cannot read the module ${path}: ${why}`, { cause, details: { path } });
  }
}

/** A file whose default export is no program. */
export class NoProgramError extends CliError<"cli.no-program"> {
  constructor(file: string, found: string, fix?: string) {
    super("cli.no-program", `${file} is not a program: ${found}`, {
      details: { file, found },
      ...(fix === undefined ? {} : { fix }),
    });
  }
}

/** Several nodes run here and none was named. */
export class NodeAmbiguousError extends CliError<"cli.node-ambiguous"> {
  constructor(home: string, names: readonly string[]) {
    super("cli.node-ambiguous", `Several nodes run from ${home}: ${names.join(", ")}`, {
      details: { names },
    });
  }
}

/** No node runs here. */
export class NodeNotRunningError extends CliError<"cli.node-not-running"> {
  /** `meant`: the node whose name is nearly the one that was given. */
  constructor(where: string, meant?: string, cause?: unknown) {
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
    super("cli.node-not-running", `No node runs from ${where}${hint}`, { cause, details: { where } });
  }
}

/** Several agents answer to a name or prefix. */
export class AgentAmbiguousError extends CliError<"cli.agent-ambiguous"> {
  constructor(text: string, agents: readonly string[]) {
    super("cli.agent-ambiguous", `"${text}" means several agents: ${agents.join(", ")}`, {
      details: { agents },
    });
  }
}

/** The node of an agent did not answer or has it no more, and none went on with it, for as long as was waited. */
export class AgentAwayError extends CliError<"cli.agent-away"> {
  constructor(text: string, waitedMs: number) {
    const who = text.slice(0, 80);
    super("cli.agent-away", `No node answered for ${who} in ${waitedMs / 1000} s`, {
      details: { text: who, waitedMs },
    });
  }
}

/** An agent did not answer in time, and has no replica now. */
export class AgentWaitsError extends CliError<"cli.agent-waits"> {
  constructor(text: string, cause: unknown) {
    const who = text.slice(0, 80);
    super(
      "cli.agent-waits",
      `${who} waits for a replica, which is missing now, and takes no messages meanwhile: ${messageOf(cause)}`,
      { cause, details: { text: who, code: errorCodeOf(cause) } },
    );
  }
}

/** No agent answers to a name or prefix. */
export class AgentUnknownError extends CliError<"cli.agent-unknown"> {
  constructor(text: string, meant?: string) {
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
    const none = text.includes("*")
      ? `No agent has a name that fits "${text}"`
      : `There is no agent "${text}"`;
    super("cli.agent-unknown", `${none}${hint}`, { details: { text } });
  }
}

/** A program file, or a module it imports, threw while it was loaded or cannot be found. `at`: file, line and column. */
export class ProgramLoadError extends CliError<"cli.program-failed-to-load"> {
  constructor(file: string, at: string | undefined, cause: unknown) {
    const where = at === undefined ? "" : ` at ${at}`;
    super("cli.program-failed-to-load", `${file} failed to load${where}: ${messageOf(cause)}`, {
      cause,
      details: { file, ...(at === undefined ? {} : { at }) },
    });
  }
}

/** A program file that is not JavaScript, or TypeScript whose types can be removed. */
export class ProgramSyntaxError extends CliError<"cli.program-syntax"> {
  constructor(file: string, at: string | undefined, cause: unknown) {
    const where = at ?? file;
    super("cli.program-syntax", `${where}: ${messageOf(cause)}`, {
      cause,
      details: { file, ...(at === undefined ? {} : { at }) },
    });
  }
}

/** A program file that is not there or cannot be read. */
export class ProgramUnreadableError extends CliError<"cli.program-unreadable"> {
  constructor(file: string, why: string, cause?: unknown) {
    super("cli.program-unreadable", `Cannot run ${file}: ${why}`, { cause, details: { file } });
  }
}

/** Several programs run here and none was named. */
export class RunAmbiguousError extends CliError<"cli.run-ambiguous"> {
  constructor(
    runs: readonly { readonly pid: number; readonly file: string }[],
    nodes: readonly string[] = [],
  ) {
    const names = [
      ...runs.map(({ pid, file }) => `${pid} (${file})`),
      ...nodes.map((name) => `node ${name}`),
    ];
    const details = { runs, ...(nodes.length === 0 ? {} : { nodes }) };
    super("cli.run-ambiguous", `Several programs or nodes run: ${names.join(", ")}`, { details });
  }
}

/** Neither a program nor a node runs, or not the program that was named. */
export class RunNotFoundError extends CliError<"cli.run-not-found"> {
  constructor(pid?: number) {
    const what =
      pid === undefined
        ? "No program and no node runs"
        : `Process ${pid} is no program that glia run started`;
    super("cli.run-not-found", what, pid === undefined ? {} : { details: { pid } });
  }
}

/** A program does not say how it is. */
export class RunSilentError extends CliError<"cli.run-silent"> {
  constructor(pid: number, waitedMs: number) {
    super("cli.run-silent", `Process ${pid} has not answered for ${waitedMs / 1000} s`, {
      details: { pid, waitedMs },
    });
  }
}

/** A task of a program failed and nobody dealt with it. `said`: what it threw; `at`: file, line and column. */
export class TaskFailedError extends CliError<"cli.task-failed"> {
  constructor(
    task: { readonly id: number; readonly name: string; readonly path: string },
    said: { readonly text: string; readonly at: string | undefined; readonly code: string | undefined },
    cause: unknown,
  ) {
    const where = said.at === undefined ? "" : ` at ${said.at}`;
    const fix = isGliaError(cause) ? { fix: cause.fix } : {};
    super(
      "cli.task-failed",
      `Task ${task.name === "" ? task.path : task.name} failed${where}: ${said.text}`,
      {
        cause,
        ...fix,
        details: { task: task.id, name: task.name, path: task.path, at: said.at, code: said.code },
      },
    );
  }
}

/** A snapshot file that cannot be read. */
export class SnapshotUnreadableError extends CliError<"cli.snapshot-unreadable"> {
  constructor(path: string, why: string, cause?: unknown) {
    super("cli.snapshot-unreadable", `Cannot read the snapshot ${path}: ${why}`, {
      cause,
      details: { path },
    });
  }
}

/** A snapshot file that cannot be written. */
export class SnapshotUnwritableError extends CliError<"cli.snapshot-unwritable"> {
  constructor(path: string, why: string, cause?: unknown) {
    super("cli.snapshot-unwritable", `Cannot write ${path}: ${why}`, { cause, details: { path } });
  }
}

/** The thread of a simulation failed. */
export class SimulationThreadError extends CliError<"cli.simulation-thread"> {
  constructor(cause: unknown) {
    super("cli.simulation-thread", `The thread of the simulation failed: ${messageOf(cause)}`, { cause });
  }
}

/** The machine lacks something Glia needs. */
export class UnfitMachineError extends CliError<"cli.unfit-machine"> {
  constructor(missing: readonly string[]) {
    super("cli.unfit-machine", `This machine cannot run Glia: ${missing.join("; ")}`, {
      details: { missing },
    });
  }
}

/** A command line that makes no sense. */
export class UsageError extends CliError<"cli.usage"> {
  constructor(message: string, fix?: string) {
    super("cli.usage", message, fix === undefined ? {} : { fix });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "another process listens there",
  EADDRNOTAVAIL: "this machine does not have that address",
  EROFS: "the disk is read-only",
  ENOTDIR: "part of the path is not a folder",
  EPERM: "not permitted",
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder",
  EIO: "the disk answered with an error",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files in this process",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "the disk is full",
};

/** The sentence for a failed file operation. */
export function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return (typeof code === "string" ? REASONS[code] : undefined) ?? messageOf(cause);
}

/** A folder for something new that has files in it already. */
export class FolderInUseError extends CliError<"cli.folder-in-use"> {
  constructor(path: string) {
    super("cli.folder-in-use", `${path} is not empty`);
  }
}

/** A file or folder that cannot be written. */
export class FolderUnwritableError extends CliError<"cli.folder-unwritable"> {
  constructor(path: string, cause: unknown) {
    super("cli.folder-unwritable", `${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** A folder's journal has no such domain. */
export class DomainMissingError extends CliError<"cli.domain-missing"> {
  constructor(domain: string, folder: string) {
    super("cli.domain-missing", `${folder} has no domain ${domain}`, { details: { domain, folder } });
  }
}

/** An input that is no JSON. */
export class InputMalformedError extends CliError<"cli.input-malformed"> {
  constructor(why: string) {
    super("cli.input-malformed", `--input is no JSON: ${why}`, { details: { why } });
  }
}

/** Bytes of a journal that are no records of a durable domain. */
export class JournalUnreadableError extends CliError<"cli.journal-unreadable"> {
  constructor(domain: string, seq: number, cause: unknown) {
    super("cli.journal-unreadable", `${domain} cannot be shown from record ${seq} on: ${messageOf(cause)}`, {
      cause,
      details: { domain, seq },
    });
  }
}

/** A folder in which a journal is to be and is not. */
export class JournalMissingError extends CliError<"cli.journal-missing"> {
  constructor(folder: string, why: string, cause?: unknown) {
    super("cli.journal-missing", `${folder} has no journal: ${why}`, { cause, details: { folder } });
  }
}

/** The source of an agent cannot be read. */
export class SourceUnreadableError extends CliError<"cli.source-unreadable"> {
  constructor(path: string, why: string, cause?: unknown) {
    super("cli.source-unreadable", `Cannot read the agent ${path}: ${why}`, { cause, details: { path } });
  }
}

/** Nobody answered a ping. */
export class PingUnansweredError extends CliError<"cli.ping-unanswered"> {
  constructor(node: string, count: number) {
    const pings = count === 1 ? "the ping" : `any of ${count} pings`;
    super("cli.ping-unanswered", `${node} did not answer ${pings}`, { details: { node, count } });
  }
}
