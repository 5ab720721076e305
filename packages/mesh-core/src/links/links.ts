/**
 * All links of one node: the senders to agents anywhere, and delivery to the agents here.
 *
 * LN1. One open link per agent; at most {@link OPEN_LINKS_MAX}.
 * LN2. A batch is offered in order and stops at the first message that is neither accepted nor a duplicate; the answer carries the
 *      cumulative acknowledgement, the reason, and the replies asked for again.
 * LN3. Senders that were told to wait while an agent was frozen are told where it went as soon as that is known.
 * LN4. Links of agents to agents are opened beside those of the node, as many as {@link AGENT_LINKS_MAX}, and may go on elsewhere (LS9).
 * LN5. What an agent keeps on a disk is acknowledged when it is there, and sent again when it could not be kept.
 * LN6. The acknowledgement of a lone ask waits a moment for its reply (held-answers.ts).
 */
import { type AgentId, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Coordination, HostPort, Random, Timers } from "@glia-os/abi/ports";
import type { Envelope } from "../codec/envelope.ts";
import { AgentUnknownError, LinkLimitError } from "../errors.ts";
import type { AgentLocation } from "../mesh-types.ts";
import type { MeshCells, Moved } from "../migration/cells-port.ts";
import type { Peer } from "../peers/sessions.ts";
import { HeldAnswers } from "./held-answers.ts";
import { type CarriedLink, LinkSender, type LinkSenderOptions, type Resolution } from "./link-sender.ts";
import { LINK_ID_BYTES, type LinkId } from "./link-table.ts";
import { LocationCache } from "./location-cache.ts";
import {
  ackBody,
  closeBody,
  dataBody,
  type LinkAck,
  type LinkData,
  type LinkStatus,
  RETRY_MAX_MS,
  readAck,
  readClose,
  readData,
} from "./messages.ts";
import { OpenLink } from "./open-link.ts";

/** Open links of one node. */
export const OPEN_LINKS_MAX = 4096;
/** Open links of the agents of one node (LN4). */
export const AGENT_LINKS_MAX = 65_536;
/** Senders remembered per frozen agent (LN3). */
export const WAITERS_MAX = 1024;
/** A full link table or mailbox is tried again after this, in milliseconds. */
export const BUSY_RETRY_MS = 20;
const NOT_KEPT_RETRY_MS = 5;
const REPLY_BYTES_MAX = 8_388_608;

/** What links need from the node. */
export interface LinksOptions {
  readonly self: NodeId;
  readonly timers: Timers;
  readonly random: Random;
  readonly cells: Pick<MeshCells, "deliver" | "linkClosed"> | undefined;
  coordination(): Coordination;
  /** What members say about where an agent is, which may be old; undefined when nobody says anything. */
  hint?(agent: AgentId): Promise<(AgentLocation & { readonly addresses: readonly HostPort[] }) | undefined>;
  send(node: NodeId, envelope: Envelope): void;
  /** The node that an id stands for by itself, without coordination: that of a mailbox which is no agent. */
  homeOf?(agent: AgentId): NodeId | undefined;
  /** Whether so much waits to be sent to a node that a link should not add to it. */
  congested(node: NodeId): boolean;
  /** Remember where a node listens. */
  addressHint(node: NodeId, address: HostPort): void;
}

/** What the owner of an agent's link hears. */
export interface AgentLinkEvents {
  /** More was acknowledged, and there may be room. */
  onProgress(): void;
  /** The link is over; what was not acknowledged is lost. */
  onBroken(error: Error): void;
}

/** A link from an agent of this node to an agent anywhere (LN4). */
export interface OutgoingLink {
  readonly link: LinkId;
  /** Take a message; false when there is no room (LS2). */
  offer(payload: Uint8Array): boolean;
  /** Messages that are not acknowledged. */
  readonly unacknowledged: number;
  /** End it here and give what another node needs to go on with it. */
  carryAway(): CarriedLink;
  /** End it; when all was acknowledged the agent's node is told. */
  close(): void;
}

/** The links of one node. */
export class Links {
  readonly #o: LinksOptions;
  readonly #locations = new LocationCache();
  readonly #open = new Map<AgentId, { readonly id: LinkId; readonly link: OpenLink }>();
  readonly #outgoing = new Map<LinkId, { readonly agent: AgentId; readonly sender: LinkSender }>();
  readonly #waiters = new Map<AgentId, Map<LinkId, NodeId>>();
  readonly #held: HeldAnswers;

