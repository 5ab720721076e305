/**
 * Messages of agents between two nodes in two processes: links, envelopes, sessions and the wire, as a node uses them.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { AgentLink, Mesh } from "@glia-os/mesh-core";
import { COUNTING_AGENT, startMeshEnd } from "../src/mesh-end.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const MESSAGE_BYTES = 256;
const MESSAGES = 200_000;
const LIMIT_MS = 60_000;

async function otherEnd(joinLine: string, carrier: string): Promise<ChildProcess> {
  const child = fork(new URL("../src/mesh-end.ts", import.meta.url), [joinLine, carrier]);
  await once(child, "message");
  return child;
}

async function received(child: ChildProcess): Promise<number> {
  child.send("count");
  const [{ received: count }] = (await once(child, "message")) as [{ received: number }];
  return count;
}

/** Messages per second until all of them are acknowledged; each send is awaited, as an agent does. */
async function rate(link: AgentLink): Promise<number> {
  const payload = new Uint8Array(MESSAGE_BYTES).fill(7);
  const startMs = performance.now();
  for (let i = 0; i < MESSAGES; i++) await link.send(payload);
  await link.flush(LIMIT_MS);
  return MESSAGES / ((performance.now() - startMs) / 1000);
}

async function messages(carrier: "tls" | "quic"): Promise<Contestant> {
  const mesh: Mesh = await startMeshEnd({ carrier });
  const child = await otherEnd(mesh.createJoinLine({ ttlMs: LIMIT_MS, uses: 1 }), carrier);
  const link = mesh.link(COUNTING_AGENT);
  let sent = 0;
  return {
    async value() {
      const perSecond = await rate(link);
      sent += MESSAGES;
      const arrived = await received(child);
      if (arrived !== sent) throw new RangeError(`${arrived} of ${sent} messages arrived`);
      return perSecond;
    },
    async close() {
      await link.close();
      child.disconnect();
      await once(child, "exit");
      await mesh.stop();
    },
  };
}

function row(carrier: "tls" | "quic"): RowDefinition {
  return {
    id: `agent-messages-${carrier}`,
    what: `messages of ${MESSAGE_BYTES} bytes per second from one node to an agent of another over ${carrier === "tls" ? "TLS" : "QUIC"}, each send awaited, until all ${MESSAGES.toLocaleString("en")} are acknowledged`,
    unit: "messages/s",
    better: "higher",
    excludes:
      "what the agent does with a message: the receiver puts it into the agent's link table and counts it; both processes are on one machine",
    ...(carrier === "tls" ? { target: { min: 300_000 } } : {}),
    glia: () => messages(carrier),
    peers: {},
  };
}

export const suite: Suite = {
  title: "messages of agents between two nodes",
  rows: [row("tls"), row("quic")],
};
