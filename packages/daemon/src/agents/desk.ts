/**
 * What a node keeps for one sender, an agent or a program outside: its post, the names it sends to, and its subscriptions.
 *
 * DK1. Messages to one name leave in the order of `send`, also while the name is looked up.
 * DK2. A name means the same agent until a message to that agent is lost, or messages to {@link NAMES_MAX} others were sent since; then it is
 *      looked up again.
 * DK3. `pack` gives everything that is not done; `Desk.unpack` of it goes on elsewhere.
 */
import { type AgentId, fromHex, parseAgentId, toHex } from "@glia-os/abi/ids";
import type { TimerHandle } from "@glia-os/abi/ports";
import { BadImageError } from "@glia-os/cells";
import { isAgentId, isAgentName } from "@glia-os/cells/agent";
import { HELD_MESSAGES } from "@glia-os/mesh-core";
import { decode, encode } from "cborg";
import { AgentPost, type AgentPostOptions, type CarriedPost } from "./agent-post.ts";
import { weightOf, weightOfAll } from "./weight.ts";

/** How long what somebody sent who has ended is tried to be delivered. */
export const LEAVE_MS = 60_000;
/** Topics of one sender. */
export const TOPICS_MAX = 256;
/** Names of one sender whose agent is remembered. */
export const NAMES_MAX = 1024;
const VERSION = 1;

/** What a desk needs. */
export interface DeskOptions extends Omit<AgentPostOptions, "lost"> {
  /** Who has a name; undefined for nobody. Rejects when that cannot be known now. */
  findName(name: string): Promise<AgentId | undefined>;
  /** These were not delivered: to an id, or to a name that nobody has. */
  lost(receiver: string, payloads: readonly Uint8Array[], why: Error | undefined): void;
}

interface Named {
  agent: AgentId | undefined;
  readonly waiting: Uint8Array[];
}

/** Children that are remembered, to be ended when their parent cannot do it itself. */
const CHILDREN_MAX = 65_536;

/** Whose child an agent is, and who its children are. */
export interface Family {
  readonly parent: string | undefined;
  readonly children: readonly string[];
}

/** What of a desk moves. */
interface PackedDesk {
  readonly family: Family;
  readonly posts: readonly CarriedPost[];
  readonly named: readonly (readonly [string, readonly Uint8Array[]])[];
  readonly topics: readonly string[];
}

