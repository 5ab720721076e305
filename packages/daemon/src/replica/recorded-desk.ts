/**
 * Does what an agent with a replica asks for: like a desk (agents/desk.ts), with an account of all of it in the agent's log.
 *
 * RD1. Nothing leaves before the entry that it follows from is held: neither an act, nor what a look-up or the question who hears a topic came to.
 * RD2. What ends here without a word (`carryAway`, `stop`) goes on elsewhere under the same links and numbers.
 * RD3. Publications to one topic are handed over in order. A receiver with publications of the weight {@link NEWS_MAX} on the way, or any while all of
 *      them together weigh that much, is left out of the next one. So are those for whom there is no room (OE2).
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { Logger, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { RecordedCell } from "@glia-os/cells";
import type { AgentLinkEvents, CarriedLink, OutgoingLink } from "@glia-os/mesh-core";
import type { AgentAct, ChildRequest } from "../agents/act.ts";
import { AgentPost, type CarriedPost } from "../agents/agent-post.ts";
import { agentRecord } from "../agents/agent-words.ts";
import { LEAVE_MS } from "../agents/desk.ts";
import { hostMessage } from "../agents/host-message.ts";
import { weightOf, weightOfAct, weightOfAll } from "../agents/weight.ts";
import type { ChildIdentity } from "./child-identity.ts";
import type { Outbox, OutLine, Request, Step } from "./outbox.ts";
import { eventBytes, ORDINALS_MAX, type OutboxEvent, type Queue, RECEIVERS_MAX } from "./outbox-event.ts";

/** See RD3. */
export const NEWS_MAX = 2048;

/** What a desk needs of its node. */
export interface RecordedWork {
  readonly timers: Timers;
  readonly logger: Logger;
  open(agent: AgentId, events: AgentLinkEvents, carried: CarriedLink): OutgoingLink;
  findName(name: string): Promise<AgentId | undefined>;
  find(name: string): Promise<unknown>;
  spawn(parent: AgentId, request: ChildRequest, identity: ChildIdentity): Promise<unknown>;
  /** Who hears a topic, on every member. */
  subscribers(topic: string): Promise<ReadonlySet<AgentId>>;
  /** A message of the node to an agent. */
  tell(agent: AgentId, payload: Uint8Array): void;
  /** A message was not delivered. */
  returned(sender: AgentId, receiver: string, payload: Uint8Array): void;
  /** So much weight of an agent is not held any more. */
  released(agent: AgentId, weight: number): void;
}

/** One agent's. */
export class RecordedDesk {
  readonly outbox: Outbox;
  readonly #cell: RecordedCell;
  readonly #work: RecordedWork;
  readonly #posts: Readonly<Record<Queue, AgentPost>>;
  /** Publications that may go, by topic, oldest first. */
  readonly #topics = new Map<string, number[]>();
  #over = false;
  #leaving: { readonly timer: TimerHandle; readonly gone: () => void } | undefined;

  constructor(outbox: Outbox, cell: RecordedCell, work: RecordedWork) {
    this.outbox = outbox;
    this.#cell = cell;
    this.#work = work;
    this.#posts = { post: this.#newPost("post"), news: this.#newPost("news") };
  }

