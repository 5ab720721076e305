/**
 * Runs one program file on a kernel of its own, to its end.
 *
 * RP1. The run ends when the main task and every task it made have ended; or early, by cancelling them all, when the main task failed, the person
 *      interrupted, nobody reads standard output any more, or nothing can wake a task that lives.
 * RP2. A task that fails while nobody waits for it is reported at once, the others go on, and the run ends with exit code 1.
 * RP3. A deadlock is what the process itself proves: tasks live, and nothing is left that could ever wake one.
 * RP4. Cancelled tasks have {@link STOP_MS} to clean up; then they are killed.
 */
import { hasErrorCode, isGliaError } from "@glia-os/abi/errors";
import type { HostPort } from "@glia-os/abi/ports";
import { formatState, listen } from "@glia-os/host";
import type { Exit, Handle, TaskId, UnobservedFailure } from "@glia-os/kernel";
import type { Context } from "../context.ts";
import { FailedTasksError, NoProgramError, ProgramDeadlockError, TaskFailedError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { failureLine } from "../failure.ts";
import { aborted } from "../interrupt.ts";
import { formatHostPort } from "../node/host-port.ts";
import { offerState } from "../top/state-server.ts";
import { describeThrown } from "./failure-site.ts";
import { feedLines } from "./input-lines.ts";
import { QUEUES, queuesService } from "./job-queues.ts";
import { LISTENER, serveListener } from "./listener.ts";
import type { LoadedProgram } from "./load-program.ts";
import { type Machine, type MachineSettings, startMachine } from "./machine.ts";
import { plainResult } from "./plain-result.ts";

/** How long cancelled tasks may clean up (RP4). */
export const STOP_MS = 5000;
/** Tasks of a deadlock that are printed and reported. */
const DEADLOCK_TASKS = 20;

/** What `glia run` was asked. */
export interface RunSettings extends MachineSettings {
  readonly args: readonly string[];
  /** Where the program listens; undefined when it does not. */
  readonly listen: HostPort | undefined;
  /** Print the state at the end. */
  readonly dumpState: boolean;
}

/** Run a loaded program; `stuck` resolves when nothing in the process can happen any more (RP3). */
export async function runProgram(
  program: LoadedProgram,
  settings: RunSettings,
  context: Context,
  stuck: Promise<void>,
): Promise<ExitCode> {
  const machine = startMachine(program.url, settings, context.terminal);
  const run = new ProgramRun(program, machine, settings, context);
  const offered = await offerState(program.file, settings.args, machine.state);
  process.on("SIGQUIT", run.printState);
  try {
    return await run.toEnd(stuck);
  } finally {
    process.off("SIGQUIT", run.printState);
    offered.close();
    await machine.close();
  }
}

class ProgramRun {
  readonly #program: LoadedProgram;
  readonly #machine: Machine;
  readonly #settings: RunSettings;
  readonly #context: Context;
  readonly #startedMs = performance.now();
  #failed = 0;
  #firstFailure: TaskFailedError | undefined;

  constructor(program: LoadedProgram, machine: Machine, settings: RunSettings, context: Context) {
    this.#program = program;
    this.#machine = machine;
    this.#settings = settings;
    this.#context = context;
  }

  /** Print the state of the kernel, for Ctrl-\ and `--dump-state`. */
  readonly printState = (): void => {
    const state = this.#machine.state();
    const { terminal } = this.#context;
    terminal.record({ event: "state", state });
    if (terminal.json) return;
    terminal.note(`glia: state of ${this.#program.file}, process ${process.pid}`);
    for (const line of formatState(state)) terminal.note(line);
  };

  async toEnd(stuck: Promise<void>): Promise<ExitCode> {
    const { kernel, running } = this.#machine;
    kernel.onFailure((failure) => this.#taskFailed(failure));
    try {
      const listener = await this.#listen();
      const { main, fed } = this.#start(listener);
      const mainFailed = new Promise<never>((_, reject) => {
        kernel.onExit(main, (exit) => exit.kind !== "ok" && reject(mainFailure(main, exit)));
      });
      const deadlocked = stuck.then(() => Promise.reject(this.#deadlock()));
      await Promise.race([
        Promise.race([mainFailed, fed, deadlocked, aborted(this.#context.interrupt)]),
        running.ended().then(() => settled(kernel.exitOf(main), main)),
      ]);
      if (this.#settings.dumpState) this.printState();
      return this.#finish(kernel.exitOf(main));
    } catch (error) {
      if (this.#settings.dumpState) this.printState();
      await running.stop(STOP_MS);
      throw error;
    }
  }

  /** Open the socket of `--listen` before any task runs, and say where it is. */
  async #listen(): Promise<Handle | undefined> {
    const { listen: address } = this.#settings;
    if (address === undefined) return undefined;
    const { handle, port } = await listen(this.#machine.kernel, address);
    const { terminal } = this.#context;
    terminal.record({ event: "listening", host: address.host, port });
    if (!terminal.json) terminal.note(`glia: listening on ${formatHostPort({ ...address, port })}`);
    return handle;
  }

  /** Make the main task. `fed` rejects when its input cannot be read, and never resolves. */
  #start(listener: Handle | undefined): { main: TaskId; fed: Promise<never> } {
    const { kernel, budget } = this.#machine;
    const named = this.#program.queues;
    const queues = named === undefined ? undefined : queuesService(kernel, named);
    const inbox = this.#program.readsLines ? kernel.mailbox() : undefined;
    const main = this.#spawn({
      name: "main",
      ...(inbox === undefined ? {} : { give: [inbox] }),
      ...(budget === undefined ? {} : { budget }),
    });
    this.#machine.serveThreads();
    if (queues !== undefined) this.#machine.serve(queues, { name: QUEUES, priority: "system" });
    if (listener !== undefined)
      this.#machine.serve(serveListener, { name: LISTENER, priority: "system", give: [listener] });
    const fed = inbox === undefined ? new Promise<never>(() => {}) : this.#feed(main, inbox);
    return { main, fed };
  }

  #spawn(options: Parameters<Machine["kernel"]["spawn"]>[1]): TaskId {
    try {
      return this.#machine.kernel.spawn(this.#program.main, options);
    } catch (error) {
      if (hasErrorCode(error, "kernel.not-a-program"))
        throw new NoProgramError(this.#program.file, "its default export does not return a generator");
      if (isGliaError(error)) throw error;
      throw new TaskFailedError({ id: 0, name: "main", path: "/0" }, describeThrown(error), error);
    }
  }

  #feed(main: TaskId, inbox: Handle): Promise<never> {
    const { kernel } = this.#machine;
    const { stdin } = this.#context;
    let wanted = true;
    // Nobody reads the input any more: what it holds must not look like work to come.
    kernel.onExit(main, () => {
      wanted = false;
      stdin.destroy();
    });
    return feedLines(kernel, inbox, stdin).then(
      () => new Promise<never>(() => {}),
      (error: unknown) => (wanted ? Promise.reject(error) : new Promise<never>(() => {})),
    );
  }

  #taskFailed({ task, name, path, error }: UnobservedFailure): void {
    const { terminal } = this.#context;
    const failure = new TaskFailedError({ id: task, name, path }, describeThrown(error), error);
    this.#failed++;
    this.#firstFailure ??= failure;
    terminal.record({ event: "task-failed", error: failure.toRecord() });
    terminal.note(`glia: ${failureLine(failure)}`);
    if (terminal.verbose && error instanceof Error) terminal.note(error.stack ?? "");
  }

  #deadlock(): ProgramDeadlockError {
    const state = this.#machine.state();
    const { tasks } = state;
    if (!this.#context.terminal.json && !this.#settings.dumpState)
      for (const line of formatState({ ...state, queues: [] }, { tasks: DEADLOCK_TASKS }))
        this.#context.terminal.note(line);
    const shown = tasks.slice(0, DEADLOCK_TASKS);
    return new ProgramDeadlockError(
      tasks.length + state.omitted,
      shown.map(({ id, name, waitsIn, waitsFor }) => ({ task: id, name, syscall: waitsIn, waitsFor })),
    );
  }

  #finish(exit: Exit | undefined): ExitCode {
    if (this.#firstFailure !== undefined) throw new FailedTasksError(this.#failed, this.#firstFailure);
    const { spawned, finished, failed, cancelled, killed, switches, throttled } =
      this.#machine.state().counters;
    this.#context.terminal.record({
      ok: true,
      result: exit?.kind === "ok" ? plainResult(exit.value) : null,
      tasks: { spawned, finished, failed, cancelled, killed },
      switches,
      throttled,
      elapsedMs: Math.round(performance.now() - this.#startedMs),
    });
    return EXIT.ok;
  }
}

/** All tasks have ended, in the same slice as the main one perhaps: that one decides. */
function settled(exit: Exit | undefined, main: TaskId): void {
  if (exit !== undefined && exit.kind !== "ok") throw mainFailure(main, exit);
}

function mainFailure(main: TaskId, exit: Exclude<Exit, { kind: "ok" }>): TaskFailedError {
  const task = { id: main, name: "main", path: "/0" };
  if (exit.kind === "failed") return new TaskFailedError(task, describeThrown(exit.error), exit.error);
  const why = exit.reason === undefined ? "" : `: ${describeThrown(exit.reason).text}`;
  return new TaskFailedError(
    task,
    { text: `it was ${exit.kind}${why}`, at: undefined, code: undefined },
    exit.reason,
  );
}
