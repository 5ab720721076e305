/**
 * A program that is bundled: the files of the threads and the guest lie beside it, and it says where. Opens the SQLite store, starts a
 * node, asks a guest. Prints `session: 1` and `answer: hello`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode } from "@glia-os/daemon";
import { openSqliteCoordination } from "@glia-os/store/sqlite";
import { nodeNamed } from "@glia-os/store/testing";

const beside = (name) => new URL(`./${name}`, import.meta.url);
const dataDir = mkdtempSync(join(tmpdir(), "glia-bundled-"));

const store = await openSqliteCoordination({
  path: join(dataDir, "own.db"),
  workerUrl: beside("sqlite-worker.js"),
});
const session = await store.openSession(nodeNamed("a"), 10_000, "open");
console.log(`session: ${session.fence}`);
await store.close();

const node = await createNode({
  dataDir: join(dataDir, "node"),
  role: "core",
  bind: { host: "127.0.0.1", port: 0 },
  start: { kind: "new-cluster" },
  workers: { mesh: beside("mesh-worker.js"), agent: beside("agent-worker.js") },
});
const { agent } = await node.spawn({ name: "echo", module: readFileSync(beside("echo.wasm")) });
const reply = await node.ask(agent, new TextEncoder().encode("hello"), 10_000);
console.log(`answer: ${new TextDecoder().decode(reply)}`);
await node.stop();
rmSync(dataDir, { recursive: true });
