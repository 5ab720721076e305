/** Rows that are changed by request while coordination loses answers, or moves on (AO1, AO2, LS1, LS2, AX2). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MeshError } from "@glia-os/abi/errors/mesh";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentChange, AgentRow, Coordination, Logger } from "@glia-os/abi/ports";
import { CellGate, encodeManifest } from "@glia-os/cells";
import {
  createEd25519Signer,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
  generateEd25519Key,
} from "@glia-os/hal";
import type { Mesh } from "@glia-os/mesh-core";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentExports } from "../../src/movement/agent-exports.ts";
import { AgentRows } from "../../src/movement/agent-rows.ts";
import { ExportShelf } from "../../src/movement/export-shelf.ts";
import { codeOf } from "./nodes.ts";

const AGENT = "ab".repeat(16) as AgentId;
const SELF = "0a".repeat(32) as NodeId;
const OTHER = "0b".repeat(32) as NodeId;
const SEAL = {
  kind: "secret",
  secret: new Uint8Array(32),
  seal: { kind: "passphrase", salt: new Uint8Array(16), logN: 14, r: 8, p: 1 },
} as const;
const manifest = { name: "agent", program: new Uint8Array(8), grants: ["glia.v1"], memoryPages: 1 };
const clock = createSystemClock();
const random = createSystemRandom();
const timers = createSystemTimers();
const logger: Logger = { log: () => undefined, child: () => logger };
const lost = new MeshError("mesh.call-timeout", "no answer");

let base: string;
let engine: Coordination;
/** Called before (`false`) and after (`true`) each swap; what it throws takes the place of the answer. */
let onSwap: (done: boolean, change: AgentChange) => void;
let session: string;
let gate: CellGate;
let ran: string[];

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "glia-rows-"));
  engine = createMemoryCoordination({ clock });
  onSwap = () => undefined;
  ran = [];
  session = (await engine.openSession(SELF, 60_000, "session")).sessionId;
  const mail = { mailbox: [], asker: undefined, received: 0, sleepMs: undefined };
  const runner = {
    start: async () => undefined,
    freeze: async () => {
      ran.push("stopped");
      return mail;
    },
    thaw: async () => void ran.push("goes on"),
    readImage: async () => undefined,
    drop: async () => void ran.push("dropped"),
    stopAhead: async () => undefined,
  };
  gate = new CellGate({
    runner: runner as never,
    clock,
    events: { replyReady: () => undefined, cellEnded: () => undefined },
  });
  const row = { agent: AGENT, owner: SELF, sessionId: session, status: "running", name: "agent" } as const;
  await engine.createAgent({ ...row, programHash: "0".repeat(64) }, "create");
  await gate.start(AGENT, 1 as Epoch, manifest as never);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const coordination = (): Coordination => ({
  ...engine,
  getAgent: (agent) => engine.getAgent(agent),
  compareAndSwap: async (...args) => {
    onSwap(false, args[2]);
    const outcome = await engine.compareAndSwap(...args);
    onSwap(true, args[2]);
    return outcome;
  },
});
const rows = (): AgentRows =>
  new AgentRows({ self: SELF, coordination: coordination(), gate, random, sessionId: () => session });
const row = async (): Promise<AgentRow> => (await engine.getAgent(AGENT)) as AgentRow;

/** Throws so many times, when `done`. */
function failing(times: number, done: boolean): void {
  let left = times;
  onSwap = (at) => {
    if (at === done && left-- > 0) throw lost;
  };
}

