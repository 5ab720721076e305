/** kill -9 of the node whose durable agent is being upgraded: it goes on in one of both codes, and everything acknowledged is in it once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AnyAgent, agent } from "@glia-os/cells/agent";
import { connectSystem, createNode, type LocalNode } from "@glia-os/daemon";
import { afterEach, beforeEach, expect, test } from "vitest";
import { patient } from "../agents/two-nodes.ts";
import { durableBundle } from "../domain/durable-bundle.ts";
import { ledgerSource } from "./programs.ts";

const PROGRAM = fileURLToPath(new URL("../domain/programs/durable-node.ts", import.meta.url));
const KILLS = process.env["GLIA_SOAK"] === "1" ? 40 : 2;
const PATIENCE_MS = 60_000;
const known: AnyAgent = agent({ name: "ledger", state: () => ({}), on: { who: { handle: () => null } } });

let base: string;
let core: LocalNode;
const children: ChildProcess[] = [];
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "glia-upgrade-killed-"));
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

async function startHost(line?: string): Promise<ChildProcess> {
  const args = ["--conditions=@glia-os/source", PROGRAM, join(base, "host"), "host", ...(line ? [line] : [])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    once(child, "exit").then(([code]) => Promise.reject(new RangeError(`the host ended with ${code}`))),
  ]);
  return child;
}

test("a durable agent whose node is killed while it is upgraded, and right after, has one code and every message once when the node comes back", async () => {
  const bundles = await Promise.all(
    Array.from({ length: KILLS + 1 }, (_, at) =>
      durableBundle(ledgerSource(at + 1, "codeChange: (state) => state,")),
    ),
  );
  const line = await core.createJoinLine({ ttlMs: PATIENCE_MS, uses: 1 });
  let host = await startHost(line);
  const connected = connectSystem(core, { modules: [[known, bundles[0] as never]] });
  const system = patient(connected);
  const ref = await connected.spawn(known, { on: "host", durable: true, detached: true });
  let [sent, going] = [0, true];
  const sending = (async () => {
    while (going)
      await Promise.all(
        Array.from({ length: 20 }, () => system.tell(ref, "add", { who: "sender", n: sent++ })),
      );
  })();
  const version = async (): Promise<number> => (await system.ask(ref, "version")) as number;
  const seen: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await version();
    const { bytes: module } = bundles[before] as (typeof bundles)[number];
    let isDone = false;
    const upgraded = core.upgrade(ref.id, { module, timeoutMs: PATIENCE_MS }).then(
      () => {
        isDone = true;
      },
      () => undefined, // The node is gone: nobody knows.
    );
    // One in two is killed when it is known to be upgraded, the others somewhere on the way.
    if (kill % 2 === 0) await upgraded;
    else await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    const gone = once(host, "exit");
    host.kill("SIGKILL");
    await gone;
    host = await startHost();
    const after = await version();
    if (isDone) expect(after).toBe(before + 1);
    expect([before, before + 1]).toContain(after);
    seen.push(`${before} -> ${after}`);
  }
  going = false;
  await sending;
  expect(await system.ask(ref, "seen", "sender")).toEqual(Array.from({ length: sent }, (_, n) => n));
  expect(readdirSync(join(base, "host/cells")).filter((name) => name.endsWith(".next"))).toEqual([]);
  await connected.close();
  console.log(`${KILLS} kills (${seen.join(", ")}), ${sent} messages`);
}, 180_000);
