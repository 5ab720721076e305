/**
 * The worker's side: agents of this thread as a place of a system in another.
 *
 * SA1. A worker makes only the kinds it was given: code never crosses a port, names of kinds do.
 */
import type { Clock, Logger, Random, Timers, Tracer } from "@glia-os/abi/ports";
import { createKernel } from "@glia-os/kernel";
import type { SpawnOptions } from "../context.ts";
import type { AgentEnvelope } from "../envelope.ts";
import { recordOf } from "../error-record.ts";
import { UnknownAgentError, WrongKindError } from "../errors.ts";
import type { AnyAgent } from "../kind.ts";
import type { LocalAgent } from "../local/local-agent.ts";
import { LocalOutside, type Remote } from "../local/local-outside.ts";
import { OWN_KERNEL, pump } from "../local/own-pump.ts";
import { reportOf } from "../local/report.ts";
import type { Sent } from "../outside.ts";
import type { AgentRef, AgentTarget } from "../reference.ts";
import { type Method, PlaceLink } from "./place-link.ts";
import { PREFIX_CHARS, type ThreadPort } from "./place-message.ts";

/** What a worker's agents live on. */
export interface ServeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly logger?: Logger;
  /** Gets spans of messages that leave or come here; a worker has its own. Default: nobody. */
  readonly tracer?: Tracer;
}

/** Everything beyond this worker: the thread of the system. */
class HubRemote implements Remote {
  readonly #outside: LocalOutside;
  link!: PlaceLink;
  prefix = "";

  constructor(outside: LocalOutside) {
    this.#outside = outside;
  }

  send(_speaker: LocalAgent, to: AgentTarget, envelope: AgentEnvelope): Sent {
    const target = typeof to === "string" ? to : to.id;
    if (typeof to !== "string" && target.slice(0, PREFIX_CHARS) === this.prefix) return "unknown";
    this.link.post({ is: "envelope", to: target, envelope });
    return "taken";
  }

  spawn(
    speaker: LocalAgent,
    request: number,
    definition: AnyAgent,
    options: SpawnOptions,
  ): AgentRef | undefined {
    const parent = options.detached === true ? undefined : speaker.ref;
    const { name } = options;
    if (options.on === undefined && name === undefined)
      return this.#outside.make(definition, options, { parent }).ref;
    this.#elsewhere(definition, options, parent).then(
      (ref) => speaker.answer(request, true, ref),
      (error: unknown) => speaker.answer(request, false, error),
    );
    return undefined;
  }

  async #elsewhere(
    definition: AnyAgent,
    options: SpawnOptions,
    parent: AgentRef | undefined,
  ): Promise<AgentRef> {
    const { name, input, on } = options;
    if (on !== undefined)
      return (await this.link.call("spawn", definition.name, { name, input, on }, parent)) as AgentRef;
    const ref = { id: this.#outside.newId(), name: name! };
    await this.link.call("claim", name, ref);
    try {
      return this.#outside.make(definition, options, { parent, ref }).ref;
    } catch (error) {
      this.link.post({ is: "ended", ref, reason: "failed", error: undefined });
      throw error;
    }
  }

  find(speaker: LocalAgent, request: number, name: string): undefined {
    this.link.call("find", name).then(
      (ref) => speaker.answer(request, true, ref ?? undefined),
      (error: unknown) => speaker.answer(request, false, error),
    );
  }

  publish(_speaker: LocalAgent, topic: string, envelope: AgentEnvelope): void {
    this.link.post({ is: "publish", topic, envelope });
  }

  ended(agent: LocalAgent, reason: string, error: unknown): void {
    const record = error === undefined ? undefined : recordOf(error, "the agent");
    this.link.post({ is: "ended", ref: { ...agent.ref }, reason, error: record });
  }
}

/** Be a place: make agents of these kinds when the system asks for them. Call it once, in the worker's main module. */
export function serveAgents(port: ThreadPort, kinds: readonly AnyAgent[], options: ServeOptions): void {
  const { clock, random, timers, logger, tracer } = options;
  const kernel = createKernel({ clock, random, ...OWN_KERNEL });
  pump(kernel, timers);
  const outside = new LocalOutside({ kernel, clock, logger, tracer });
  const remote = new HubRemote(outside);
  const byName = new Map(kinds.map((kind) => [kind.name, kind]));
  remote.link = new PlaceLink(port, methodsOf(outside, byName), (message) => {
    if (message.is === "welcome") {
      remote.prefix = message.prefix;
      outside.prefix = message.prefix;
      remote.link.post({ is: "ready", kinds: [...byName.keys()] });
    } else if (message.is === "publish") outside.publishHere(message.topic, message.envelope);
    else if (message.is === "envelope") {
      const bounced = outside.deliver(message.to, message.envelope);
      const { from } = message.envelope;
      if (bounced !== undefined && from !== undefined)
        remote.link.post({ is: "envelope", to: from.id, envelope: bounced });
    }
  });
  outside.remote = remote;
}

function methodsOf(outside: LocalOutside, kinds: ReadonlyMap<string, AnyAgent>): ReadonlyMap<string, Method> {
  const agentOf = (ref: unknown): LocalAgent => {
    const agent = outside.agents.get((ref as AgentRef).id);
    if (agent === undefined) throw new UnknownAgentError(ref as AgentRef);
    return agent;
  };
  return new Map<string, Method>([
    [
      "spawn",
      (kind, options, ref, parent) => {
        const definition = kinds.get(kind as string);
        if (definition === undefined)
          throw new WrongKindError([...kinds.keys()].join(" or "), kind as string);
        outside.make(definition, options as SpawnOptions, {
          ref: ref as AgentRef,
          parent: parent as AgentRef | undefined,
        });
      },
    ],
    ["stop", (ref) => outside.agents.get((ref as AgentRef).id)?.stop("stopped")],
    ["pause", (ref) => agentOf(ref).pause()],
    ["resume", (ref) => agentOf(ref).resume()],
    [
      "load",
      () => {
        let forecast = 0;
        for (const agent of outside.agents.values()) forecast += agent.profile().forecast;
        return [forecast, outside.agents.size];
      },
    ],
    ["report", (ref) => reportOf(agentOf(ref))],
    [
      "reports",
      (limit) => [...outside.agents.values()].slice(0, limit as number).map((agent) => reportOf(agent)),
    ],
    ["log", (ref, entries) => agentOf(ref).keepLog(entries as number)],
    ["messages", (ref) => agentOf(ref).messageLog()],
    [
      "close",
      () => {
        for (const agent of [...outside.agents.values()]) agent.stop("shutdown");
      },
    ],
  ]);
}
