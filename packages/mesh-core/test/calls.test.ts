/** Calls and coordination through the anchor. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Epoch } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { encodeRequest } from "../src/anchor/messages.ts";
import { CALLS_MAX, CALLS_PER_PEER_MAX } from "../src/rpc/calls.ts";
import { Cluster, payload } from "./cluster.ts";

async function codeOf(cluster: Cluster, promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await cluster.time.settle(promise);
    return undefined;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  }
}

describe("calls", () => {
  it("RC2, RC3: an answer, the handler's own error, an unknown method, a timeout and a dead peer each end a call once", async () => {
    const cluster = new Cluster(41);
    await cluster.boot(3);
    const [a, b] = [cluster.node(1), cluster.node(2)];
    b.mesh.handle("echo", async (caller, body) => {
      expect(caller).toEqual({ node: a.id, role: "edge" });
      return body;
    });
    b.mesh.handle("silent", () => new Promise(() => undefined));
    b.mesh.handle("broken", async () => {
      throw new RangeError("out of range");
    });
    expect(await cluster.time.settle(a.mesh.call(b.id, "echo", payload(7)))).toEqual(payload(7));
    expect(await codeOf(cluster, a.mesh.call(b.id, "broken", payload(1)))).toBe("abi.unexpected");
    expect(await codeOf(cluster, a.mesh.call(b.id, "nothing", payload(1)))).toBe("mesh.unknown-method");
    expect(await codeOf(cluster, a.mesh.call(b.id, "silent", payload(1), { timeoutMs: 300 }))).toBe(
      "mesh.call-timeout",
    );
    expect(await codeOf(cluster, a.mesh.call("ab".repeat(32) as never, "echo", payload(1)))).toBe(
      "mesh.unknown-member",
    );
    const pending = a.mesh.call(b.id, "silent", payload(1), { timeoutMs: 60_000 });
    pending.catch(() => undefined);
    await cluster.time.advance(10);
    b.process.crash();
    expect(await codeOf(cluster, pending)).toBe("mesh.peer-unreachable");
    expect(() => a.mesh.handle("BAD", async () => payload(0))).toThrow(/method/);
    expect(() => b.mesh.handle("echo", async () => payload(0))).toThrow(/already/);
  });

  it("RC4: is repeated after pauses that double up to a limit where one is given, and that stay where none is", async () => {
    const cluster = new Cluster(46);
    await cluster.boot(2);
    const [a, b] = [cluster.node(0), cluster.node(1)];
    b.mesh.handle("silent", () => new Promise(() => undefined));
    const large = new Uint8Array(10_000);
    const repeats = async (options: { resendMs: number; resendMostMs?: number }): Promise<number[]> => {
      const at: number[] = [];
      const fromMs = cluster.time.monotonicMs();
      cluster.network.onDelivery = ({ message }) => {
        if (message.length > large.length) at.push(Math.floor((cluster.time.monotonicMs() - fromMs) / 100));
        return true;
      };
      const call = a.mesh.call(b.id, "silent", large, { timeoutMs: 10_000, ...options });
      expect(await codeOf(cluster, call)).toBe("mesh.call-timeout");
      return at;
    };
    expect(await repeats({ resendMs: 1000, resendMostMs: 3000 })).toEqual([0, 10, 30, 60, 90]);
    expect(await repeats({ resendMs: 3000 })).toEqual([0, 30, 60, 90]);
    expect(await repeats({ resendMs: 3000, resendMostMs: 1000 })).toEqual([0, 30, 60, 90]);
  });

  it("RC1: both tables of calls are bounded", async () => {
    const cluster = new Cluster(42);
    await cluster.boot(2);
    const [a, b] = [cluster.node(0), cluster.node(1)];
    b.mesh.handle("silent", () => new Promise(() => undefined));
    const codes: (string | undefined)[] = [];
    const calls: Promise<unknown>[] = [];
    for (let n = 0; n <= CALLS_MAX; n++)
      calls.push(
        a.mesh
          .call(b.id, "silent", payload(n), { timeoutMs: 1000 })
          .catch((error: unknown) => codes.push(errorCodeOf(error))),
      );
    await cluster.time.settle(Promise.all(calls));
    const count = (code: string): number => codes.filter((each) => each === code).length;
    expect(count("mesh.too-many-calls")).toBe(1 + CALLS_MAX - CALLS_PER_PEER_MAX);
    expect(count("mesh.call-timeout")).toBe(CALLS_PER_PEER_MAX);
  });

  it("a stopped mesh settles what is pending and refuses what comes", async () => {
    const cluster = new Cluster(43);
    await cluster.boot(2);
    const [a, b] = [cluster.node(0), cluster.node(1)];
    a.mesh.handle("silent", () => new Promise(() => undefined));
    const pending = b.mesh.call(a.id, "silent", payload(1), { timeoutMs: 60_000 });
    pending.catch(() => undefined);
    await cluster.time.advance(10);
    await cluster.time.settle(b.mesh.stop());
    expect(await codeOf(cluster, pending)).toBe("mesh.stopped");
    expect(await codeOf(cluster, b.mesh.call(a.id, "silent", payload(1)))).toBe("mesh.stopped");
    const before = cluster.network.delivered;
    cluster.node(0).process.crash();
    await cluster.time.advance(60_000);
    expect(cluster.network.delivered, "ME3: nobody speaks any more").toBeLessThanOrEqual(before + 4);
  });
});

describe("coordination through the anchor", () => {
  it("the port works from a member as on the anchor, and refusals keep their codes", async () => {
    const cluster = new Cluster(44);
    await cluster.boot(2);
    const member = cluster.node(1);
    const agent = await cluster.spawn(member, 5);
    const { coordination } = member.mesh;
    expect(await cluster.time.settle(coordination.getAgent(agent))).toEqual(
      await cluster.engine.getAgent(agent),
    );
    expect((await cluster.time.settle(coordination.findAgent("agent-5")))?.agent).toBe(agent);
    expect(await cluster.time.settle(coordination.findAgent("nobody"))).toBe(undefined);
    expect(await cluster.time.settle(coordination.listAgents())).toHaveLength(1);
    expect(await cluster.time.settle(coordination.changesSince(0, 10))).toEqual(
      await cluster.engine.changesSince(0, 10),
    );
    expect((await cluster.time.settle(coordination.renewSession(member.sessionId))).node).toBe(member.id);
    const stored = await cluster.engine.getAgent(agent);
    if (stored === undefined) throw new TypeError("no row");
    expect(await codeOf(cluster, coordination.createAgent(stored, "again"))).toBe("store.agent-exists");
    const change = { owner: member.id, sessionId: member.sessionId, status: "suspended" as const };
    const swap = (requestId: string) => coordination.compareAndSwap(agent, 1 as Epoch, change, requestId);
    expect((await cluster.time.settle(swap("one"))).kind).toBe("committed");
    expect(
      (await cluster.time.settle(swap("one"))).kind,
      "AN3: a repeated request gets its first outcome",
    ).toBe("committed");
    expect((await cluster.time.settle(swap("two"))).kind).toBe("conflict");
    await cluster.time.settle(coordination.closeSession(member.sessionId));
    expect(await codeOf(cluster, coordination.renewSession(member.sessionId))).toBe("store.session-expired");
  });

  it("AN2: a caller acts only for its own sessions and agents", async () => {
    const cluster = new Cluster(45);
    await cluster.boot(3);
    const [anchor, owner, thief] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    const agent = await cluster.spawn(owner, 1);
    const { coordination } = thief.mesh;
    const theft = { owner: thief.id, sessionId: thief.sessionId, status: "running" as const };
    expect(await codeOf(cluster, coordination.compareAndSwap(agent, 1 as Epoch, theft, "steal"))).toBe(
      "mesh.not-yours",
    );
    expect(await codeOf(cluster, coordination.openSession(owner.id, 10_000, "x"))).toBe("mesh.not-yours");
    expect(await codeOf(cluster, coordination.renewSession(owner.sessionId))).toBe("mesh.not-yours");
    expect(await codeOf(cluster, coordination.closeSession(anchor.sessionId))).toBe("mesh.not-yours");
    const row = { ...(await cluster.engine.getAgent(agent)), agent: "00".repeat(16), name: "other" } as never;
    expect(await codeOf(cluster, coordination.createAgent(row, "forge"))).toBe("mesh.not-yours");
    expect(await cluster.engine.getAgent(agent)).toMatchObject({ owner: owner.id, epoch: 1 });
  });

  it("AN1: another anchor epoch, another cluster and a node that is no anchor refuse", async () => {
    const cluster = new Cluster(46);
    await cluster.boot(2);
    const [anchor, member] = [cluster.node(0), cluster.node(1)];
    const ask = (fence: { cluster: string; anchorEpoch: number }) =>
      codeOf(cluster, member.mesh.call(anchor.id, "coord.list", encodeRequest(fence as never, [])));
    expect(await ask({ cluster: member.mesh.cluster, anchorEpoch: 1 })).toBe(undefined);
    expect(await ask({ cluster: member.mesh.cluster, anchorEpoch: 2 })).toBe("mesh.anchor-epoch");
    expect(await ask({ cluster: "ab".repeat(32), anchorEpoch: 1 })).toBe("mesh.wrong-cluster");
    expect(await codeOf(cluster, anchor.mesh.call(member.id, "coord.list", payload(0)))).toBe(
      "mesh.unknown-method",
    );
    expect(await codeOf(cluster, member.mesh.call(anchor.id, "coord.list", payload(0)))).toBe(
      "mesh.malformed-message",
    );
  });

  it("AC6: an anchor that is gone fails a request within five seconds; running agents go on", async () => {
    const cluster = new Cluster(47);
    await cluster.boot(3);
    const [anchor, host, sender] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    const agent = await cluster.spawn(host, 1);
    const link = sender.mesh.link(agent);
    await cluster.time.settle(link.send(payload(0)));
    await cluster.time.settle(link.flush(5000));
    anchor.process.crash(true);
    const before = cluster.time.monotonicMs();
    expect(await codeOf(cluster, sender.mesh.coordination.listAgents())).toBe("mesh.anchor-unreachable");
    expect(cluster.time.monotonicMs() - before).toBeLessThanOrEqual(5000);
    cluster.network.breakSessions(sender.id, host.id);
    await cluster.time.settle(link.send(payload(1)));
    await cluster.time.settle(link.flush(30_000));
    expect(host.cells.applied(agent)).toEqual([0, 1]);
  });

  it("AC5: a lost answer is no second change", async () => {
    const cluster = new Cluster(48);
    await cluster.boot(2);
    const [anchor, member] = [cluster.node(0), cluster.node(1)];
    let broken = 0;
    cluster.network.onDelivery = ({ from, to, trafficClass }) => {
      if (from !== anchor.id || to !== member.id || trafficClass !== "request" || broken > 0) return true;
      broken++;
      return false;
    };
    const agent = await cluster.spawn(member, 1);
    expect(broken).toBe(1);
    expect(await cluster.engine.changesSince(0, 10)).toHaveLength(1);
    expect(member.cells.state(agent)).toBe("live");
  });
});
