import type { AgentId } from "@glia-os/abi/ids";
import type { AgentLink } from "@glia-os/mesh-core";
import { expect, test } from "vitest";
import { KEPT_LINKS_MAX, SentLinks } from "../src/sent-links.ts";

const agentOf = (n: number): AgentId => n.toString(16).padStart(32, "0") as AgentId;

/** A link with these counts; nothing else is asked of it. */
function link(sent: number, acknowledged: number, agent: AgentId = agentOf(1)): AgentLink {
  const unused = (): never => expect.unreachable("only its counts are looked at");
  return {
    agent,
    send: unused,
    ask: unused,
    flush: unused,
    close: unused,
    stats: () => ({ sent, acknowledged, resent: 0, awaiting: 0 }),
  };
}

test("SK1: a flush looks at the link that broke with messages nobody acknowledged, once, and then at the open one", () => {
  const links = new SentLinks();
  const [broken, open] = [link(3, 2), link(0, 0)];
  links.sendsOn(broken);
  expect(links.flushed(open)).toBe(broken);
  expect(links.flushed(open)).toBe(open);
});

test("SK1: messages that went out on a later link do not hide the one that broke", () => {
  const links = new SentLinks();
  const [broken, later] = [link(3, 2), link(5, 1)];
  links.sendsOn(broken);
  expect(links.sendsOn(later)).toBe(later);
  expect(links.flushed(later)).toBe(broken);
});

test("SK1: a link whose messages were all acknowledged is not looked at again", () => {
  const links = new SentLinks();
  const [done, later] = [link(3, 3), link(1, 0)];
  links.sendsOn(done);
  expect(links.flushed(later)).toBe(later);
  links.sendsOn(done);
  links.sendsOn(later);
  expect(links.flushed(link(0, 0))).toBe(later);
});

test("SK2: with one agent too many the first is forgotten", () => {
  const links = new SentLinks();
  for (let n = 0; n <= KEPT_LINKS_MAX; n++) links.sendsOn(link(1, 0, agentOf(n)));
  const [first, second] = [link(0, 0, agentOf(0)), link(0, 0, agentOf(1))];
  expect(links.flushed(first)).toBe(first);
  expect(links.flushed(second)).not.toBe(second);
});
