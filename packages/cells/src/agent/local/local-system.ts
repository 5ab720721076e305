/**
 * Agents in this thread, each a task of a kernel: scheduled by priority, budgeted, killed, traced and dumped like every task.
 *
 * LS1. The system does nothing by itself: it works in slices of the kernel, which its shell runs.
 * LS2. `close` ends every agent; the kernel goes on.
 */
import type { Clock, Logger, Random, Timers } from "@glia-os/abi/ports";
import { createKernel, type Kernel, type TaskId, type SpawnOptions as TaskOptions } from "@glia-os/kernel";
import type { AgentContext, AskOptions, SpawnOptions } from "../context.ts";
import { AgentDesk, DESK, routineAgent } from "../desk.ts";
import { BadArgumentError, PausedTooLongError, PlaceUnknownError, UnknownAgentError } from "../errors.ts";
import type { AnyAgent, SpawnInputOf } from "../kind.ts";
import type { MessageRecord } from "../message-record.ts";
import { passable } from "../plain-value.ts";
import { checkSpawn } from "../process-context.ts";
import { type AgentRef, type AgentTarget, isAgentId, isAgentName } from "../reference.ts";
import type { AgentRoutine } from "../routine.ts";
import type { AgentEnd, AgentObservation, AgentReport, AgentSystem } from "../system.ts";
import type { LocalAgent } from "./local-agent.ts";
import { LocalOutside } from "./local-outside.ts";
import { pump } from "./own-pump.ts";

const UPGRADE_TIMEOUT_MS = 5000;
const AGENTS_SHOWN = 1000;
/** A kernel of one's own must have room for a million agents: two handles each, and the shell holds one of them. */
const OWN_HANDLES = 4_194_304;
const OWN_TASKS = 2_097_152;

/** What a system of this thread is made with. */
export type LocalSystemOptions = LocalSystemShared &
  (
    | {
        /** A kernel that somebody runs, for example `runKernel` of `@glia-os/host`. */ readonly kernel: Kernel;
      }
    | { readonly kernel?: undefined; readonly random: Random; readonly timers: Timers }
  );

interface LocalSystemShared {
  /** The clock the kernel has. */
  readonly clock: Clock;
  readonly logger?: Logger;
  /** How the task of an agent is made: its priority, budget, account, share. Default: as the shell's tasks. */
  readonly task?: (definition: AnyAgent) => Omit<TaskOptions, "give" | "name">;
}

/** A system of agents in this thread. */
export interface LocalAgentSystem extends AgentSystem {
  /** The kernel that the agents are tasks of. */
  readonly kernel: Kernel;
  /** The task of an agent; undefined when it is not there. */
  taskOf(ref: AgentRef): TaskId | undefined;
}

/** See `LocalAgentSystem`. */
class LocalSystem implements LocalAgentSystem {
  readonly kernel: Kernel;
  readonly observe: AgentObservation;
  readonly #outside: LocalOutside;
  #desk: AgentDesk | null = null;
  #deskAgent: LocalAgent | null = null;
  #closed: Promise<void> | null = null;

  constructor(kernel: Kernel, outside: LocalOutside) {
    this.kernel = kernel;
    this.#outside = outside;
    this.observe = new LocalObservation(outside);
  }

