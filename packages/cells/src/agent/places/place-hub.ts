/**
 * The thread of a system and its workers: who has which name, and the way of envelopes between places.
 *
 * PH1. Names are given out here alone, so no two agents of a system have one.
 * PH2. A worker that is gone took its agents with it: asks to them fail, parents hear that children ended.
 */
import type { Random } from "@glia-os/abi/ports";
import type { SpawnOptions } from "../context.ts";
import type { AgentEnvelope } from "../envelope.ts";
import { errorOf } from "../error-record.ts";
import { AgentEndedError, AgentNameTakenError, BadArgumentError, PlaceUnknownError } from "../errors.ts";
import type { AnyAgent, StopReason } from "../kind.ts";
import type { LocalAgent } from "../local/local-agent.ts";
import type { LocalOutside, Remote } from "../local/local-outside.ts";
import type { Sent } from "../outside.ts";
import { type AgentRef, type AgentTarget, isAgentName } from "../reference.ts";
import { type Method, PlaceLink } from "./place-link.ts";
import { type PlaceMessage, PREFIX_CHARS, type ThreadPort } from "./place-message.ts";

const PLACES_MAX = 256;
/** The place of an agent that may be in any worker. */
const ANYWHERE = "any";

/** One worker. */
interface Place {
  readonly name: string;
  readonly prefix: string;
  readonly link: PlaceLink;
  kinds: ReadonlySet<string>;
}

/** Workers of a system. */
export class PlaceHub implements Remote {
  readonly #outside: LocalOutside;
  readonly #random: Random;
  readonly #places = new Map<string, Place>();
  readonly #byPrefix = new Map<string, Place>();
  /** Names of agents in workers. */
  readonly #names = new Map<string, AgentRef>();

  constructor(outside: LocalOutside, random: Random) {
    this.#outside = outside;
    this.#random = random;
  }

