import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNode, type LocalNode } from "@glia-os/daemon";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ledgerProgram, saidIn } from "./ledger-program.ts";

const PROGRAM = fileURLToPath(new URL("./programs/durable-node.ts", import.meta.url));
const TIMEOUT_MS = 60_000;
const KILLS = process.env["GLIA_SOAK"] === "1" ? 20 : 2;
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

let base: string;
let core: LocalNode;
const children: ChildProcess[] = [];
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "glia-killed-"));
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

async function startNode(name: string, line?: string): Promise<ChildProcess> {
  const args = [
    "--conditions=@glia-os/source",
    PROGRAM,
    join(base, name),
    name,
    ...(line === undefined ? [] : [line]),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    once(child, "exit").then(([code]) => Promise.reject(new RangeError(`node ${name} ended with ${code}`))),
  ]);
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

test("an agent whose node is killed goes on when the node comes back: nothing acknowledged is lost or applied twice, and every ask has one reply", async () => {
  const line = await core.createJoinLine({ ttlMs: 60_000, uses: 1 });
  let child = await startNode("host", line);
  await core.spawn({ name: "ledger", module: ledgerProgram(40), kind: "domain", on: "host" });
  let sent = 0;
  const replies: string[] = [];
  const asks: Promise<unknown>[] = [];
  let going = true;
  const flow = (async () => {
    while (going) {
      await core.send("ledger", text(`${sent++}`));
      if (sent % 25 !== 0) continue;
      const asked = `ask ${sent}`;
      asks.push(
        core.ask("ledger", text(asked), TIMEOUT_MS).then((reply) => {
          const said = saidIn(reply);
          expect(said.asked).toBe(asked);
          replies.push(asked);
        }),
      );
      if (asks.length % 8 === 0) await Promise.all(asks);
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    const until = sent + 200;
    while (sent < until) await new Promise((resolve) => setTimeout(resolve, 5));
    await killed(child);
    child = await startNode("host");
  }
  going = false;
  await flow;
  await Promise.all(asks);
  const { list } = saidIn(await core.ask("ledger", text("all"), TIMEOUT_MS));
  expect(list).toEqual(Array.from({ length: sent }, (_, n) => n));
  expect(replies).toHaveLength(asks.length);
  const [view] = await core.listAgents();
  expect(view).toMatchObject({ name: "ledger", status: "running", ownerName: "host", epoch: 1 + KILLS });
  console.log(`${KILLS} kills, ${sent} messages, ${asks.length} asks`);
}, 120_000);