  constructor(options: LinksOptions) {
    this.#o = options;
    this.#held = new HeldAnswers(options.timers, (to, attempt, ack) => this.#answer(to, attempt, ack));
  }

  /** The link to an agent (LN1). @throws {LinkLimitError}. */
  open(agent: AgentId): OpenLink {
    const existing = this.#open.get(agent);
    if (existing !== undefined) return existing.link;
    if (this.#open.size >= OPEN_LINKS_MAX)
      throw new LinkLimitError("the number of open links", OPEN_LINKS_MAX);
    const id = toHex(this.#o.random.bytes(new Uint8Array(LINK_ID_BYTES)));
    const link: OpenLink = new OpenLink({
      ...this.#senderPorts(agent, id),
      onEnd: (tell) => {
        this.#open.delete(agent);
        const owner = link.sender.owner;
        if (tell && owner !== undefined)
          this.#o.send(owner, { kind: "linkClose", requestId: 0, body: closeBody(id, agent) });
      },
    });
    this.#open.set(agent, { id, link });
    return link;
  }

  /** A link of an agent of this node, new or one that was carried here (LN4). @throws {LinkLimitError}. */
  openOutgoing(agent: AgentId, events: AgentLinkEvents, carried?: CarriedLink): OutgoingLink {
    if (this.#outgoing.size >= AGENT_LINKS_MAX)
      throw new LinkLimitError("the number of open links of agents", AGENT_LINKS_MAX);
    const link = carried?.link ?? toHex(this.#o.random.bytes(new Uint8Array(LINK_ID_BYTES)));
    const sender = new LinkSender(
      {
        ...this.#senderPorts(agent, link),
        onRoom: () => undefined,
        onProgress: () => events.onProgress(),
        onBroken: (error) => {
          this.#outgoing.delete(link);
          events.onBroken(error);
        },
      },
      carried,
    );
    this.#outgoing.set(link, { agent, sender });
    if (carried !== undefined) sender.wake();
    return this.#outgoingFace(agent, link, sender);
  }

  #outgoingFace(agent: AgentId, link: LinkId, sender: LinkSender): OutgoingLink {
    const end = (): void => {
      this.#outgoing.delete(link);
      sender.stop();
    };
    return {
      link,
      offer: (payload) => sender.offer(payload) > 0,
      get unacknowledged() {
        const { sent, acknowledged } = sender.stats();
        return sent - acknowledged;
      },
      carryAway: () => {
        const carried = sender.carried();
        end();
        return carried;
      },
      close: () => {
        const { owner, drained } = sender;
        end();
        if (drained && owner !== undefined)
          this.#o.send(owner, { kind: "linkClose", requestId: 0, body: closeBody(link, agent) });
      },
    };
  }

  #senderPorts(agent: AgentId, link: LinkId): Omit<LinkSenderOptions, "onRoom" | "onProgress" | "onBroken"> {
    return {
      agent,
      link,
      timers: this.#o.timers,
      transmit: (owner, attempt, data) =>
        this.#o.send(owner, { kind: "linkData", requestId: attempt, body: dataBody(data) }),
      congested: (owner) => this.#o.congested(owner),
      resolve: (fresh, answer) => void this.#resolve(agent, fresh).then(answer),
    };
  }

  /** Where an agent is. @throws {AgentUnknownError} and what coordination throws. */
  async locate(agent: AgentId): Promise<AgentLocation> {
    const home = this.#home(agent);
    if (home !== undefined) return home;
    return this.#locations.get(agent) ?? (await this.#askMembers(agent)) ?? this.#ask(agent);
  }

  /** A hint from outside, such as a finished move. */
  learn(location: AgentLocation): void {
    this.#locations.learn(location);
  }

  /** One link message from a peer. @throws {MalformedMessageError}. */
  receive(peer: Peer, { kind, requestId, body }: Envelope): void {
    if (kind === "linkData") this.#deliver(peer.node, requestId, readData(body));
    else if (kind === "linkAck") this.#acknowledge(peer.node, requestId, readAck(body));
    else {
      const { link, agent } = readClose(body);
      this.#o.cells?.linkClosed(agent, link);
    }
  }

  /** Push a reply to the node its sender is on. */
  pushReply(to: NodeId, agent: AgentId, link: LinkId, reply: { seq: number; payload: Uint8Array }): void {
    this.#held.reply(to, agent, link, reply);
  }

  /** An agent of this node went elsewhere, or goes on here (LN3). */
  moved(moved: Moved): void {
    this.leaving(moved);
    this.#waiters.delete(moved.agent);
  }

  /** It is about to go there: who waits sends what it has there, and is told what became of it when that is known. */
  leaving({ agent, epoch, owner, address }: Moved): void {
    this.#locations.learn({ agent, epoch, owner });
    for (const [link, node] of this.#waiters.get(agent) ?? [])
      this.#answer(node, 0, {
        link,
        agent,
        next: 0,
        status: { kind: "moved", epoch, owner, address },
        replies: [],
      });
  }

  /** Whether this node sends to an agent, or remembers where it is. O(links of this node). */
  knows(agent: AgentId): boolean {
    if (this.#open.has(agent) || this.#locations.get(agent) !== undefined) return true;
    for (const one of this.#outgoing.values()) if (one.agent === agent) return true;
    return false;
  }

  /** An agent is elsewhere now, says its row: links of this node to it go there at once. */
  relocated({ agent, epoch, owner: said }: AgentLocation): void {
    const { owner } = this.#locations.learn({ agent, epoch, owner: said });
    const open = this.#open.get(agent);
    const senders = [...this.#outgoing.values()]
      .filter((one) => one.agent === agent)
      .map(({ sender }) => sender);
    if (open !== undefined) senders.push(open.link.sender);
    for (const sender of senders) sender.moved(owner);
  }

  /** A node cannot be reached or its session ended. */
  peerLost(node: NodeId): void {
    for (const { link } of [...this.#open.values()]) link.sender.peerLost(node);
    for (const { sender } of [...this.#outgoing.values()]) sender.peerLost(node);
  }

  /** What waited to be sent to a node has gone. */
  drained(node: NodeId): void {
    for (const { link } of [...this.#open.values()]) link.sender.uncongested(node);
    for (const { sender } of [...this.#outgoing.values()]) sender.uncongested(node);
  }

  /** Close every link and wait for it, each at most a second. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ link }) => link.close()));
  }

  /** End every link at once. */
  stop(): void {
    this.#held.stop();
    for (const { link } of [...this.#open.values()]) link.stop();
    for (const { sender } of [...this.#outgoing.values()]) sender.stop();
    this.#outgoing.clear();
  }

  /** One hop instead of the anchor: a hint, and if it is wrong the link asks coordination next. */
  async #askMembers(agent: AgentId): Promise<AgentLocation | undefined> {
    const hint = await this.#o.hint?.(agent).catch(() => undefined);
    if (hint === undefined) return undefined;
    const { owner, epoch, addresses } = hint;
    const [address] = addresses;
    if (address !== undefined && owner !== this.#o.self) this.#o.addressHint(owner, address);
    return this.#locations.learn({ agent, owner, epoch });
  }

  async #ask(agent: AgentId): Promise<AgentLocation> {
    const row = await this.#o.coordination().getAgent(agent);
    // One that is suspended runs nowhere.
    if (row === undefined || row.status !== "running") throw new AgentUnknownError(agent);
    return this.#locations.learn({ agent, owner: row.owner, epoch: row.epoch });
  }

  async #resolve(agent: AgentId, fresh: boolean): Promise<Resolution> {
    try {
      return fresh ? (this.#home(agent) ?? (await this.#ask(agent))) : await this.locate(agent);
    } catch (error) {
      if (error instanceof AgentUnknownError) return "gone";
      // Coordination is away, but running agents go on: the last hint is better than nothing.
      return this.#locations.get(agent) ?? "unknown";
    }
  }

  #acknowledge(from: NodeId, attempt: number, ack: LinkAck): void {
    const sender = this.#senderOf(ack);
    if (sender === undefined) return;
    const { status } = ack;
    if (status.kind !== "moved") {
      if (status.kind === "unknown-agent") this.#locations.forget(ack.agent, from);
      // A mailbox lives on one node only: one that its node does not know is gone.
      if (status.kind === "unknown-agent" && this.#home(ack.agent)?.owner === from) sender.gone();
      sender.acknowledged(attempt, ack);
      return;
    }
    if (status.address !== undefined) this.#o.addressHint(status.owner, status.address);
    // The hint with the highest epoch holds, whichever of two former hosts spoke last.
    const { owner } = this.#locations.learn({ agent: ack.agent, epoch: status.epoch, owner: status.owner });
    sender.acknowledged(attempt, { ...ack, status: { ...status, owner } });
  }

  #home(agent: AgentId): AgentLocation | undefined {
    const owner = this.#o.homeOf?.(agent);
    return owner === undefined ? undefined : { agent, owner, epoch: 1 as AgentLocation["epoch"] };
  }

  #senderOf({ agent, link }: LinkAck): LinkSender | undefined {
    const entry = this.#open.get(agent);
    if (entry?.id === link) return entry.link.sender;
    const outgoing = this.#outgoing.get(link);
    return outgoing?.agent === agent ? outgoing.sender : undefined;
  }

  #deliver(from: NodeId, attempt: number, { link, agent, floor, firstSeq, messages }: LinkData): void {
    const { cells } = this.#o;
    this.#held.release(link);
    const replies: { seq: number; payload: Uint8Array }[] = [];
    let replyBytes = 0;
    let next = 0;
    let kept: Promise<unknown> | undefined;
    let status: LinkStatus = cells === undefined ? { kind: "unknown-agent" } : { kind: "ok" };
    for (const [index, { ask, payload }] of messages.entries()) {
      if (cells === undefined) break;
      const seq = firstSeq + index;
      const verdict = cells.deliver({ agent, link, seq, floor, ask, payload, from });
      if ("next" in verdict) {
        next = verdict.next;
        kept = verdict.kept;
      }
      if (verdict.kind === "accepted") continue;
      if (verdict.kind === "duplicate") {
        const size = verdict.reply?.length ?? 0;
        if (verdict.reply === undefined || replyBytes + size > REPLY_BYTES_MAX || replies.length >= 64)
          continue;
        replyBytes += size;
        replies.push({ seq, payload: verdict.reply });
        continue;
      }
      status = this.#status(verdict, agent, link, from);
      break;
    }
    const ack: LinkAck = { link, agent, next, status, replies };
    const answer = (): void => this.#answer(from, attempt, ack);
    const lone = messages.length === 1 && messages[0]!.ask && status.kind === "ok" && replies.length === 0;
    if (kept === undefined && lone) this.#held.hold(from, attempt, ack);
    else if (kept === undefined) answer();
    else kept.then(answer, () => this.#answerNotKept(from, attempt, { agent, link }));
  }

  /** LN5. */
  #answerNotKept(from: NodeId, attempt: number, { agent, link }: Pick<LinkAck, "agent" | "link">): void {
    this.#wait(agent, link, from);
    const status: LinkStatus = { kind: "retry", retryAfterMs: NOT_KEPT_RETRY_MS };
    this.#answer(from, attempt, { link, agent, next: 0, status, replies: [] });
  }

  #status(
    verdict: Exclude<ReturnType<MeshCells["deliver"]>, { kind: "accepted" | "duplicate" }>,
    agent: AgentId,
    link: LinkId,
    from: NodeId,
  ): LinkStatus {
    switch (verdict.kind) {
      case "moved":
        return { kind: "moved", epoch: verdict.epoch, owner: verdict.owner, address: verdict.address };
      case "busy":
        return { kind: "retry", retryAfterMs: BUSY_RETRY_MS };
      case "retry":
        this.#wait(agent, link, from);
        return { kind: "retry", retryAfterMs: Math.max(1, Math.min(RETRY_MAX_MS, verdict.retryAfterMs)) };
      default:
        return { kind: verdict.kind };
    }
  }

  #wait(agent: AgentId, link: LinkId, from: NodeId): void {
    const waiters = this.#waiters.get(agent) ?? new Map<LinkId, NodeId>();
    if (waiters.size >= WAITERS_MAX) return;
    if (!this.#waiters.has(agent) && this.#waiters.size >= WAITERS_MAX) return;
    waiters.set(link, from);
    this.#waiters.set(agent, waiters);
  }

  #answer(to: NodeId, attempt: number, ack: LinkAck): void {
    this.#o.send(to, { kind: "linkAck", requestId: attempt, body: ackBody(ack) });
  }
}
