/**
 * A process with nothing to do, until its standard input ends: `kernel` (a kernel whose one task waits for a message), `found FOLDER` (a node
 * that founds a mesh) or `join FOLDER LINE` (a node that joins one). Prints a line when it is up; of the founder, the join line.
 */
import { basename } from "node:path";
import { createNode } from "@glia-os/daemon";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { runKernel } from "@glia-os/host";
import { createKernel } from "@glia-os/kernel";

const [what, folder = "", line = ""] = process.argv.slice(2);

function kernel(): string {
  const idle = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  runKernel(idle, { timers: createSystemTimers() });
  idle.spawn(function* (sys) {
    yield* sys.receive(sys.mailbox());
  });
  return "up";
}

async function node(): Promise<string> {
  const founds = what === "found";
  const node = await createNode({
    dataDir: folder,
    role: founds ? "core" : "edge",
    name: basename(folder),
    bind: { host: "127.0.0.1", port: 0 },
    start: founds ? { kind: "new-cluster" } : { kind: "join", line },
    mesh: { profile: "lan" },
  });
  return founds ? node.createJoinLine({ ttlMs: 600_000, uses: 9 }) : "up";
}

process.stdin.resume().on("end", () => process.exit(0));
console.log(what === "kernel" ? kernel() : await node());
