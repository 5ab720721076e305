/**
 * Routed envelopes: messages to a node there is no direct way to, passed on by relays (docs/spec/routed.md).
 *
 * RO1. The time to live falls with every hop; more than {@link HOPS_MAX} hops, or a node met twice, and the batch is refused.
 * RO2. A node acts on a batch once: the destination delivers it once, a relay passes it on once. A repetition at the destination counts as
 *      delivered, because it was.
 * RO3. A batch is passed to one node after the other until one brings it to the destination, at most {@link ATTEMPTS_MAX}: never to
 *      several at once.
 * RO4. Only relays and core nodes pass on. Nobody passes on what the source did not sign, or what has expired.
 * RO5. What waits to be sent is bounded per destination and in all.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import { CLOCK_SKEW_MS } from "../admission/certificate.ts";
import type { CallHandler, CallOptions } from "../mesh-types.ts";
import { MessageRefusedError, NoRouteError, NotServingError, OverlayLimitError } from "../overlay-errors.ts";
import { ReplayWindows } from "./replay-window.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_MESSAGES_MAX,
  forwardBody,
  HOPS_MAX,
  type RoutedBatches,
  type RoutedMessage,
  readForward,
  TOPIC_MAX,
} from "./routed-batch.ts";

/** Next hops tried per node. */
export const ATTEMPTS_MAX = 3;
/** Destinations with messages that wait. */
export const DESTINATIONS_MAX = 1024;
/** Messages that wait per destination. */
export const WAITING_MAX = 1024;
/** Life of a batch in milliseconds. */
export const BATCH_LIFE_MS = 60_000;
/** Most time a batch may take, in milliseconds. */
export const ROUTE_MS = 30_000;
/** The direct way is given up after this, in milliseconds. */
export const DIRECT_MS = 2000;
const BUDGET_MIN_MS = 20;
/** The one method. */
export const FORWARD_METHOD = "route.forward";

/** What a router works with. */
export interface RouterOptions {
  readonly self: NodeId;
  readonly bootEpoch: number;
  readonly clock: Clock;
  readonly batches: RoutedBatches;
  /** Whether this node passes messages on (RO4). */
  readonly forwards: boolean;
  /** Whether a session with the node is open. */
  readonly connected: (node: NodeId) => boolean;
  /** Members that pass messages on, the best first. */
  readonly relays: () => readonly NodeId[];
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
}

/** Takes what arrives under a topic. */
export type Receive = (from: NodeId, payload: Uint8Array) => void;

/** Counts since the start. */
export interface RouterStats {
  readonly sent: number;
  readonly delivered: number;
  readonly forwarded: number;
  readonly repeated: number;
  readonly refused: number;
  readonly hopsMax: number;
}

interface Waiting {
  readonly message: RoutedMessage;
  readonly settle: (error?: unknown) => void;
}

/** The router of one node. */
export class Router {
  readonly #o: RouterOptions;
  readonly #seen = new ReplayWindows();
  readonly #topics = new Map<string, Receive>();
  readonly #queues = new Map<NodeId, Waiting[]>();
  #seq = 0;
  #stopped = false;
  #stats = { sent: 0, delivered: 0, forwarded: 0, repeated: 0, refused: 0, hopsMax: 0 };

  constructor(options: RouterOptions) {
    this.#o = options;
  }