/** One sender's. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #post: AgentPost;
  readonly #names = new Map<string, Named>();
  readonly #topics: Set<string>;
  readonly #parent: string | undefined;
  readonly #children: Set<string>;
  #open = true;
  #left: TimerHandle | undefined;

  constructor(options: DeskOptions, topics: Iterable<string> = [], family?: Family) {
    this.#options = options;
    this.#topics = new Set(topics);
    this.#parent = family?.parent;
    this.#children = new Set(family?.children);
    this.#post = new AgentPost({
      ...options,
      released: (count) => {
        options.released(count);
        if (this.#left !== undefined && this.held === 0) this.close();
      },
      lost: (receiver, payloads, why) => {
        for (const [name, { agent }] of this.#names) if (agent === receiver) this.#names.delete(name);
        options.lost(receiver, payloads, why);
      },
    });
  }

  /** The weight of what is not acknowledged, what waits for names that are looked up included. */
  get held(): number {
    let held = this.#post.held;
    for (const { waiting } of this.#names.values()) held += weightOfAll(waiting);
    return held;
  }

  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  get family(): Family {
    return { parent: this.#parent, children: [...this.#children] };
  }

  /** This sender made an agent. */
  bore(child: string): void {
    if (this.#children.size < CHILDREN_MAX) this.#children.add(child);
  }

  /** A child of this sender is gone. Returns whether it was one. */
  bereft(child: string): boolean {
    return this.#children.delete(child);
  }

  subscribe(topic: string): void {
    if (this.#topics.size < TOPICS_MAX) this.#topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Send to an id or a name (DK1). */
  send(to: string, payload: Uint8Array): void {
    if (isAgentId(to)) {
      this.#give(parseAgentId(to), payload);
      return;
    }
    const known = this.#names.get(to);
    if (known?.agent !== undefined) {
      this.#names.delete(to);
      this.#names.set(to, known);
      this.#give(known.agent, payload);
    } else if (known !== undefined) known.waiting.push(payload);
    else this.#lookUp(to, [payload]);
  }

  /** End everything here and give it as bytes (DK3); undefined when there is nothing. */
  pack(): Uint8Array | undefined {
    this.#open = false;
    const named = [...this.#names].filter(([, { waiting }]) => waiting.length > 0);
    const posts = this.#post.carryAway();
    const { parent, children } = this.family;
    const empty = posts.length + named.length + this.#topics.size + children.length === 0;
    if (empty && parent === undefined) return undefined;
    return encode([
      VERSION,
      posts.map(({ link: { agent, link, next, attempts, held }, waiting }) => [
        fromHex(agent),
        fromHex(link),
        next,
        attempts,
        held,
        waiting,
      ]),
      named.map(([name, { waiting }]) => [name, waiting]),
      [...this.#topics],
      [parent === undefined ? null : fromHex(parent), children.map((child) => fromHex(child))],
    ]);
  }

  /** A desk that goes on with what `pack` gave. @throws {BadImageError}, and nothing was begun then */
  static unpack(bytes: Uint8Array, options: DeskOptions): () => Desk {
    const { posts, named, topics, family } = readDesk(bytes);
    return () => {
      const desk = new Desk(options, topics, family);
      desk.#post.takeUp(posts);
      for (const [name, waiting] of named) desk.#lookUp(name, waiting);
      return desk;
    };
  }

  /** The sender has ended: what it sent still goes out, for a minute at most. */
  leave(): void {
    if (this.held === 0) {
      this.close();
      return;
    }
    this.#left = this.#options.timers.schedule(LEAVE_MS, () => this.close());
  }

  /** End it now; what was not acknowledged is given up. */
  close(): void {
    this.#left?.cancel();
    this.#open = false;
    this.#post.close();
    this.#names.clear();
  }

  #give(to: AgentId, payload: Uint8Array): void {
    try {
      this.#post.send(to, payload);
    } catch (error) {
      this.#options.released(weightOf(payload));
      this.#options.lost(to, [payload], error as Error);
    }
  }

  /** Those that were sent to longest ago; one that is looked up has messages, and its sender is charged for these. */
  #forgetNames(): void {
    let many = this.#names.size - NAMES_MAX;
    if (many <= 0) return;
    for (const [name, { agent }] of this.#names) {
      if (agent === undefined) continue;
      this.#names.delete(name);
      if (--many <= 0) return;
    }
  }

  #lookUp(name: string, waiting: readonly Uint8Array[]): void {
    const entry: Named = { agent: undefined, waiting: [...waiting] };
    this.#names.set(name, entry);
    const settled = (agent: AgentId | undefined, why: Error | undefined): void => {
      if (!this.#open || this.#names.get(name) !== entry) return;
      const payloads = entry.waiting.splice(0);
      entry.agent = agent;
      if (agent !== undefined) {
        for (const payload of payloads) this.#give(agent, payload);
        this.#forgetNames();
        return;
      }
      this.#names.delete(name);
      this.#options.released(weightOfAll(payloads));
      this.#options.lost(name, payloads, why);
    };
    this.#options.findName(name).then(
      (agent) => settled(agent, undefined),
      (error: unknown) => settled(undefined, error as Error),
    );
  }
}

function refuse(why: string): never {
  throw new BadImageError(`its outgoing messages cannot be read: ${why}`);
}

function list(value: unknown, most: number, what: string): readonly unknown[] {
  return Array.isArray(value) && value.length <= most ? value : refuse(`${what} are no list`);
}

function payloads(value: unknown, most: number): readonly Uint8Array[] {
  const found = list(value, most, "messages");
  return found.every((one) => one instanceof Uint8Array)
    ? (found as readonly Uint8Array[])
    : refuse("one is no bytes");
}

function id(value: unknown): string {
  return value instanceof Uint8Array && value.length === 16 ? toHex(value) : refuse("an id is not 16 bytes");
}

function count(value: unknown, least: number): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least
    ? value
    : refuse("a number is out of range");
}

/** Most receivers, and messages that wait for one of them, of a desk that moves. */
const LINES_MAX = 65_536;

function readPost(value: unknown): CarriedPost {
  const [agent, link, next, attempts, held, waiting, ...more] = list(value, 6, "receivers");
  const link_ = {
    agent: parseAgentId(id(agent)),
    link: id(link),
    next: count(next, 1),
    attempts: count(attempts, 0),
    held: payloads(held, HELD_MESSAGES),
  };
  if (more.length > 0 || link_.held.length >= link_.next) refuse("a link holds more than it was given");
  return { link: link_, waiting: payloads(waiting, LINES_MAX) };
}

function readDesk(bytes: Uint8Array): PackedDesk {
  let value: unknown;
  try {
    value = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    refuse("they are not deterministic CBOR");
  }
  const [version, posts, named, topics, family] = list(value, 5, "parts");
  if (version !== VERSION) refuse("their version is unknown to this build");
  const names = list(topics, TOPICS_MAX, "topics");
  if (!names.every(isAgentName)) refuse("a topic is no name");
  const [parent, children] = list(family, 2, "relatives");
  return {
    family: {
      parent: parent === null ? undefined : id(parent),
      children: list(children, CHILDREN_MAX, "children").map(id),
    },
    posts: list(posts, LINES_MAX, "receivers").map(readPost),
    named: list(named, LINES_MAX, "names").map((one) => {
      const [name, waiting] = list(one, 2, "names");
      return isAgentName(name) ? ([name, payloads(waiting, LINES_MAX)] as const) : refuse("a name is none");
    }),
    topics: names as readonly string[],
  };
}
