/** Which agents a node starts, when, and how often, over a mesh that the test is. */
import { describe, expect, it } from "vitest";
import { KeptAgents, LOST_MS, PAUSE_MAX_MS, WELL_MS } from "../src/up/kept-agents.ts";

/** A mesh of names, and a time of its own. */
class Mesh {
  readonly living = new Map<
    string,
    { owner: string; status: string; live: object | undefined; lost?: true; replicas?: readonly string[] }
  >();
  readonly did: string[] = [];
  nowMs = 0;
  refuse: Error | undefined;
  next: { readonly atMs: number; readonly run: () => void } | undefined;

  readonly kept = new KeptAgents({
    node: {
      status: async () => ({ node: "self" }),
      listAgents: async () =>
        [...this.living].map(([name, agent]) => ({ name, agent: `id of ${name}`, ...agent })),
      spawn: async ({ name }: { readonly name: string }) => {
        this.did.push(`spawn ${name} at ${this.nowMs}`);
        if (this.refuse !== undefined) throw this.refuse;
        this.living.set(name, { owner: "self", status: "running", live: {} });
      },
      terminate: async (id: string) => {
        this.did.push(`terminate ${id}`);
        this.living.delete(id.replace("id of ", ""));
      },
    } as never,
    logger: { log: () => {}, child: () => ({}) as never },
    nowMs: () => this.nowMs,
    later: (ms, run) => {
      this.next = { atMs: this.nowMs + ms, run };
      return () => (this.next = undefined);
    },
    module: async () => ({ bytes: new Uint8Array(), grants: ["glia.v1"] }),
  });

  /** Let time pass, and looks that are due happen. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    while (this.next !== undefined && this.next.atMs <= untilMs) {
      this.nowMs = this.next.atMs;
      this.next.run();
      await this.kept.look();
    }
    this.nowMs = untilMs;
  }
}

const counter = { name: "counter", file: "counter.wasm" };

describe("agents that are kept", () => {
  it("KA1: one that lives is left alone, also on another node; one that is missing, failed or lost with an earlier run is started", async () => {
    const mesh = new Mesh();
    mesh.living.set("elsewhere", { owner: "other", status: "running", live: undefined });
    mesh.living.set("failed", { owner: "other", status: "failed", live: undefined });
    mesh.living.set("lost", { owner: "self", status: "running", live: undefined, lost: true });
    await mesh.kept.keep(
      ["elsewhere", "failed", "lost", "missing"].map((name) => ({ name, file: "a.wasm" })),
    );
    expect(mesh.did).toEqual(["terminate id of failed", "spawn failed at 0", "spawn missing at 0"]);
    await mesh.pass(LOST_MS);
    expect(mesh.did.slice(3)).toEqual(["terminate id of lost", `spawn lost at ${LOST_MS}`]);
  });

  it("KA1: one whose node does not answer, one that a replica has, and one that was lost for a moment only, go on as they are", async () => {
    const mesh = new Mesh();
    const gone = { owner: "self", status: "running", live: undefined };
    mesh.living.set("silent", gone);
    mesh.living.set("replicated", { ...gone, lost: true, replicas: ["other"] });
    mesh.living.set("suspended", { ...gone, status: "failed", lost: true, replicas: ["other"] });
    mesh.living.set("moving", { ...gone, lost: true });
    await mesh.kept.keep(
      ["silent", "replicated", "suspended", "moving"].map((name) => ({ name, file: "a.wasm" })),
    );
    mesh.living.set("moving", gone);
    await mesh.pass(LOST_MS);
    mesh.living.set("moving", { ...gone, lost: true });
    await mesh.kept.look();
    mesh.living.set("moving", gone);
    await mesh.pass(60_000);
    expect(mesh.did).toEqual([]);
  });

  it("KA2: one that ends at once is started with pauses that grow to a minute, and from the beginning after a good run", async () => {
    const mesh = new Mesh();
    await mesh.kept.keep([counter]);
    for (let second = 0; second < 600; second++) {
      mesh.living.delete("counter");
      await mesh.kept.look();
      await mesh.pass(1000);
    }
    const starts = mesh.did.map((line) => Number(line.split(" at ")[1]));
    const pauses = starts.slice(1).map((at, before) => at - (starts[before] ?? 0));
    expect(pauses.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, PAUSE_MAX_MS]);
    expect(Math.max(...pauses)).toBe(PAUSE_MAX_MS);
    await mesh.pass(2 * PAUSE_MAX_MS + WELL_MS);
    mesh.living.delete("counter");
    await mesh.kept.look();
    mesh.living.delete("counter");
    await mesh.pass(1000);
    const [first, second] = mesh.did.slice(-2).map((line) => Number(line.split(" at ")[1]));
    expect((second ?? 0) - (first ?? 0)).toBe(1000);
  });

  it("KA2: one that cannot be started is tried again, and the others are started meanwhile", async () => {
    const mesh = new Mesh();
    mesh.refuse = new RangeError("no");
    await mesh.kept.keep([counter, { name: "other", file: "o.wasm" }]);
    await mesh.pass(1000);
    mesh.refuse = undefined;
    await mesh.pass(2000);
    expect([...mesh.living.keys()]).toEqual(["counter", "other"]);
    expect(mesh.did).toHaveLength(6);
  });

  it("KA3: one that is no longer configured is left as it is, and after the stop nothing is started", async () => {
    const mesh = new Mesh();
    await mesh.kept.keep([counter]);
    await mesh.kept.keep([]);
    expect([...mesh.living.keys()]).toEqual(["counter"]);
    await mesh.kept.keep([counter]);
    await mesh.kept.stop();
    mesh.living.clear();
    await mesh.kept.look();
    await mesh.pass(60_000);
    expect(mesh.did).toHaveLength(1);
  });

  it("KA4: a durable agent is started once as one; lost or failed it is left to its node and its journal", async () => {
    const mesh = new Mesh();
    const durable = { name: "book", file: "book.ts", durable: true };
    await mesh.kept.keep([durable]);
    expect(mesh.did).toEqual(["spawn book at 0"]);
    mesh.living.set("book", { owner: "self", status: "running", live: undefined, lost: true });
    await mesh.pass(10 * LOST_MS);
    mesh.living.set("book", { owner: "self", status: "failed", live: undefined });
    await mesh.pass(WELL_MS);
    expect(mesh.did).toEqual(["spawn book at 0"]);
  });
});
