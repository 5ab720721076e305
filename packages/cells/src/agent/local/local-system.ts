/**
 * Agents in this thread, each a task of a kernel: scheduled by priority, budgeted, killed, traced and dumped like every task.
 *
 * LS1. The system does nothing by itself: it works in slices of the kernel, which its shell runs.
 * LS2. `close` ends every agent; the kernel goes on.
 */
import type { Clock, Logger, Random, Timers, Tracer } from "@glia-os/abi/ports";
import { createKernel, type Kernel, type TaskId, type SpawnOptions as TaskOptions } from "@glia-os/kernel";
import type { AgentContext, AskOptions, SpawnOptions, SystemTellOptions } from "../context.ts";
import { AgentDesk, DESK, routineAgent } from "../desk.ts";
import {
  AgentNameTakenError,
  BadArgumentError,
  PausedTooLongError,
  UnknownAgentError,
  UpgradeFailedError,
} from "../errors.ts";
import type { AnyAgent, SpawnInputOf } from "../kind.ts";
import { PlaceHub } from "../places/place-hub.ts";
import type { ThreadPort } from "../places/place-message.ts";
import { passable } from "../plain-value.ts";
import { checkSpawn } from "../process-context.ts";
import { type AgentRef, type AgentTarget, isAgentId, isAgentName } from "../reference.ts";
import type { AgentRoutine } from "../routine.ts";
import type { AgentEnd, AgentObservation, AgentSystem } from "../system.ts";
import type { LocalAgent } from "./local-agent.ts";
import { LocalObservation } from "./local-observation.ts";
import { LocalOutside } from "./local-outside.ts";
import { OWN_KERNEL, pump } from "./own-pump.ts";

const UPGRADE_TIMEOUT_MS = 5000;
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
  /** Gets spans of the messages between agents (docs/spec/agent-message.md, "Traces"). Default: nobody. */
  readonly tracer?: Tracer;
  /** How the task of an agent is made: its priority, budget, account, share. Default: as the shell's tasks. */
  readonly task?: (definition: AnyAgent) => Omit<TaskOptions, "give" | "name">;
}

/** A system of agents in this thread. */
export interface LocalAgentSystem extends AgentSystem {
  /** The kernel that the agents are tasks of. */
  readonly kernel: Kernel;
  /**
   * Take in a worker that calls `serveAgents`, as a place for `on` of a spawn. Resolves when it is ready. `port`: a `Worker` of
   * `node:worker_threads`, or a port with the same methods. @throws `agent.bad-argument` for a name that is taken
   */
  join(place: string, port: ThreadPort): Promise<void>;
  /** The task of an agent; undefined when it is not in this thread. */
  taskOf(ref: AgentRef): TaskId | undefined;
}

/** See `LocalAgentSystem`. */
class LocalSystem implements LocalAgentSystem {
  readonly kernel: Kernel;
  readonly observe: AgentObservation;
  readonly #outside: LocalOutside;
  readonly #hub: PlaceHub;
  #desk: AgentDesk | null = null;
  #deskAgent: LocalAgent | null = null;
  /** Ends the waits of a kernel of its own. */
  readonly #rest: (() => void) | undefined;
  #closed: Promise<void> | null = null;

  constructor(kernel: Kernel, outside: LocalOutside, rest: (() => void) | undefined) {
    this.kernel = kernel;
    this.#rest = rest;
    this.#outside = outside;
    this.#hub = new PlaceHub(outside, kernel.random.fork("places"));
    this.observe = new LocalObservation(outside, this.#hub);
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
    checkSpawn(definition, options);
    const { name, on } = options;
    const input = passable(options.input) as SpawnInputOf<Def>;
    if (on !== undefined)
      return this.#hub.spawnOn(definition.name, { ...options, input }, undefined) as Promise<AgentRef<Def>>;
    if (name !== undefined && this.#hub.named(name) !== undefined) throw new AgentNameTakenError(name);
    return this.#outside.make(definition, { ...options, input }).ref as AgentRef<Def>;
  }

  join(place: string, port: ThreadPort): Promise<void> {
    this.#outside.remote = this.#hub;
    return this.#hub.join(place, port);
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
    return this.#hub.named(name) as AgentRef<Def> | undefined;
  }

  async tell(to: AgentTarget, message: string, input?: unknown, options?: SystemTellOptions): Promise<void> {
    if (options?.keepMs !== undefined)
      throw new BadArgumentError("keepMs", "a system of one process keeps no message over its end");
    this.#talk().tell(to, message, input, options);
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
    const place = this.#hub.linkOf(ref);
    if (
      agent === undefined &&
      (place === undefined || (await place.link.call("report", ref).catch(() => null)) === null)
    )
      return;
    await new Promise<void>((resolve, reject) => {
      const heard = (end: AgentEnd): void => {
        if (end.ref.id !== ref.id) return;
        this.#outside.endListeners.delete(heard);
        resolve();
      };
      this.#outside.endListeners.add(heard);
      if (agent !== undefined) agent.stop("stopped");
      else place?.link.call("stop", ref).catch(reject);
    });
  }

  async pause(ref: AgentRef): Promise<void> {
    const place = this.#hub.linkOf(ref);
    if (place === undefined) this.#agent(ref).pause();
    else await place.link.call("pause", ref);
  }

  async resume(ref: AgentRef): Promise<void> {
    const place = this.#hub.linkOf(ref);
    if (place === undefined) this.#agent(ref).resume();
    else await place.link.call("resume", ref);
  }

  upgrade(ref: AgentRef, definition: AnyAgent, timeoutMs: number = UPGRADE_TIMEOUT_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      checkSpawn(definition, {});
      const place = this.#hub.linkOf(ref);
      if (place !== undefined)
        throw new UpgradeFailedError(ref, `it is in the worker ${place.name}, which has its own code`);
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
    this.#closed ??= new Promise<void>((resolve) => {
      const { agents } = this.#outside;
      this.#outside.closing = resolve;
      if (agents.size === 0) resolve();
      for (const { link } of this.#hub.links()) void link.call("close").catch(() => {});
      for (const agent of [...agents.values()]) agent.stop("shutdown");
    }).then(() => this.#rest?.());
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

function checkParts(options: unknown): void {
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  const needed = given["kernel"] === undefined ? ["clock", "random", "timers"] : ["clock"];
  const missing = needed.filter((part) => typeof given[part] !== "object" || given[part] === null);
  if (missing.length > 0)
    throw new BadArgumentError("options", `${missing.join(", ")} must be given; \`@glia-os/hal\` makes them`);
}

/** Agents in this thread: over a kernel that somebody runs, or over one of its own. @throws {BadArgumentError} */
export function createLocalSystem(options: LocalSystemOptions): LocalAgentSystem {
  checkParts(options);
  const { clock, logger, tracer, task } = options;
  const kernel = options.kernel ?? createKernel({ clock, random: options.random, ...OWN_KERNEL });
  const rest = options.kernel === undefined ? pump(kernel, options.timers) : undefined;
  return new LocalSystem(kernel, new LocalOutside({ kernel, clock, logger, tracer, task }), rest);
}
