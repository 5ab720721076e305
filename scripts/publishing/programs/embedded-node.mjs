/** A program that embeds a node: installed packages only, threads and guest where npm put them. Prints `answer: hello`. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNode } from "@glia-os/daemon";

const dataDir = mkdtempSync(join(tmpdir(), "glia-embedded-"));
const bind = { host: "127.0.0.1", port: 0 };
const node = await createNode({ dataDir, role: "core", bind, start: { kind: "new-cluster" } });
const module = readFileSync(fileURLToPath(import.meta.resolve("@glia-os/guest-as/guests/echo.wasm")));
const { agent } = await node.spawn({ name: "echo", module });
const reply = await node.ask(agent, new TextEncoder().encode("hello"), 10_000);
console.log(`answer: ${new TextDecoder().decode(reply)}`);
await node.stop();
rmSync(dataDir, { recursive: true });