  run<Result>(routine: (ctx: AgentContext) => AgentRoutine<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { kind, result } = routineAgent(routine);
      const agent = this.#outside.make(kind, {});
      agent.deliver({ kind: "tell", from: undefined, correlation: 0, message: "run", input: undefined });
      result.then(resolve, reject);
    });
  }

  async spawn<Def extends AnyAgent>(
    definition: Def,
    options: SpawnOptions<SpawnInputOf<Def>> = {},
  ): Promise<AgentRef<Def>> {
    return this.spawnHere(definition, options) as AgentRef<Def>;
  }

  /** Make an agent at once. */
  spawnHere(definition: AnyAgent, options: SpawnOptions): AgentRef {
    checkSpawn(definition, options);
    if (options.on !== undefined)
      throw new PlaceUnknownError(options.on, "the system has one place, this thread");
    const input = passable(options.input);
    return this.#outside.make(definition, input === options.input ? options : { ...options, input }).ref;
  }

  ref<Def extends AnyAgent>(_definition: Def, nameOrId: string): AgentTarget<Def> {
    if (isAgentId(nameOrId)) return { id: nameOrId };
    if (isAgentName(nameOrId)) return nameOrId;
    throw new BadArgumentError(
      "name or id",
      "it must be 32 hexadecimal characters, or 1 to 64 of a-z 0-9 - . _",
    );
  }

  async find<Def = unknown>(name: string): Promise<AgentRef<Def> | undefined> {
    return this.#outside.names.get(name)?.ref as AgentRef<Def> | undefined;
  }

  async tell(to: AgentTarget, message: string, input?: unknown): Promise<void> {
    this.#talk().tell(to, message, input);
  }

  ask(to: AgentTarget, message: string, input?: unknown, options?: AskOptions): Promise<never> {
    return this.#talk().ask(to, message, input, options) as Promise<never>;
  }

  stream(
    to: AgentTarget,
    message: string,
    input?: unknown,
    options?: AskOptions,
  ): AsyncIterableIterator<never, never> {
    return this.#talk().stream(to, message, input, options) as AsyncIterableIterator<never, never>;
  }

  async stop(ref: AgentRef): Promise<void> {
    const agent = this.#outside.agents.get(ref.id);
    if (agent === undefined) return;
    await new Promise<void>((resolve) => {
      const heard = (end: AgentEnd): void => {
        if (end.ref.id !== ref.id) return;
        this.#outside.endListeners.delete(heard);
        resolve();
      };
      this.#outside.endListeners.add(heard);
      agent.stop("stopped");
    });
  }

  async pause(ref: AgentRef): Promise<void> {
    this.#agent(ref).pause();
  }

  async resume(ref: AgentRef): Promise<void> {
    this.#agent(ref).resume();
  }

  upgrade(ref: AgentRef, definition: AnyAgent, timeoutMs: number = UPGRADE_TIMEOUT_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      checkSpawn(definition, {});
      const agent = this.#agent(ref);
      const giveUp = agent.upgrade(definition, (error) => (error === undefined ? resolve() : reject(error)));
      if (!agent.busy) return;
      void this.run(function* (ctx) {
        yield* ctx.sleep(timeoutMs);
        giveUp();
        reject(new PausedTooLongError(ref, timeoutMs));
      }).catch(reject);
    });
  }

  taskOf(ref: AgentRef): TaskId | undefined {
    return this.#outside.agents.get(ref.id)?.task;
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const { agents } = this.#outside;
      this.#outside.closing = resolve;
      if (agents.size === 0) resolve();
      for (const agent of [...agents.values()]) agent.stop("shutdown");
    });
    return this.#closed;
  }

  #agent(ref: AgentRef): LocalAgent {
    const agent = this.#outside.agents.get(ref.id);
    if (agent === undefined) throw new UnknownAgentError(ref);
    return agent;
  }

  #talk(): AgentDesk {
    if (this.#desk === null || this.#deskAgent?.lifecycle === "terminated") {
      this.#deskAgent = this.#outside.make(DESK, {});
      this.#desk = new AgentDesk(this.#deskAgent);
    }
    return this.#desk;
  }
}

/** Looking at the agents of this thread. */
class LocalObservation implements AgentObservation {
  readonly #outside: LocalOutside;

  constructor(outside: LocalOutside) {
    this.#outside = outside;
  }

  async agent(ref: AgentRef): Promise<AgentReport | undefined> {
    const agent = this.#outside.agents.get(ref.id);
    return agent === undefined ? undefined : reportOf(agent);
  }

  async agents(limit: number = AGENTS_SHOWN): Promise<readonly AgentReport[]> {
    const reports: AgentReport[] = [];
    for (const agent of this.#outside.agents.values()) {
      if (reports.length >= limit) break;
      reports.push(reportOf(agent));
    }
    return reports;
  }

  async log(ref: AgentRef, entries?: number): Promise<void> {
    this.#agent(ref).keepLog(entries ?? 256);
  }

  async messages(ref: AgentRef): Promise<readonly MessageRecord[]> {
    return this.#agent(ref).messageLog();
  }

  ends(listener: (end: AgentEnd) => void): () => void {
    this.#outside.endListeners.add(listener);
    return () => {
      this.#outside.endListeners.delete(listener);
    };
  }

  #agent(ref: AgentRef): LocalAgent {
    const agent = this.#outside.agents.get(ref.id);
    if (agent === undefined) throw new UnknownAgentError(ref);
    return agent;
  }
}

function reportOf(agent: LocalAgent): AgentReport {
  return {
    ref: agent.ref,
    kind: agent.definition.name,
    version: agent.definition.version,
    state: agent.lifecycle,
    waiting: agent.waiting,
    dropped: agent.dropped,
    children: agent.children(),
    profile: agent.profile(),
    place: "here",
  };
}

/** Agents in this thread: over a kernel that somebody runs, or over one of its own. */
export function createLocalSystem(options: LocalSystemOptions): LocalAgentSystem {
  const { clock, logger, task } = options;
  const kernel =
    options.kernel ??
    createKernel({
      clock,
      random: options.random,
      handleLimit: OWN_HANDLES,
      taskLimit: OWN_TASKS,
      timers: "wheel",
    });
  if (options.kernel === undefined) pump(kernel, options.timers);
  return new LocalSystem(kernel, new LocalOutside({ kernel, clock, logger, task }));
}