  /** Take a worker in. Resolves when it is ready. @throws {BadArgumentError} */
  join(name: string, port: ThreadPort): Promise<void> {
    if (!isAgentName(name) || name === ANYWHERE || this.#places.has(name) || this.#places.size >= PLACES_MAX)
      throw new BadArgumentError(
        "place",
        `it must be a new name of a-z 0-9 - . _, one of at most ${PLACES_MAX}`,
      );
    const prefix = this.#hex();
    return new Promise((resolve, reject) => {
      const methods = new Map<string, Method>([
        ["claim", (wanted: unknown, ref: unknown) => this.claim(wanted as string, ref as AgentRef)],
        ["find", (wanted: unknown) => this.named(wanted as string) ?? null],
        [
          "spawn",
          (kind: unknown, options: unknown, parent: unknown) => this.#spawnFor(kind, options, parent),
        ],
      ]);
      const link: PlaceLink = new PlaceLink(port, methods, (message) => {
        if (message.is === "ready") {
          place.kinds = new Set(message.kinds);
          resolve();
        } else this.#hear(place, message);
      });
      const place: Place = { name, prefix, link, kinds: new Set() };
      this.#places.set(name, place);
      this.#byPrefix.set(prefix, place);
      const gone = (): void => {
        this.#lost(place);
        reject(new PlaceUnknownError(name, "its worker has ended"));
      };
      port.on("exit", gone);
      port.on("close", gone);
      link.post({ is: "welcome", prefix });
    });
  }

  /** Names of the workers. */
  get places(): readonly string[] {
    return [...this.#places.keys()];
  }

  /** The worker of an agent. */
  linkOf(ref: AgentRef): { readonly name: string; readonly link: PlaceLink } | undefined {
    return this.#byPrefix.get(ref.id.slice(0, PREFIX_CHARS));
  }

  /** Every worker. */
  links(): readonly { readonly name: string; readonly link: PlaceLink }[] {
    return [...this.#places.values()];
  }

  /** Whoever has a name, anywhere. */
  named(name: string): AgentRef | undefined {
    return this.#outside.names.get(name)?.ref ?? this.#names.get(name);
  }

  /** Give a name to an agent of a worker (PH1). @throws {AgentNameTakenError} */
  claim(name: string, ref: AgentRef): void {
    if (this.named(name) !== undefined) throw new AgentNameTakenError(name);
    this.#names.set(name, ref);
  }

  /** Make an agent in a worker. @throws {PlaceUnknownError} {AgentNameTakenError} and what the worker refuses */
  async spawnOn(kind: string, options: SpawnOptions, parent: AgentRef | undefined): Promise<AgentRef> {
    const on = options.on === ANYWHERE ? await this.#leastLoaded() : (options.on ?? "");
    const place = typeof on === "number" ? [...this.#places.values()][on] : this.#places.get(on);
    if (place === undefined) throw new PlaceUnknownError(on, `there are ${this.places.join(", ") || "none"}`);
    if (!place.kinds.has(kind)) throw new PlaceUnknownError(on, `its worker cannot make a ${kind}`);
    const { name } = options;
    const id = place.prefix + this.#hex() + this.#hex() + this.#hex();
    const ref: AgentRef = name === undefined ? { id } : { id, name };
    if (name !== undefined) this.claim(name, ref);
    try {
      await place.link.call("spawn", kind, { name, input: options.input }, ref, parent);
    } catch (error) {
      if (name !== undefined) this.#names.delete(name);
      throw error;
    }
    return ref;
  }

  /** The worker whose agents expect to compute least; among equals the one with the fewest agents, then the first. */
  async #leastLoaded(): Promise<string> {
    const asked = this.links().map(async ({ name, link }) => {
      const [forecast, agents] = (await link.call("load")) as readonly [number, number];
      return { name, forecast, agents };
    });
    const loads = (await Promise.allSettled(asked)).flatMap((one) =>
      one.status === "fulfilled" ? [one.value] : [],
    );
    loads.sort((a, b) => a.forecast - b.forecast || a.agents - b.agents);
    return loads[0]?.name ?? ANYWHERE;
  }

  #spawnFor(kind: unknown, options: unknown, parent: unknown): Promise<AgentRef> {
    return this.spawnOn(kind as string, options as SpawnOptions, parent as AgentRef | undefined);
  }

  // Remote

  send(_speaker: LocalAgent, to: AgentTarget, envelope: AgentEnvelope): Sent {
    const ref = typeof to === "string" ? this.#names.get(to) : to;
    const place = ref === undefined ? undefined : this.linkOf(ref);
    if (place === undefined) return "unknown";
    place.link.post({ is: "envelope", to: ref!.id, envelope });
    return "taken";
  }

  spawn(
    speaker: LocalAgent,
    request: number,
    definition: AnyAgent,
    options: SpawnOptions,
  ): AgentRef | undefined {
    if (options.on === undefined) {
      if (options.name !== undefined && this.#names.has(options.name))
        throw new AgentNameTakenError(options.name);
      return this.#outside.make(definition, options, {
        parent: options.detached === true ? undefined : speaker.ref,
      }).ref;
    }
    const parent = options.detached === true ? undefined : speaker.ref;
    this.spawnOn(definition.name, options, parent).then(
      (ref) => speaker.answer(request, true, ref),
      (error: unknown) => speaker.answer(request, false, error),
    );
    return undefined;
  }

  find(_speaker: LocalAgent, _request: number, name: string): AgentRef | null {
    return this.#names.get(name) ?? null;
  }

  publish(_speaker: LocalAgent, topic: string, envelope: AgentEnvelope): void {
    for (const { link } of this.#places.values()) link.post({ is: "publish", topic, envelope });
  }

  ended(): void {}

  // From workers

  #hear(place: Place, message: PlaceMessage): void {
    if (message.is === "envelope") this.#route(place, message.to, message.envelope);
    else if (message.is === "publish") {
      this.#outside.publishHere(message.topic, message.envelope);
      for (const other of this.#places.values())
        if (other !== place)
          other.link.post({ is: "publish", topic: message.topic, envelope: message.envelope });
    } else if (message.is === "ended") this.#ended(message.ref, message.reason as StopReason, message.error);
  }

  #route(from: Place, to: string, envelope: AgentEnvelope): void {
    const target = isAgentName(to) && to.length !== 32 ? this.named(to) : { id: to };
    const place = target === undefined ? undefined : this.linkOf(target);
    if (place !== undefined) {
      place.link.post({ is: "envelope", to: target!.id, envelope });
      return;
    }
    const bounced = this.#outside.deliver(target?.id ?? to, envelope);
    if (bounced !== undefined && envelope.from !== undefined)
      from.link.post({ is: "envelope", to: envelope.from.id, envelope: bounced });
  }

  #ended(ref: AgentRef, reason: StopReason, record: unknown): void {
    if (ref.name !== undefined && this.#names.get(ref.name)?.id === ref.id) this.#names.delete(ref.name);
    const error = record === undefined ? undefined : errorOf(record);
    for (const listener of this.#outside.endListeners) listener({ ref, reason, error });
  }

  #lost(place: Place): void {
    if (this.#places.get(place.name) !== place) return;
    this.#places.delete(place.name);
    this.#byPrefix.delete(place.prefix);
    place.link.lost(new PlaceUnknownError(place.name, "its worker has ended"));
    for (const [name, ref] of this.#names) if (ref.id.startsWith(place.prefix)) this.#names.delete(name);
    const gone = (ref: AgentRef): boolean => ref.id.startsWith(place.prefix);
    for (const agent of this.#outside.agents.values())
      agent.lost(gone, (ref) => new AgentEndedError(ref, `its worker ${place.name} has ended`));
  }

  #hex(): string {
    return this.#random.uint32().toString(16).padStart(8, "0");
  }
}