  /** The method to answer. */
  methods(): [string, CallHandler][] {
    return [[FORWARD_METHOD, async ({ node }, body) => this.#receive(node, body)]];
  }

  /** Take what arrives under a topic from now on; the result ends it. One receiver per topic. @throws {OverlayLimitError}. */
  on(topic: string, receive: Receive): () => void {
    if (topic.length < 1 || topic.length > TOPIC_MAX)
      throw new OverlayLimitError("characters of a topic", TOPIC_MAX);
    if (this.#topics.has(topic)) throw new OverlayLimitError(`receivers of topic ${topic}`, 1);
    this.#topics.set(topic, receive);
    return () => void this.#topics.delete(topic);
  }

  /** Counts for people and meters. */
  stats(): RouterStats {
    return { ...this.#stats };
  }

  /** End: what waits is refused. */
  stop(): void {
    this.#stopped = true;
    for (const queue of this.#queues.values())
      for (const { settle } of queue) settle(new MessageRefusedError("the node stops"));
    this.#queues.clear();
  }

  /**
   * Send a message to a node, over whoever brings it there. Resolves when the destination has it. What was not confirmed may have been
   * delivered once. @throws {NoRouteError}, {OverlayLimitError}, {MessageRefusedError}.
   */
  send(to: NodeId, topic: string, payload: Uint8Array): Promise<void> {
    if (topic.length < 1 || topic.length > TOPIC_MAX)
      return Promise.reject(new OverlayLimitError("characters of a topic", TOPIC_MAX));
    if (payload.length > BATCH_BYTES_MAX)
      return Promise.reject(new OverlayLimitError("bytes of a routed message", BATCH_BYTES_MAX));
    if (this.#stopped) return Promise.reject(new MessageRefusedError("the node stops"));
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
      const queue = this.#queues.get(to);
      if (queue !== undefined && queue.length >= WAITING_MAX)
        return settle(new OverlayLimitError("messages that wait for one node", WAITING_MAX));
      if (queue !== undefined) queue.push({ message: { topic, payload }, settle });
      else if (this.#queues.size >= DESTINATIONS_MAX)
        settle(new OverlayLimitError("nodes with messages that wait", DESTINATIONS_MAX));
      else {
        this.#queues.set(to, [{ message: { topic, payload }, settle }]);
        // Messages of one turn share a batch, and so a signature.
        void Promise.resolve().then(() => this.#drain(to));
      }
    });
  }

  async #drain(to: NodeId): Promise<void> {
    for (
      let queue = this.#queues.get(to);
      queue !== undefined && queue.length > 0;
      queue = this.#queues.get(to)
    ) {
      const batch = takeBatch(queue);
      try {
        await this.#sendBatch(
          to,
          batch.map(({ message }) => message),
        );
        for (const { settle } of batch) settle();
      } catch (error) {
        for (const { settle } of batch) settle(error);
      }
    }
    this.#queues.delete(to);
  }

  async #sendBatch(to: NodeId, messages: readonly RoutedMessage[]): Promise<void> {
    const { self, bootEpoch, clock, batches } = this.#o;
    this.#stats.sent += messages.length;
    if (to === self) {
      for (const message of messages) this.#deliver(self, message);
      return;
    }
    const expiresMs = Math.floor(clock.wallMs()) + BATCH_LIFE_MS;
    const batch = batches.sign({ to, boot: bootEpoch, seq: ++this.#seq, expiresMs, messages });
    await this.#bring(to, { ttl: HOPS_MAX, path: [], budgetMs: ROUTE_MS, batch }, ROUTE_MS);
  }

  /** Give a batch to one node after the other until one brings it to its destination (RO3). */
  async #bring(
    to: NodeId,
    { ttl, path, batch }: ReturnType<typeof readForward>,
    budgetMs: number,
  ): Promise<void> {
    const { self, connected, relays, call, clock } = this.#o;
    if (ttl < 1 || path.length >= HOPS_MAX) throw new MessageRefusedError(`it made ${HOPS_MAX} hops`);
    const passed = new Set<NodeId>([self, ...path]);
    const relay = relays().filter((node) => node !== to && !passed.has(node));
    const near = relay.filter(connected);
    // The source, or whoever has a session, tries the direct way first; on the way a relay that is there comes before a dial that may fail.
    const first =
      path.length === 0 || connected(to) ? [to, ...near] : [...near.slice(0, ATTEMPTS_MAX - 1), to];
    const ways = [...first, ...relay.filter((node) => !connected(node))];
    const deadlineMs = clock.monotonicMs() + budgetMs;
    let last = "nobody passes messages on";
    for (const next of ways.slice(0, ATTEMPTS_MAX)) {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs < BUDGET_MIN_MS) break;
      const timeoutMs = next === to ? Math.min(DIRECT_MS, leftMs / 3) : leftMs;
      const body = forwardBody({
        ttl: ttl - 1,
        path: [...path, self],
        // The next hop gives up before this one does.
        budgetMs: Math.floor(timeoutMs * 0.9),
        batch,
      });
      try {
        await call(next, FORWARD_METHOD, body, { timeoutMs });
        return;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
    }
    throw new NoRouteError(to, last);
  }

  async #receive(from: NodeId, body: Uint8Array): Promise<Uint8Array> {
    const forwarded = readForward(body);
    const { self, forwards, batches, clock } = this.#o;
    const heard = batches.read(forwarded.batch);
    const { batch, source } = heard;
    const here = batch.to === self;
    try {
      if (!here && !forwards) throw new NotServingError("messages to others");
      this.#check(from, source, forwarded.path, batch.expiresMs - clock.wallMs());
      const verdict = this.#seen.check(source, batch.boot, batch.seq);
      if (verdict === "repeated" && here) {
        this.#stats.repeated++;
        return new Uint8Array(0);
      }
      if (verdict !== "new") throw new MessageRefusedError(`batch ${batch.seq} of its source is ${verdict}`);
      heard.verify();
      this.#seen.admit(source, batch.boot, batch.seq);
    } catch (error) {
      this.#stats.refused++;
      throw error;
    }
    if (here) {
      this.#stats.hopsMax = Math.max(this.#stats.hopsMax, forwarded.path.length);
      for (const message of batch.messages) this.#deliver(source, message);
      return new Uint8Array(0);
    }
    await this.#bring(batch.to, forwarded, forwarded.budgetMs);
    this.#stats.forwarded++;
    return new Uint8Array(0);
  }

  #check(from: NodeId, source: NodeId, path: readonly NodeId[], leftMs: number): void {
    if (path[0] !== source || path.at(-1) !== from)
      throw new MessageRefusedError("its path does not begin at its source and end at its last hop");
    if (path.includes(this.#o.self)) throw new MessageRefusedError("it was here before");
    if (leftMs < -CLOCK_SKEW_MS) throw new MessageRefusedError("it has expired");
    if (leftMs > BATCH_LIFE_MS + CLOCK_SKEW_MS) throw new MessageRefusedError("it expires too late");
  }

  #deliver(from: NodeId, { topic, payload }: RoutedMessage): void {
    this.#stats.delivered++;
    this.#topics.get(topic)?.(from, payload);
  }
}

/** The first messages of a queue that fit one batch. */
function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const { message } of queue) {
    if (count >= BATCH_MESSAGES_MAX || bytes + message.payload.length > BATCH_BYTES_MAX) break;
    bytes += message.payload.length;
    count++;
  }
  return queue.splice(0, count);
}
