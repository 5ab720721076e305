/** The queue of a node: what it refuses, what it tells, and what it does with a damaged file (MQ1, MQ2, QF1, QF2, QF3, QR1). */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentId } from "@glia-os/abi/ids";
import { createLocalSystem } from "@glia-os/cells/agent";
import { connectSystem, type NodeEvent } from "@glia-os/daemon";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LANE_BYTES, LANE_MESSAGES } from "../../src/queue/message-queue.ts";
import { QueueFile, REWRITE_BYTES } from "../../src/queue/queue-file.ts";
import { decodeRecord, encodeRecord, type QueueRecord } from "../../src/queue/queue-record.ts";
import { codeOf, guest, testNodes, text, words } from "../movement/nodes.ts";

const AGENT = "1".repeat(32) as AgentId;
const kept = (id: number, size = 3): QueueRecord => ({
  is: "kept",
  id,
  agent: AGENT,
  untilMs: 5,
  payload: new Uint8Array(size).fill(id),
});

async function recordsIn(path: string): Promise<readonly QueueRecord[]> {
  const { file, records } = await QueueFile.open(path, () => []);
  await file.close();
  return records;
}

describe("a file of queued messages", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "glia-queue-file-"));
    path = join(folder, "queue");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("QR1: every record comes back as it was written", () => {
    const records: QueueRecord[] = [
      kept(1),
      { is: "link", agent: AGENT, link: "a".repeat(32), next: 7 },
      { is: "offered", id: 1, agent: AGENT, seq: 7 },
      { is: "delivered", id: 1, agent: AGENT },
      { is: "lost", id: 2, agent: AGENT, why: "expired", inDoubt: true, atMs: 9 },
      { is: "closed", agent: AGENT },
    ];
    for (const record of records) expect(decodeRecord(encodeRecord(record).trimEnd())).toEqual(record);
  });

  test("QF1, QF2: what was appended is there after a restart; a last line that was cut off is not, and is cut away", async () => {
    const first = await QueueFile.open(path, () => []);
    await Promise.all([first.file.append([kept(1)]), first.file.append([kept(2), kept(3)])]);
    await first.file.close();
    const size = statSync(path).size;
    appendFileSync(path, encodeRecord(kept(4)).slice(0, 30));
    const again = await QueueFile.open(path, () => []);
    expect([again.damaged, again.records]).toEqual([false, [kept(1), kept(2), kept(3)]]);
    expect(statSync(path).size).toBe(size);
    await again.file.close();
  });

  test.each([
    ["a flipped bit", (whole: string) => whole.replace('"id":1', '"id":9')],
    ["no check", (whole: string) => `${whole.slice(9)}`],
    ["rubbish", () => "rubbish\nmore\n"],
  ])("QF2: %s sets the file aside, and the queue begins empty", async (_what, damage) => {
    writeFileSync(path, damage(encodeRecord(kept(1)) + encodeRecord(kept(2))));
    const { damaged, records, file } = await QueueFile.open(path, () => []);
    expect([damaged, records, existsSync(`${path}.damaged`)]).toEqual([true, [], true]);
    await file.append([kept(5)]);
    await file.close();
    expect(await recordsIn(path)).toEqual([kept(5)]);
  });

  test("QF3: a file of which most is over is written anew with what is alive", async () => {
    const { file } = await QueueFile.open(path, () => [kept(99)]);
    for (let id = 0; id < 5; id++) await file.append([kept(id, REWRITE_BYTES / 4)]);
    expect(statSync(path).size).toBeLessThan(REWRITE_BYTES);
    await file.append([kept(7)]);
    await file.close();
    expect((await recordsIn(path)).slice(0, 1)).toEqual([kept(99)]);
  });
});

