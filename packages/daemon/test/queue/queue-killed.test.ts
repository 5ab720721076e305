/** Messages queued on a node whose process is killed, for an agent whose node was killed too (MQ1, QL1). */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectControl, createNode, type LocalNode } from "@glia-os/daemon";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ledgerProgram, saidIn } from "../domain/ledger-program.ts";

const PROGRAM = fileURLToPath(new URL("./queue-node.ts", import.meta.url));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

let base: string;
let core: LocalNode;
const children: ChildProcess[] = [];
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "glia-queue-"));
  core = await createNode({
    dataDir: join(base, "core"),
    role: "core",
    name: "core",
    bind: { host: "127.0.0.1", port: 0 },
    start: { kind: "new-cluster" },
    mesh: { profile: "fast" },
    programs: "uploaded",
  });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await core.stop();
  rmSync(base, { recursive: true, force: true });
});

async function startNode(name: string, line: readonly string[] = []): Promise<ChildProcess> {
  const args = ["--conditions=@glia-os/source", PROGRAM, join(base, name), name, ...line];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    once(child, "exit").then(([code]) => Promise.reject(new RangeError(`node ${name} ended with ${code}`))),
  ]);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

test("what was queued is applied once and in order, although both nodes are killed and started again", async () => {
  const line = await core.createJoinLine({ ttlMs: 60_000, uses: 2 });
  const nodes = await Promise.all([startNode("host", [line]), startNode("sender", [line])]);
  let [host, sender] = nodes as [ChildProcess, ChildProcess];
  const { agent } = await core.spawn({
    name: "ledger",
    module: ledgerProgram(40),
    kind: "domain",
    on: "host",
  });
  let control = await connectControl(join(base, "sender"));
  for (let n = 0; n < 3; n++) await control.enqueue("ledger", text(`${n}`));
  await expect.poll(async () => (await control.queued()).waiting, { timeout: 30_000 }).toEqual([]);

  await kill(host);
  for (let n = 3; n < 10; n++) await control.enqueue(agent, text(`${n}`));
  await kill(sender);
  sender = await startNode("sender");
  control = await connectControl(join(base, "sender"));
  expect((await control.queued()).waiting).toMatchObject([{ agent, messages: 7 }]);

  host = await startNode("host");
  await expect.poll(async () => (await control.queued()).waiting, { timeout: 60_000 }).toEqual([]);
  for (let n = 10; n < 13; n++) await control.enqueue("ledger", text(`${n}`));
  await expect.poll(async () => (await control.queued()).waiting, { timeout: 30_000 }).toEqual([]);
  const { list } = saidIn(await core.ask("ledger", text("all"), 30_000));
  expect(list).toEqual(Array.from({ length: 13 }, (_, n) => n));
  expect((await control.queued()).lost).toEqual([]);
  expect(await control.metrics()).toMatch(/glia_queued_messages_total\{outcome="delivered"\} 10/);
  await control.close();
}, 120_000);
