/**
 * Broadcast to every member (docs/spec/broadcast.md): pushed on by whoever hears it first to three others, then offered by its id for a
 * while, so that those the push missed ask for it (Demers et al., "Epidemic algorithms for replicated database maintenance", 1987).
 *
 * GB1. Every message is delivered here at most once, told apart by (origin, boot, number), and only if its origin signed it.
 * GB2. A node pushes a message on once, to {@link FANOUT} others; afterwards only those get it that ask.
 * GB3. What is kept to answer them is bounded: {@link KEPT_MAX} messages and {@link KEPT_BYTES_MAX} bytes, until they expire.
 * GB4. Idle, a node offers nothing but once per {@link REPAIR_MS}, and only if it keeps something.
 */
import { fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Clock, Digests, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { CLOCK_SKEW_MS } from "../admission/certificate.ts";
import type { CallHandler, CallOptions } from "../mesh-types.ts";
import { MessageRefusedError, OverlayLimitError } from "../overlay-errors.ts";
import { ReplayWindows } from "../routing/replay-window.ts";
import {
  BROADCAST_PAYLOAD_MAX,
  BROADCAST_TOPIC_MAX,
  type Broadcasts,
  ID_BYTES,
  idsBody,
  OFFER_MAX,
  PUSH_MAX,
  pushBody,
  readIds,
  readPush,
} from "./message.ts";

/** Nodes a message is pushed to. */
export const FANOUT = 3;
/** Nodes that are offered a message per round. */
export const OFFERED = 2;
/** Time between rounds of offers, in milliseconds. */
export const ROUND_MS = 200;
/** Rounds after a message was heard. */
export const ROUNDS = 10;
/** Time between offers when nothing is new, in milliseconds: this repairs what a partition missed. */
export const REPAIR_MS = 10_000;
/** Life of a message in milliseconds. */
export const MESSAGE_LIFE_MS = 120_000;
/** Messages kept. */
export const KEPT_MAX = 1024;
/** Bytes kept. */
export const KEPT_BYTES_MAX = 4_194_304;
/** Ids known. */
export const KNOWN_MAX = 16_384;
const TIMEOUT_MS = 2000;
/** The methods. */
export const CAST_METHODS = { push: "cast.push", offer: "cast.offer" } as const;

/** What a broadcaster works with. */
export interface GossipOptions {
  readonly self: NodeId;
  readonly bootEpoch: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly digests: Digests;
  readonly broadcasts: Broadcasts;
  /** Members thought alive, without this one. */
  readonly peers: () => readonly NodeId[];
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
}

/** Takes what arrives under a topic. */
export type Hear = (origin: NodeId, payload: Uint8Array) => void;

/** Counts since the start. */
export interface GossipStats {
  readonly delivered: number;
  readonly repeated: number;
  readonly refused: number;
  readonly pushed: number;
  readonly kept: number;
}

interface Kept {
  readonly bytes: Uint8Array;
  readonly untilMs: number;
}

/** The broadcaster of one node. */
export class Gossip {
  readonly #o: GossipOptions;
  readonly #seen = new ReplayWindows();
  readonly #kept = new Map<string, Kept>();
  /** Ids heard, also of messages that are kept no more, so that they are not asked for again. */
  readonly #known = new Set<string>();
  readonly #topics = new Map<string, Hear>();
  readonly #stats = { delivered: 0, repeated: 0, refused: 0, pushed: 0 };
  #keptBytes = 0;
  #fresh: Uint8Array[] = [];
  #rounds = 0;
  #timer: TimerHandle | undefined;
  #seq = 0;
  #stopped = false;

  constructor(options: GossipOptions) {
    this.#o = options;
  }

  /** The methods to answer. */
  methods(): [string, CallHandler][] {
    return [
      [CAST_METHODS.push, async ({ role }, body) => this.#pushed(role === "client", body)],
      [CAST_METHODS.offer, async (_caller, body) => this.#offered(body)],
    ];
  }

  /** Begin to offer. */
  start(): void {
    this.#schedule();
  }

  /** End. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#fresh = [];
  }

  /** Hear a topic from now on, this node's own messages too; the result ends it. @throws {OverlayLimitError}. */
  on(topic: string, hear: Hear): () => void {
    if (topic.length < 1 || topic.length > BROADCAST_TOPIC_MAX)
      throw new OverlayLimitError("characters of a topic", BROADCAST_TOPIC_MAX);
    if (this.#topics.has(topic)) throw new OverlayLimitError(`listeners of topic ${topic}`, 1);
    this.#topics.set(topic, hear);
    return () => void this.#topics.delete(topic);
  }

  /** Counts for people and meters. */
  stats(): GossipStats {
    return { ...this.#stats, kept: this.#kept.size };
  }

  /** Send to every member, this one included. @throws {OverlayLimitError}, {MessageRefusedError} after `stop`. */
  send(topic: string, payload: Uint8Array): void {
    if (topic.length < 1 || topic.length > BROADCAST_TOPIC_MAX)
      throw new OverlayLimitError("characters of a topic", BROADCAST_TOPIC_MAX);
    if (payload.length > BROADCAST_PAYLOAD_MAX)
      throw new OverlayLimitError("bytes of a broadcast", BROADCAST_PAYLOAD_MAX);
    if (this.#stopped) throw new MessageRefusedError("the node stops");
    const { clock, bootEpoch, broadcasts } = this.#o;
    const expiresMs = Math.floor(clock.wallMs()) + MESSAGE_LIFE_MS;
    this.#hear(broadcasts.sign({ boot: bootEpoch, seq: ++this.#seq, expiresMs, topic, payload }));
  }

  #pushed(fromClient: boolean, body: Uint8Array): Uint8Array {
    const messages = readPush(body);
    if (fromClient) throw new MessageRefusedError("a client passes nothing on");
    for (const bytes of messages)
      try {
        this.#hear(bytes);
      } catch {
        this.#stats.refused++;
      }
    return new Uint8Array(0);
  }

  #offered(body: Uint8Array): Uint8Array {
    const missing = readIds(body).filter((id) => !this.#known.has(id));
    return idsBody(missing.map((id) => fromHex(id)));
  }

  /** One message, from anywhere (GB1). */
  #hear(bytes: Uint8Array): void {
    const { broadcasts, clock, self } = this.#o;
    const id = this.#idOf(bytes);
    if (this.#known.has(id)) {
      this.#stats.repeated++;
      return;
    }
    const heard = broadcasts.read(bytes);
    const { boot, seq, expiresMs, topic, payload } = heard.message;
    const leftMs = expiresMs - clock.wallMs();
    if (leftMs < -CLOCK_SKEW_MS) throw new MessageRefusedError("it has expired");
    if (leftMs > MESSAGE_LIFE_MS + CLOCK_SKEW_MS) throw new MessageRefusedError("it expires too late");
    if (this.#seen.check(heard.origin, boot, seq) !== "new") {
      this.#stats.repeated++;
      this.#know(id);
      return;
    }
    heard.verify();
    this.#seen.admit(heard.origin, boot, seq);
    this.#keep(id, Uint8Array.from(bytes));
    this.#pushOn(this.#kept.get(id)?.bytes ?? bytes);
    this.#rounds = ROUNDS;
    if (!this.#stopped) this.#schedule();
    this.#stats.delivered++;
    this.#topics.get(topic)?.(heard.origin, heard.origin === self ? payload : Uint8Array.from(payload));
  }

  #keep(id: string, bytes: Uint8Array): void {
    const untilMs = this.#o.clock.monotonicMs() + MESSAGE_LIFE_MS;
    this.#kept.set(id, { bytes, untilMs });
    this.#know(id);
    this.#keptBytes += bytes.length;
    while (this.#kept.size > KEPT_MAX || this.#keptBytes > KEPT_BYTES_MAX) this.#forgetOldest();
  }

  #know(id: string): void {
    this.#known.add(id);
    if (this.#known.size <= KNOWN_MAX) return;
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }

  #forgetOldest(): void {
    for (const [id, { bytes }] of this.#kept) {
      this.#kept.delete(id);
      this.#keptBytes -= bytes.length;
      return;
    }
  }

  /** Push what is new to a few others; what one turn brings goes together (GB2). */
  #pushOn(bytes: Uint8Array): void {
    this.#fresh.push(bytes);
    if (this.#fresh.length > 1) return;
    void Promise.resolve().then(() => {
      const fresh = this.#fresh;
      this.#fresh = [];
      const peers = this.#pick(FANOUT);
      for (let at = 0; at < fresh.length; at += PUSH_MAX)
        for (const peer of peers) this.#give(peer, fresh.slice(at, at + PUSH_MAX));
    });
  }

  #give(peer: NodeId, messages: readonly Uint8Array[]): void {
    this.#stats.pushed += messages.length;
    // Who does not answer is offered the message again by others.
    this.#o
      .call(peer, CAST_METHODS.push, pushBody(messages), { timeoutMs: TIMEOUT_MS })
      .catch(() => undefined);
  }

  #schedule(): void {
    this.#timer?.cancel();
    const delayMs = this.#rounds > 0 ? ROUND_MS : REPAIR_MS;
    this.#timer = this.#o.timers.schedule(delayMs * (0.75 + (this.#o.random.uint32() % 1024) / 2048), () => {
      if (this.#rounds > 0) this.#rounds--;
      this.#schedule();
      this.#offer();
    });
  }

  #offer(): void {
    const nowMs = this.#o.clock.monotonicMs();
    for (const [id, { untilMs, bytes }] of this.#kept) {
      if (untilMs > nowMs) break;
      this.#kept.delete(id);
      this.#keptBytes -= bytes.length;
    }
    const ids = [...this.#kept.keys()].slice(-OFFER_MAX);
    if (ids.length === 0) return;
    const body = idsBody(ids.map((id) => fromHex(id)));
    for (const peer of this.#pick(OFFERED)) this.#offerTo(peer, body).catch(() => undefined);
  }

  async #offerTo(peer: NodeId, body: Uint8Array): Promise<void> {
    const answer = await this.#o.call(peer, CAST_METHODS.offer, body, { timeoutMs: TIMEOUT_MS });
    const wanted = readIds(answer).flatMap((id) => this.#kept.get(id)?.bytes ?? []);
    for (let at = 0; at < wanted.length; at += PUSH_MAX) this.#give(peer, wanted.slice(at, at + PUSH_MAX));
  }

  #pick(count: number): NodeId[] {
    const peers = [...this.#o.peers()];
    const chosen: NodeId[] = [];
    while (chosen.length < count && peers.length > 0) {
      const at = this.#o.random.uint32() % peers.length;
      const last = peers.pop() as NodeId;
      const peer = at < peers.length ? (peers[at] as NodeId) : last;
      if (at < peers.length) peers[at] = last;
      chosen.push(peer);
    }
    return chosen;
  }

  #idOf(bytes: Uint8Array): string {
    return toHex(this.#o.digests.sha256(bytes).subarray(0, ID_BYTES));
  }
}