describe("a row that is changed by request", () => {
  test("AO2: an answer that is lost before or after the swap leaves one change, and the cell's epoch follows", async () => {
    for (const done of [false, true]) {
      const { epoch } = await row();
      failing(1, done);
      expect(await rows().setStatus(AGENT, "suspended")).toMatchObject({
        epoch: epoch + 1,
        status: "suspended",
      });
      expect(gate.stands(AGENT)?.epoch).toBe(epoch + 1);
    }
  });

  test("AO1: one that names another node is not changed", async () => {
    const other = await engine.openSession(OTHER, 60_000, "other");
    await engine.compareAndSwap(
      AGENT,
      1 as Epoch,
      { owner: OTHER, sessionId: other.sessionId, status: "running" },
      "m",
    );
    expect(await codeOf(rows().setStatus(AGENT, "suspended"))).toBe("daemon.unknown-agent");
    expect(await row()).toMatchObject({ owner: OTHER, epoch: 2, status: "running" });
  });
});

describe("AX2: an export that is to stop its agent", () => {
  const exporting = (): AgentExports =>
    new AgentExports({
      mesh: { self: SELF, cluster: "cd".repeat(32) } as unknown as Mesh,
      gate,
      rows: rows(),
      shelf: new ExportShelf(base, timers),
      signer: createEd25519Signer(generateEd25519Key()),
      clock,
      timers: { schedule: (_, fire) => timers.schedule(1, fire) },
      random,
      meter: { count: () => undefined, observe: () => undefined, gauge: () => undefined },
      logger,
    });
  const begun = async (): Promise<{ exports: AgentExports; id: string }> => {
    expect(gate.describe(AGENT)?.meta).toEqual(encodeManifest(manifest as never));
    // Only what waits for the next try is hurried; the shelf keeps its own time.
    const exports = exporting();
    return { exports, id: (await exports.begin(AGENT, SEAL, true)).id };
  };

  test("refuses a durable agent, whose journal is on its node, and leaves it alone", async () => {
    const exports = exporting();
    const meta = encodeManifest({ ...manifest, kind: "domain" });
    gate.describe = () => ({ epoch: 1 as Epoch, meta, estimatedBytes: 1 });
    expect(await codeOf(exports.begin(AGENT, SEAL, true))).toBe("daemon.not-exportable");
    expect([ran, gate.stands(AGENT)?.state]).toEqual([[], "running"]);
  });

  test("drops it after its row says so", async () => {
    const { exports, id } = await begun();
    onSwap = (done) => void (done && expect(gate.size).toBe(1));
    await exports.end(id, true);
    expect([gate.size, (await row()).status, ran]).toEqual([0, "exported", ["stopped", "dropped"]]);
  });

  test("whose swap was made and whose answers were all lost takes the row back, under a higher epoch, before it goes on", async () => {
    const { exports, id } = await begun();
    let answers = 0;
    onSwap = (done, { status }) => {
      if (status === "exported" && done) {
        answers++;
        throw lost;
      }
      if (status === "running" && !done) expect(ran).toEqual(["stopped"]);
    };
    expect(await codeOf(exports.end(id, true))).toBe("mesh.call-timeout");
    expect(answers).toBe(2);
    expect(await row()).toMatchObject({ status: "running", epoch: 3 });
    expect(ran).toEqual(["stopped", "goes on"]);
    expect(gate.stands(AGENT)).toMatchObject({ state: "running", epoch: 3 });
  });

  test("whose row left with the file meanwhile is dropped and does not go on", async () => {
    const { exports, id } = await begun();
    const { sessionId } = await engine.openSession(OTHER, 60_000, "other");
    let imported: Promise<unknown> | undefined;
    onSwap = (done, { status }) => {
      if (status === "exported") {
        if (done) throw lost;
        return;
      }
      // Cut off while another node imports the file.
      imported ??= engine.compareAndSwap(
        AGENT,
        2 as Epoch,
        { owner: OTHER, sessionId, status: "running" },
        "import",
      );
      if (!done) throw lost;
    };
    expect(await codeOf(exports.end(id, true))).toBe("mesh.call-timeout");
    await imported;
    expect([gate.size, ran]).toEqual([0, ["stopped", "dropped"]]);
    expect(await row()).toMatchObject({ owner: OTHER, epoch: 3 });
  });
});
