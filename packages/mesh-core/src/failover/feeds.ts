/**
 * The feeds of one node, and the beat that tells its replicas that it is there (docs/spec/replica.md).
 *
 * FS2. A replica whose beats are not answered for {@link ANSWER_MS} is given up, also by agents that have nothing to say.
 * FS1. One feed per agent. Every {@link BEAT_MS} each replica is told which feeds go on; not while this node stands still.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { TimerHandle } from "@glia-os/abi/ports";
import { ANSWER_MS } from "./fed-replica.ts";
import { Feed, type FeedOptions } from "./feed.ts";
import { BEAT_FEEDS_MAX, beatBody, type FeedId, REPLICA_METHODS } from "./messages.ts";

/** Between two beats, in milliseconds. */
export const BEAT_MS = 500;

/** What all feeds of a node share. */
export type SharedFeedOptions = Pick<FeedOptions, "clock" | "timers" | "random" | "row" | "call"> & {
  /** Whether agents of this node get on: while they do not, it does not say that it is there. */
  readonly alive: () => boolean;
};

/** What belongs to one feed. */
export type OwnFeedOptions = Omit<FeedOptions, keyof SharedFeedOptions>;

/** Every feed of one node. */
export class Feeds {
  readonly #shared: SharedFeedOptions;
  readonly #feeds = new Map<AgentId, Feed>();
  readonly #answeredMs = new Map<NodeId, number>();
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(shared: SharedFeedOptions) {
    this.#shared = shared;
  }

  /** Every feed there is. */
  all(): Iterable<Feed> {
    return this.#feeds.values();
  }

  /** The feed of an agent. */
  get(agent: AgentId): Feed | undefined {
    return this.#feeds.get(agent);
  }

  /** Begin to feed an agent that has no feed. */
  start(own: OwnFeedOptions): Feed {
    const { alive: _, ...shared } = this.#shared;
    const feed = new Feed({ ...shared, ...own });
    this.#feeds.set(own.agent, feed);
    this.#timer ??= this.#shared.timers.schedule(BEAT_MS, () => this.#beat());
    feed.start();
    return feed;
  }

  /** The agent ended or is elsewhere; `tell`: its replicas drop what they have. Idempotent. */
  end(agent: AgentId, tell: boolean): void {
    this.#feeds.get(agent)?.stop(tell);
    this.#feeds.delete(agent);
  }

  /** This node has another session (RP5). */
  async reassert(): Promise<void> {
    await Promise.all([...this.#feeds.values()].map((feed) => feed.reassert()));
  }

  /** End every feed; replicas keep what they have. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const feed of this.#feeds.values()) feed.stop(false);
    this.#feeds.clear();
  }

  #beat(): void {
    if (this.#stopped) return;
    this.#timer = undefined;
    if (this.#feeds.size === 0) return;
    this.#timer = this.#shared.timers.schedule(BEAT_MS, () => this.#beat());
    if (!this.#shared.alive()) return;
    const nowMs = this.#shared.clock.monotonicMs();
    const nodes = this.#byNode();
    for (const node of this.#answeredMs.keys()) if (!nodes.has(node)) this.#answeredMs.delete(node);
    for (const [node, feeds] of nodes) {
      if (!this.#answeredMs.has(node)) this.#answeredMs.set(node, nowMs);
      if (nowMs - (this.#answeredMs.get(node) ?? nowMs) > ANSWER_MS)
        for (const feed of this.#feeds.values()) feed.silent(node);
      for (let at = 0; at < feeds.length; at += BEAT_FEEDS_MAX) {
        const body = beatBody(feeds.slice(at, at + BEAT_FEEDS_MAX));
        this.#shared.call(node, REPLICA_METHODS.beat, body, { timeoutMs: ANSWER_MS }).then(
          () => this.#answeredMs.set(node, this.#shared.clock.monotonicMs()),
          () => undefined,
        );
      }
    }
  }

  #byNode(): ReadonlyMap<NodeId, FeedId[]> {
    const nodes = new Map<NodeId, FeedId[]>();
    for (const { current } of this.#feeds.values())
      for (const { node, feed } of current) {
        const there = nodes.get(node);
        if (there === undefined) nodes.set(node, [feed]);
        else there.push(feed);
      }
    return nodes;
  }
}