  /** Go on with what the outbox has by now, when it is held (RD1). Requests in it may have been made before. */
  goOn(): void {
    const queues = ["post", "news"] as const;
    const lines = queues.flatMap((queue) =>
      [...this.outbox.lines(queue)].map((line) => ({ queue, carried: carriedOf(line) })),
    );
    const steps = this.outbox.unfinished();
    this.#cell.when(() => {
      for (const { queue, carried } of lines) this.#takeUp(queue, carried);
      for (const step of steps) if (!this.#over) this.#do(step, true);
    });
  }

  #takeUp(queue: Queue, carried: CarriedPost): void {
    if (this.#over) return;
    try {
      this.#posts[queue].takeUp([carried]);
    } catch (error) {
      this.#noLink(queue, carried.link.agent, error);
    }
  }

  #noLink(queue: Queue, to: AgentId, error: unknown): void {
    this.#work.logger.log("warn", "messages of an agent had no link", { to, code: errorCodeOf(error) });
    this.#ended(queue, to, () => undefined);
  }

  /** The agent asked for these (RD1). */
  said(acts: readonly AgentAct[]): void {
    this.#later(this.outbox.acts(acts));
  }

  /** A message is in the agent's mailbox. */
  accepted(payload: Uint8Array): void {
    const request = this.outbox.accepted(payload);
    if (request !== undefined) this.#released(weightOfAct(request));
  }

  /** End everything here without a word, with what is on the way noted in the outbox (RD2). */
  carryAway(): void {
    this.#over = true;
    this.#leaving?.timer.cancel();
    for (const queue of ["post", "news"] as const)
      for (const { link } of this.#posts[queue].carryAway()) {
        const line = this.outbox.line(queue, link.agent);
        if (line !== undefined) line.attempts = link.attempts;
      }
  }

  /** Whether the agent has ended, and what it asked for is still done. */
  get leaving(): boolean {
    return this.#leaving !== undefined;
  }

  /** The agent has ended: what it asked for is still done, for a minute at most; then `gone`. */
  leave(gone: () => void): void {
    const timer = this.#work.timers.schedule(LEAVE_MS, () => this.#close());
    this.#leaving = { timer, gone };
    this.#look();
  }

  #look(): void {
    if (this.#leaving !== undefined && this.outbox.idle) this.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaving?.timer.cancel();
    this.#posts.post.close();
    this.#posts.news.close();
    this.#leaving?.gone();
  }

  #newPost(queue: Queue): AgentPost {
    const { timers, open } = this.#work;
    return new AgentPost({
      timers,
      open: (to, events, carried) => {
        const line = this.outbox.line(queue, to);
        return open(to, events, carried ?? carriedLink(to, line as OutLine, []));
      },
      released: (weight) => {
        if (queue === "post") this.#released(weight);
      },
      // What was on a line that broke is told by the outbox, which knows what had not left, too.
      lost: () => undefined,
      progressed: (to, count) => {
        this.outbox.acknowledged(queue, to, count);
        this.#look();
      },
      mayEnd: (to) => (this.outbox.line(queue, to)?.queue.length ?? 0) === 0,
      ended: (to, close) => this.#ended(queue, to, close),
    });
  }

  /** A line is over: said before anything else leaves to its receiver, and to the receiver when it is held. */
  #ended(queue: Queue, to: AgentId, close: () => void): void {
    if (this.#over) return;
    this.#later(this.#did({ kind: "closed", queue, to }));
    this.#cell.when(close);
  }

  #did(event: OutboxEvent): readonly Step[] {
    this.#cell.did(eventBytes(event));
    return this.outbox.event(event);
  }

  #later(steps: readonly Step[]): void {
    if (steps.length > 0)
      this.#cell.when(() => {
        for (const step of steps) if (!this.#over) this.#do(step, false);
      });
  }

  #do(step: Step, again: boolean): void {
    switch (step.kind) {
      case "send":
        this.#send(step);
        return;
      case "look-up":
        this.#lookUp(step.name);
        return;
      case "lost":
        for (const payload of step.payloads) this.#work.returned(this.#cell.agent, step.to, payload);
        return;
      case "request":
        this.#request(step.ordinal, step.act, again);
    }
  }

  #send({ queue, to, link, payload }: Extract<Step, { kind: "send" }>): void {
    // Its line ended meanwhile: it was told as lost then.
    if (this.outbox.line(queue, to)?.link !== link) {
      if (queue === "post") this.#released(weightOf(payload));
      return;
    }
    try {
      this.#posts[queue].send(to, payload);
    } catch (error) {
      if (queue === "post") this.#released(weightOf(payload));
      this.#noLink(queue, to, error);
    }
  }

  #lookUp(name: string): void {
    const settled = (agent: AgentId | undefined): void => {
      if (!this.#over) this.#later(this.#did({ kind: "named", name, agent }));
    };
    this.#work.findName(name).then(settled, () => settled(undefined));
  }

  #request(ordinal: number, act: Request, again: boolean): void {
    if (act.kind === "publish") {
      this.#publish(act.topic, ordinal);
      return;
    }
    const { request } = act;
    const tell = (answer: { readonly value: unknown } | { readonly error: unknown }): void => {
      if (this.#over) return;
      this.#work.tell(this.#cell.agent, hostMessage({ host: "answer", request, ...answer } as never));
    };
    const suffix = this.outbox.idOf("child", ordinal);
    const work =
      act.kind === "find"
        ? this.#work.find(act.name)
        : this.#work.spawn(this.#cell.agent, act.spawn, { suffix, again });
    work.then(
      (value) => tell({ value }),
      (error: unknown) => tell({ error: agentRecord(error) }),
    );
  }

  /** RD3. */
  #publish(topic: string, ordinal: number): void {
    const waiting = this.#topics.get(topic);
    if (waiting !== undefined) {
      waiting.push(ordinal);
      return;
    }
    const line = [ordinal];
    this.#topics.set(topic, line);
    void this.#handOver(topic, line);
  }

  async #handOver(topic: string, line: number[]): Promise<void> {
    while (line.length > 0) {
      const ordinals = line.splice(0, ORDINALS_MAX);
      const found = await this.#work.subscribers(topic);
      if (this.#over) return;
      const weights = ordinals.map((ordinal) => weightOfRequest(this.outbox, ordinal));
      this.#later(this.#did({ kind: "published", ordinals, to: this.#listeners(topic, found) }));
      this.#released(weights.reduce((sum, weight) => sum + weight, 0));
    }
    this.#topics.delete(topic);
  }

  #listeners(topic: string, found: ReadonlySet<AgentId>): readonly AgentId[] {
    const lines = this.outbox.lines("news");
    const weightTo = (to: AgentId): number => weightOfAll(lines.get(to)?.queue ?? []);
    let all = 0;
    for (const to of lines.keys()) all += weightTo(to);
    const most = all < NEWS_MAX ? NEWS_MAX : 1;
    // Those that have a line first: it is never the others that fill the outbox.
    const quick = [...found].filter((to) => weightTo(to) < most);
    const known = quick.filter((to) => lines.has(to));
    const others = quick.filter((to) => !lines.has(to)).slice(0, Math.max(0, RECEIVERS_MAX - lines.size));
    const heard = [...known, ...others];
    if (quick.length < found.size)
      this.#work.logger.log("warn", "a publication was kept from those that are slow", { topic });
    if (heard.length < quick.length)
      this.#work.logger.log("warn", "a publication has more receivers than one may have", {
        topic,
        left: quick.length - heard.length,
        most: RECEIVERS_MAX,
      });
    return heard;
  }

  #released(weight: number): void {
    this.#work.released(this.#cell.agent, weight);
    this.#look();
  }
}

function weightOfRequest({ parts }: Outbox, ordinal: number): number {
  const act = parts.requests.get(ordinal);
  return act === undefined ? 0 : weightOfAct(act);
}

function carriedOf([to, line]: readonly [AgentId, OutLine]): CarriedPost {
  return { link: carriedLink(to, line, [...line.queue]), waiting: [] };
}

function carriedLink(agent: AgentId, line: OutLine, held: readonly Uint8Array[]): CarriedLink {
  const { link, base, attempts } = line;
  return { agent, link, next: base + held.length, attempts, held };
}
