/**
 * A program that embeds a node: installed packages only, threads and guest where npm put them. Starts a node and stops it twice, starts
 * it again and stops it, and ends by itself: nothing of a stopped node keeps a process alive. Prints what the guest answered.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNode } from "@glia-os/daemon";

const dataDir = mkdtempSync(join(tmpdir(), "glia-embedded-"));
const bind = { host: "127.0.0.1", port: 0 };
const module = readFileSync(fileURLToPath(import.meta.resolve("@glia-os/guest-as/guests/echo.wasm")));
const sha256 = createHash("sha256").update(module).digest("hex");

for (const [name, kind] of [
  ["first", "new-cluster"],
  ["second", "resume"],
]) {
  const node = await createNode({ dataDir, role: "core", bind, start: { kind } });
  const { agent, programHash } = await node.spawn({ name, module });
  const reply = await node.ask(agent, new TextEncoder().encode(name), 10_000);
  console.log(`answer: ${new TextDecoder().decode(reply)}`);
  console.log(`known by the SHA-256 of its code: ${programHash === sha256}`);
  await Promise.all([node.stop(), node.stop()]);
  await node.stop();
}
rmSync(dataDir, { recursive: true });
