/** Agents get new code three times while another node sends to them all the time (docs/upgrades.md). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentRef, AgentSystem, AnyAgent } from "@glia-os/cells/agent";
import { agent } from "@glia-os/cells/agent";
import { type AgentModuleFile, connectSystem } from "@glia-os/daemon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { patient, type TwoNodes, twoNodes } from "../agents/two-nodes.ts";
import { durableBundle } from "../domain/durable-bundle.ts";
import { ledger, ledgerSource } from "./programs.ts";

const PATIENCE_MS = 60_000;
/** What is offered: so many messages each millisecond that passed, until there are all. Nothing here is measured. */
const PER_MS = 1;
const MESSAGES = 2000;
/** A machine that is slower than the clock is given no more than this at once: a full mailbox would refuse more. */
const UNDER_WAY = 500;

/** Only its name counts here: the nodes have the code. */
const known: AnyAgent = agent({ name: "ledger", state: () => ({}), on: { who: { handle: () => null } } });
const keeps = `codeChange: (state, from) => ({ ...state, from: (state.from ?? []).concat(from) }),`;
const throws = `codeChange(state) { state.count = -1; throw new TypeError("no way"); },`;

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await twoNodes({ programs: "uploaded" });
});
afterAll(() => nodes.stop());

/** Sends 0, 1, 2 and so on by the clock, whatever became of those before, until all are sent; resolves when each was accepted. */
async function offered(system: AgentSystem, ref: AgentRef, sent: (count: number) => void): Promise<number> {
  const accepted: Promise<unknown>[] = [];
  let settled = 0;
  const startMs = performance.now();
  while (accepted.length < MESSAGES) {
    const due = Math.min(MESSAGES, Math.floor((performance.now() - startMs) * PER_MS), settled + UNDER_WAY);
    while (accepted.length < due) accepted.push(told(system, ref, accepted.length).then(() => settled++));
    sent(accepted.length);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(accepted);
  return accepted.length;
}

const told = (system: AgentSystem, ref: AgentRef, n: number): Promise<void> =>
  system.tell(ref, "add", { who: "sender", n });

const bundles: Readonly<Record<string, (version: number, more?: string) => Promise<AgentModuleFile>>> = {
  "WebAssembly agent": ledger,
  "durable agent": (version, more) => durableBundle(ledgerSource(version, more)),
};

describe.each(Object.entries(bundles))("a %s on another node", (kind, make) => {
  test("that is upgraded three times, refuses a codeChange that throws, and goes back once, while messages are offered by the clock: each is applied once, in order", async () => {
    const [first, second, third, bad] = await Promise.all([
      make(1),
      make(2, keeps),
      make(3, keeps),
      make(4, throws),
    ]);
    const connected = connectSystem(nodes.hub, { modules: [[known, first]] });
    const system = patient(connected);
    const ref = await system.spawn(known, {
      on: "edge",
      ...(kind === "durable agent" ? { durable: true } : {}),
    });
    let sent = 0;
    const sending = offered(system, ref, (count) => {
      sent = count;
    });
    const upgrade = async ({ bytes }: AgentModuleFile): Promise<number | string> =>
      nodes.hub.upgrade(ref.id, { module: bytes, timeoutMs: PATIENCE_MS }).then(
        ({ to }) => to.version,
        (error: unknown) => String(errorCodeOf(error)),
      );
    const outcomes: (number | string)[] = [];
    const steps = [
      () => upgrade(second),
      () => upgrade(bad),
      () => upgrade(third),
      async () => (await nodes.hub.rollback(ref.id, PATIENCE_MS)).to.version,
      () => upgrade(third),
    ];
    for (const [at, step] of steps.entries()) {
      while (sent < (at + 1) * 300) await new Promise((resolve) => setTimeout(resolve, 1));
      outcomes.push(await step());
    }
    expect(outcomes).toEqual([2, "cells.upgrade-refused", 3, 2, 3]);
    const count = await sending;
    expect(await system.ask(ref, "seen", "sender")).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(await system.ask(ref, "state")).toMatchObject({ count, from: [1, 2, 3, 2] });
    expect(await system.ask(ref, "version")).toBe(3);
    await connected.close();
    console.log(`${kind}: ${count} messages, ${outcomes.length} attempts`);
  });
});