describe("a node", () => {
  const nodes = testNodes();

  test("keeps messages for an agent that stands still, delivers them in order, and tells what it gave up", async () => {
    const core = await nodes.found();
    const events: NodeEvent[] = [];
    const onEvent = (event: NodeEvent): void => {
      if (event.kind === "message-lost") events.push(event);
    };
    const edge = await nodes.joined(core, "edge", { onEvent });
    const { agent } = await core.spawn({ name: "echo", module: guest("echo") });
    expect(await codeOf(edge.enqueue("nobody", text("x")))).toBe("daemon.unknown-agent");
    for (const keepMs of [999, 604_800_001, 1.5])
      expect(await codeOf(edge.enqueue("echo", text("x"), keepMs))).toBe("daemon.bad-options");
    expect(await codeOf(edge.enqueue("echo", new Uint8Array(1024 * 1024 + 1)))).toBe("daemon.bad-options");

    await core.pause("echo");
    await edge.enqueue("echo", text("soon over"), 1000);
    for (let n = 0; n < 3; n++) await edge.enqueue("echo", text(`${n}`));
    await expect
      .poll(() => events, { timeout: 20_000 })
      .toMatchObject([{ kind: "message-lost", agent, id: 1, why: "expired", inDoubt: false }]);
    expect((await edge.queued()).waiting).toMatchObject([{ agent, messages: 3, bytes: 3, out: 0 }]);
    const { nodes: surveyed } = await core.survey();
    expect(surveyed.map(({ name, report }) => [name, report?.queued]).sort()).toEqual([
      ["core", undefined],
      ["edge", 3],
    ]);
    await core.resume("echo");
    await expect.poll(async () => (await edge.queued()).waiting, { timeout: 20_000 }).toEqual([]);
    await expect
      .poll(async () => (await core.listAgents())[0]?.live, { timeout: 20_000 })
      .toMatchObject({ received: 3 });
    expect(words(await core.ask("echo", text("and on"), 5000))).toBe("and on");

    await core.pause("echo");
    await edge.enqueue("echo", text("a"));
    expect(await edge.dropQueued(agent)).toBe(1);
    await edge.enqueue("echo", text("b"));
    await core.terminate("echo");
    await expect
      .poll(async () => (await edge.queued()).lost.map(({ why }) => why), { timeout: 20_000 })
      .toEqual(["expired", "dropped", "no-agent"]);
    expect(await edge.metrics()).toMatch(/glia_queued_messages_total\{outcome="expired"\} 1/);
  });

  test("a system of agents over it tells and has the message kept; one of a single process refuses that", async () => {
    const core = await nodes.found();
    const system = connectSystem(core);
    const { agent } = await core.spawn({ name: "echo", module: guest("echo") });
    await core.pause("echo");
    await system.tell("echo", "go", 1, { keepMs: 60_000, priority: "high" });
    expect((await core.queued()).waiting).toMatchObject([{ agent, messages: 1 }]);
    expect(await codeOf(system.tell("echo", "go", 1, { keepMs: 1 }))).toBe("daemon.bad-options");
    expect(await codeOf(system.tell("nobody-here", "go", 1, { keepMs: 5000 }))).toBe("agent.unknown-agent");
    await core.resume("echo");
    await expect.poll(async () => (await core.queued()).waiting, { timeout: 20_000 }).toEqual([]);
    await system.close();

    const ports = { clock: createSystemClock(), random: createSystemRandom(), timers: createSystemTimers() };
    const local = createLocalSystem(ports);
    expect(await codeOf(local.tell("echo", "go", 1, { keepMs: 60_000 }))).toBe("agent.bad-argument");
    await local.close();
  });

  test("MQ2: takes at most so many messages, and so many bytes, for one agent", async () => {
    const core = await nodes.found();
    for (const name of ["many", "large"]) await core.spawn({ name, module: guest("echo") });
    for (const name of ["many", "large"]) await core.pause(name);
    await Promise.all(Array.from({ length: LANE_MESSAGES }, (_, n) => core.enqueue("many", text(`${n}`))));
    expect(await codeOf(core.enqueue("many", text("one more")))).toBe("daemon.queue-full");
    const large = new Uint8Array(1024 * 1024);
    for (let n = 0; n < LANE_BYTES / large.length; n++) await core.enqueue("large", large);
    expect(await codeOf(core.enqueue("large", text("one byte more")))).toBe("daemon.queue-full");
    expect((await core.queued()).waiting.map(({ messages }) => messages).sort()).toEqual([1024, 8]);
    expect(readFileSync(join(nodes.base(), "core", "queue"), "utf8").split("\n").length).toBe(
      LANE_MESSAGES + 9,
    );
  });
});
