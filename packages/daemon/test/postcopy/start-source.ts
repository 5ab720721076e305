/** The node that dies when an agent that leaves it begins to run elsewhere, in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LocalNode } from "@glia-os/daemon";

const PROGRAM = fileURLToPath(new URL("./killed-source.ts", import.meta.url));

/** Start it as `source`, joined to `core`; `began` gets the process before it is up, so that it can be ended in any case. */
export async function startSource(
  core: LocalNode,
  base: string,
  began: (child: ChildProcess) => void,
): Promise<void> {
  const line = await core.createJoinLine({ ttlMs: 60_000, uses: 1 });
  const options = {
    dataDir: join(base, "source"),
    name: "source",
    role: "edge",
    bind: { host: "127.0.0.1", port: 0 },
    start: { kind: "join", line },
    mesh: { profile: "fast" },
  };
  const args = ["--conditions=@glia-os/source", PROGRAM, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  began(child);
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => Promise.reject(new TypeError("the source did not start"))),
  ]);
}
