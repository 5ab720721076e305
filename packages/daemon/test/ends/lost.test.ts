/** Agents whose node is killed, told to who watches and to their parents (EN4, AF5); and since when their node is away (AB1). */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectSystem, type LocalNode, type MeshAgentSystem } from "@glia-os/daemon";
import { afterEach, expect, test } from "vitest";
import { counter, teller } from "../agents/programs/talkers.ts";
import { PATIENT, talkers } from "../agents/two-nodes.ts";
import { ledgerProgram } from "../domain/ledger-program.ts";
import { guest, testNodes } from "../movement/nodes.ts";

const PROGRAM = fileURLToPath(new URL("../queue/queue-node.ts", import.meta.url));
const LONG = { timeout: 60_000, interval: 50 };
const nodes = testNodes();
let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

async function startOne(...line: readonly string[]): Promise<ChildProcess> {
  const args = ["--conditions=@glia-os/source", PROGRAM, join(nodes.base(), "one"), "one", ...line];
  child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    once(child, "exit").then(([code]) => Promise.reject(new RangeError(`the node ended with ${code}`))),
  ]);
  return child;
}

async function kill(process: ChildProcess): Promise<void> {
  process.kill("SIGKILL");
  await once(process, "exit");
}

const viewOf = async (core: LocalNode, name: string) =>
  (await core.listAgents()).find((agent) => agent.name === name);

test("EN4, AF5, AB1: agents that end with the process of their node are told as lost, once, to who watches and to their parents; those with a journal or a replica are not", async () => {
  const core = await nodes.found({ mesh: { profile: "fast" }, programs: "uploaded" });
  const one = await startOne(await core.createJoinLine({ ttlMs: 60_000, uses: 1 }));
  const module = await talkers();
  const system: MeshAgentSystem = connectSystem(core, {
    modules: [
      [counter, module],
      [teller, module],
    ],
  });
  const heard: string[] = [];
  const silence = system.observe.ends(({ ref, reason, error }) =>
    heard.push(`${ref.name} ${reason} ${(error as { code?: string } | undefined)?.code}`),
  );
  const { next } = await core.agentEnds(null, 0);
  // First, as a node tells of what began a moment later: it has when the last is copied.
  const parent = await system.spawn(teller, { name: "parent", on: "core", detached: true });
  await system.ask(parent, "bear" as never, { name: "born", on: "one", input: 1 } as never, PATIENT);
  await core.spawn({ name: "plain", module: guest("echo"), on: "one" });
  await core.spawn({ name: "journal", module: ledgerProgram(5), kind: "domain", on: "one" });
  await core.spawn({ name: "copied", module: guest("echo"), on: "one", durability: "replica" });
  await expect.poll(async () => (await viewOf(core, "copied"))?.live?.replica?.state, LONG).toBe("fed");

  const killedMs = Date.now();
  await kill(one);
  await expect
    .poll(() => heard.toSorted(), LONG)
    .toEqual(["born lost agent.ended", "plain lost agent.ended"]);
  await expect.poll(async () => (await viewOf(core, "copied"))?.ownerName, LONG).toBe("core");
  await expect.poll(async () => (await system.observe.agent(parent))?.children, LONG).toEqual([]);
  const gone = await viewOf(core, "journal");
  expect(gone?.status).toBe("gone");
  expect(gone?.goneSinceMs).toBeGreaterThanOrEqual(killedMs);

  // It comes back without what was only in its memory: nothing is told again.
  await startOne();
  await expect.poll(async () => (await viewOf(core, "journal"))?.status, LONG).toBe("running");
  await expect.poll(async () => (await viewOf(core, "plain"))?.lost, LONG).toBe(true);
  const { ends } = await core.agentEnds(next, 0);
  expect(ends.map(({ name, reason }) => `${name} ${reason}`).toSorted()).toEqual(["born lost", "plain lost"]);
  silence();
  await system.close();
}, 120_000);
