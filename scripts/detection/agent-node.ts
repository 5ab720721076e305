/**
 * A node with agents in a process of its own: joins with the line it is given, tells what it sees of others, and ends with the process that
 * started it.
 */
import { createNode } from "@glia-os/daemon";

/** How the node starts. */
export interface AgentNodeStart {
  readonly name: string;
  readonly dataDir: string;
  readonly line: string;
}

process.once("message", ({ name, dataDir, line }: AgentNodeStart) => {
  const bind = { host: "127.0.0.1", port: 0 };
  createNode({ dataDir, name, role: "edge", bind, start: { kind: "join", line } }).then(
    () => process.send?.({ ready: true }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.once("disconnect", () => process.exit());
