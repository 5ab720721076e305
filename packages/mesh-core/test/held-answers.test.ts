/** Acknowledgements that wait for the reply (held-answers.ts). */
import type { NodeId } from "@glia-os/abi/ids";
import { expect, it } from "vitest";
import { HELD_MOST, HELD_MS, HeldAnswers } from "../src/links/held-answers.ts";
import type { LinkAck } from "../src/links/messages.ts";
import { VirtualTime } from "../src/testing/index.ts";
import { agentId, payload } from "./cluster.ts";

const [near, far] = ["aa", "bb"].map((id) => id.repeat(32) as NodeId) as [NodeId, NodeId];
const agent = agentId(1);

function link(number: number): string {
  return number.toString(16).padStart(32, "0");
}

function ack(number: number, next = 2): LinkAck {
  return { link: link(number), agent, next, status: { kind: "ok" }, replies: [] };
}

interface Sent {
  readonly to: NodeId;
  readonly attempt: number;
  readonly ack: LinkAck;
}

function held(): { readonly time: VirtualTime; readonly sent: Sent[]; readonly answers: HeldAnswers } {
  const time = new VirtualTime();
  const sent: Sent[] = [];
  const answers = new HeldAnswers(time, (to, attempt, one) => void sent.push({ to, attempt, ack: one }));
  return { time, sent, answers };
}

it("HA1: a reply that comes in time carries the acknowledgement, and nothing is sent for it later", async () => {
  const { time, sent, answers } = held();
  answers.hold(near, 7, ack(1));
  await time.advance(HELD_MS / 2);
  expect(sent).toEqual([]);
  answers.reply(near, agent, link(1), { seq: 1, payload: payload(9) });
  expect(sent).toEqual([
    { to: near, attempt: 7, ack: { ...ack(1), replies: [{ seq: 1, payload: payload(9) }] } },
  ]);
  await time.advance(10 * HELD_MS);
  expect(sent.length).toBe(1);
});

it("HA1: without a reply in time the acknowledgement goes alone, and the reply after it", async () => {
  const { time, sent, answers } = held();
  answers.hold(near, 7, ack(1));
  await time.advance(HELD_MS);
  expect(sent).toEqual([{ to: near, attempt: 7, ack: ack(1) }]);
  answers.reply(near, agent, link(1), { seq: 1, payload: payload(9) });
  expect(sent[1]).toEqual({
    to: near,
    attempt: 0,
    ack: { ...ack(1), next: 0, replies: [{ seq: 1, payload: payload(9) }] },
  });
});

it("HA1: the next message of the link sends it at once", async () => {
  const { time, sent, answers } = held();
  answers.hold(near, 7, ack(1));
  answers.release(link(2));
  expect(sent).toEqual([]);
  answers.release(link(1));
  expect(sent).toEqual([{ to: near, attempt: 7, ack: ack(1) }]);
  answers.release(link(1));
  await time.advance(10 * HELD_MS);
  expect(sent.length).toBe(1);
});

it("a reply to another node than the one that waits carries nothing for it", () => {
  const { sent, answers } = held();
  answers.hold(near, 7, ack(1));
  answers.reply(far, agent, link(1), { seq: 1, payload: payload(9) });
  expect(sent.map(({ to, attempt }) => [to, attempt])).toEqual([
    [near, 7],
    [far, 0],
  ]);
  expect(sent[1]!.ack.next).toBe(0);
});

it("HA2: one acknowledgement over the limit does not wait, and a node that stops sends none", async () => {
  const { time, sent, answers } = held();
  for (let i = 0; i < HELD_MOST; i++) answers.hold(near, i, ack(i));
  expect(sent).toEqual([]);
  answers.hold(near, 5000, ack(HELD_MOST));
  expect(sent.map(({ attempt }) => attempt)).toEqual([5000]);
  answers.stop();
  await time.advance(10 * HELD_MS);
  expect(sent.length).toBe(1);
});
