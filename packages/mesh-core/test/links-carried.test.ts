/** Links of agents whose sending end moves too: over channels that lose, double, delay and reorder everything. */
import type { NodeId } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { homeOf, LinkTable, type Member, mailboxId } from "../src/index.ts";
import { type CarriedLink, HELD_MESSAGES, LinkSender } from "../src/links/link-sender.ts";
import type { LinkAck, LinkData } from "../src/links/messages.ts";
import { SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { agentId, numberOf, payload } from "./cluster.ts";

const target = agentId(1);
const LINK = "cd".repeat(16);
const hosts = ["aa", "bb", "cc"].map((id) => id.repeat(32) as NodeId);

/** Two agents on three hosts. Answers go to the host that asked; what comes there for a sender that left is dropped. */
class TwoAgents {
  readonly time = new VirtualTime();
  readonly random: SeededRandom;
  readonly applied: number[] = [];
  readonly broken: Error[] = [];
  readonly #loss: number;
  table = new LinkTable();
  receiverAt = 0;
  receiverFrozen = false;
  senderAt = 0;
  sender: LinkSender | undefined;

  constructor(seed: number, loss: number) {
    this.random = new SeededRandom(seed);
    this.#loss = loss;
    this.sender = this.#open(undefined);
  }

  #open(carried: CarriedLink | undefined): LinkSender {
    const home = this.senderAt;
    const sender: LinkSender = new LinkSender(
      {
        agent: target,
        link: LINK,
        timers: this.time,
        transmit: (owner, attempt, data) => this.#carry(() => this.#arrive(home, owner, attempt, data)),
        congested: () => false,
        resolve: (_fresh, answer) => {
          const host = this.random.fraction() < 0.2 ? this.random.uint32() % 3 : this.receiverAt;
          this.time.schedule(2, () => answer({ owner: hosts[host] as NodeId }));
        },
        onRoom: () => undefined,
        onProgress: () => undefined,
        onBroken: (error) => this.broken.push(error),
      },
      carried,
    );
    return sender;
  }

  #carry(arrive: () => void): void {
    if (this.random.fraction() >= this.#loss) this.time.schedule(1 + this.random.fraction() * 30, arrive);
    if (this.random.fraction() < this.#loss) this.time.schedule(1 + this.random.fraction() * 600, arrive);
  }

  #arrive(from: number, at: NodeId, attempt: number, { floor, firstSeq, messages }: LinkData): void {
    const answer = (next: number, status: LinkAck["status"]): void =>
      this.#carry(() => {
        if (this.senderAt === from)
          this.sender?.acknowledged(attempt, { agent: target, link: LINK, next, status, replies: [] });
      });
    if (hosts.indexOf(at) !== this.receiverAt) {
      const owner = hosts[this.receiverAt] as NodeId;
      answer(0, { kind: "moved", epoch: 2 as never, owner, address: undefined });
      return;
    }
    if (this.receiverFrozen) {
      answer(0, { kind: "retry", retryAfterMs: 5 });
      return;
    }
    let next = 0;
    for (const [i, { payload: bytes }] of messages.entries()) {
      const verdict = this.table.offer(LINK, firstSeq + i, floor, false);
      next = verdict.next;
      if (verdict.kind === "accepted") this.applied.push(numberOf(bytes));
      else if (verdict.kind !== "duplicate") {
        answer(next, verdict.kind === "busy" ? { kind: "retry", retryAfterMs: 5 } : { kind: verdict.kind });
        return;
      }
    }
    answer(next, { kind: "ok" });
  }

  async moveReceiver(): Promise<void> {
    this.receiverFrozen = true;
    await this.time.advance(this.random.uint32() % 60);
    this.table = LinkTable.restore(this.table.serialize());
    this.receiverAt = (this.receiverAt + 1) % 3;
    this.receiverFrozen = false;
  }

  async moveSender(): Promise<void> {
    const carried = this.sender?.carried();
    this.sender?.stop();
    this.sender = undefined;
    await this.time.advance(this.random.uint32() % 60);
    this.senderAt = (this.senderAt + 1) % 3;
    this.sender = this.#open(carried);
    this.sender.wake();
  }
}

async function talk(seed: number, loss: number): Promise<{ agents: TwoAgents; sent: number }> {
  const agents = new TwoAgents(seed, loss);
  let sent = 0;
  for (let round = 0; round < 16; round++) {
    for (let i = agents.random.uint32() % 80; i > 0; i--)
      if ((agents.sender?.offer(payload(sent)) ?? 0) > 0) sent++;
    await agents.time.advance(agents.random.uint32() % 200);
    const moves = agents.random.uint32() % 4;
    if (moves === 0) await Promise.all([agents.moveReceiver(), agents.moveSender()]);
    else if (moves === 1) await agents.moveSender();
    else if (moves === 2) await agents.moveReceiver();
  }
  await agents.time.advanceUntil(() => agents.sender?.drained === true, 600_000);
  return { agents, sent };
}

describe("a link of an agent", () => {
  it("LS9: while both ends move, everything is applied once and in order, whatever the channels do", async () => {
    const seeds = process.env["GLIA_SOAK"] === undefined ? 12 : 2000;
    for (let seed = 1; seed <= seeds; seed++) {
      const { agents, sent } = await talk(seed, seed % 3 === 0 ? 0 : 0.3);
      expect(agents.broken, `seed ${seed}`).toEqual([]);
      expect(agents.applied, `seed ${seed}`).toEqual(Array.from({ length: sent }, (_, i) => i));
    }
    console.log(`links of two moving agents: seeds 1 to ${seeds}`);
  });

  it("LS9: a carried link holds what was not acknowledged, and takes no more than any other", () => {
    const time = new VirtualTime();
    const ports = {
      agent: target,
      link: LINK,
      timers: time,
      transmit: () => undefined,
      congested: () => false,
      resolve: () => undefined,
      onRoom: () => undefined,
      onProgress: () => undefined,
      onBroken: () => undefined,
    };
    const first = new LinkSender(ports);
    for (let i = 0; i < HELD_MESSAGES; i++) expect(first.offer(payload(i))).toBe(i + 1);
    const carried = first.carried();
    first.stop();
    expect([carried.next, carried.held.length]).toEqual([HELD_MESSAGES + 1, HELD_MESSAGES]);
    const second = new LinkSender(ports, carried);
    expect(second.offer(payload(0))).toBe(0);
    expect(second.stats()).toMatchObject({ sent: HELD_MESSAGES, acknowledged: 0 });
    second.stop();
  });
});

describe("the id of a mailbox", () => {
  it("MI2: names the member it is on while that can be reached, and nobody else", () => {
    const random = new SeededRandom(5);
    const members = hosts.map((node) => ({ node, state: "alive" }) as Member);
    const id = mailboxId(hosts[1] as NodeId, random);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(homeOf(members, id)).toBe(hosts[1]);
    expect(homeOf(members, agentId(7))).toBeUndefined();
    const dead = members.map((member) => ({ ...member, state: "dead" }) as Member);
    expect(homeOf(dead, id)).toBeUndefined();
  });
});
