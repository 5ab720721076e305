/**
 * The parts of one node that run: starting, stopping, and handing each message and event to the part it is for.
 *
 * PA1. Parts start in the order of the table and stop in reverse; a part that fails to start leaves nothing behind.
 * PA2. A stopped part has no timer, handler or listener left, and may start again.
 * PA3. A kind belongs to at most one running part.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { TimerHandle, TimerOptions, Timers, TrafficClass } from "@glia-os/abi/ports";
import type { Envelope, Kind } from "./codec/envelope.ts";
import { InvalidOptionError } from "./errors.ts";
import type { Part, PartContext } from "./part.ts";
import {
  PART_FACTORIES,
  PART_NAMES,
  PART_PRESETS,
  type PartFaces,
  type PartName,
  type PartPreset,
  type PartSurroundings,
} from "./part-table.ts";
import type { Peer } from "./peers/sessions.ts";

/** What every part's context is made of: the node's own, which outlives the part. */
export interface PartHost {
  readonly context: Omit<PartContext, "handle" | "onEvent">;
  /** Answer a method; the result ends it. */
  handle(...args: Parameters<PartContext["handle"]>): () => void;
  /** Listen to events; the result ends it. */
  onEvent(...args: Parameters<PartContext["onEvent"]>): () => void;
  readonly surroundings: Omit<PartSurroundings, "running">;
}

interface Running {
  readonly part: Part;
  /** Take back everything the part registered (PA2). */
  release(): void;
}

/** The parts a setting means. @throws {InvalidOptionError} for a name that is none. */
export function chosenParts(choice: PartPreset | readonly PartName[] | undefined): readonly PartName[] {
  if (choice === undefined) return PART_PRESETS.agents;
  if (typeof choice !== "string") {
    const unknown = choice.find((name) => !PART_NAMES.includes(name));
    if (unknown !== undefined)
      throw new InvalidOptionError("parts", `${unknown} is none of ${PART_NAMES.join(", ")}`);
    return choice;
  }
  if (!Object.hasOwn(PART_PRESETS, choice))
    throw new InvalidOptionError("parts", `${choice} is none of ${Object.keys(PART_PRESETS).join(", ")}`);
  return PART_PRESETS[choice];
}

/** The running parts of one node. */
export class Parts {
  readonly #host: PartHost;
  readonly #running = new Map<PartName, Running>();
  readonly #starts = new Map<PartName, number>();
  readonly #byKind = new Map<Kind, Part>();

  constructor(host: PartHost) {
    this.#host = host;
  }

  /** Names of the parts that run, in the order of the table. */
  names(): PartName[] {
    return PART_NAMES.filter((name) => this.#running.has(name));
  }

  /** The face of a part that runs. */
  face<Name extends PartName>(name: Name): PartFaces[Name] | undefined {
    return this.#running.get(name)?.part.face as PartFaces[Name] | undefined;
  }

  /** Start those that do not run (PA1). */
  start(names: readonly PartName[]): void {
    for (const name of PART_NAMES) if (names.includes(name) && !this.#running.has(name)) this.#startOne(name);
  }

  /** End in order, then for good; flushing must be safe to cut short. */
  async close(name: PartName): Promise<void> {
    const running = this.#running.get(name);
    await running?.part.close?.();
    if (this.#running.get(name) === running) this.#stopOne(name);
  }

  /** Flush every part that can. */
  async flush(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ part }) => part.close?.()));
  }

  /** Stop all, last started first (PA1). */
  stop(): void {
    for (const name of this.names().reverse()) this.#stopOne(name);
  }

  /** Give a message to its part; whether one takes its kind. */
  receive(peer: Peer, trafficClass: TrafficClass, envelope: Envelope): boolean {
    const part = this.#byKind.get(envelope.kind);
    part?.receive?.(peer, trafficClass, envelope);
    return part !== undefined;
  }

  peerLost(node: NodeId): void {
    for (const { part } of this.#running.values()) part.peerLost?.(node);
  }

  drained(node: NodeId): void {
    for (const { part } of this.#running.values()) part.drained?.(node);
  }

  #startOne(name: PartName): void {
    const ends: (() => void)[] = [];
    const release = (): void => {
      for (const end of ends.splice(0).reverse()) end();
    };
    const { context, handle, onEvent, surroundings } = this.#host;
    const timers = new OwnTimers(context.timers);
    ends.push(() => timers.end());
    let part: Part | undefined;
    try {
      part = PART_FACTORIES[name](
        {
          ...context,
          timers,
          random: context.random.fork(this.#life(name)),
          handle: (...args) => void ends.push(handle(...args)),
          onEvent: (...args) => void ends.push(onEvent(...args)),
        },
        { ...surroundings, running: (other) => this.face(other) },
      );
    } catch (error) {
      release();
      throw error;
    }
    if (part === undefined) {
      release();
      return;
    }
    for (const kind of part.kinds ?? []) this.#byKind.set(kind, part);
    this.#running.set(name, { part, release });
  }

  /** A name for this life of a part: ids it draws must not be those of an earlier life. */
  #life(name: PartName): string {
    const starts = (this.#starts.get(name) ?? 0) + 1;
    this.#starts.set(name, starts);
    return starts === 1 ? name : `${name} ${starts}`;
  }

  #stopOne(name: PartName): void {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    for (const kind of running.part.kinds ?? []) this.#byKind.delete(kind);
    running.part.stop();
    running.release();
  }
}

/** Timers that end with their owner. */
class OwnTimers implements Timers {
  readonly #timers: Timers;
  readonly #set = new Set<TimerHandle>();
  #ended = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  schedule(delayMs: number, fire: () => void, options?: TimerOptions): TimerHandle {
    if (this.#ended) return { cancel: () => undefined };
    const taken = (): void => {
      this.#set.delete(handle);
      fire();
    };
    const inner = this.#timers.schedule(delayMs, taken, options);
    const handle: TimerHandle = {
      cancel: () => {
        this.#set.delete(handle);
        inner.cancel();
      },
    };
    this.#set.add(handle);
    return handle;
  }

  end(): void {
    this.#ended = true;
    for (const timer of [...this.#set]) timer.cancel();
  }
}
