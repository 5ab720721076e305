/**
 * One node of the cluster as a process: `node node.ts ROLE FOLDER`, with the join line on standard input, or an empty line for the one that founds the
 * cluster. It prints one line of JSON when it is ready, and ends when its standard input does, so that it cannot outlive who started it.
 */
import { createInterface } from "node:readline";
import { createNode, type NodeRole } from "@glia-os/daemon";

const [role, dataDir] = process.argv.slice(2) as [Exclude<NodeRole, "client">, string];
const input = createInterface({ input: process.stdin });
const line = await new Promise<string>((resolve) => input.once("line", resolve));
const node = await createNode({
  dataDir,
  role,
  name: role,
  bind: { host: "127.0.0.1", port: 0 },
  start: line === "" ? { kind: "new-cluster" } : { kind: "join", line },
  mesh: { profile: "fast" },
});
const joinLine = line === "" ? await node.createJoinLine({ ttlMs: 600_000, uses: 3 }) : undefined;
console.log(JSON.stringify({ pid: process.pid, address: node.address, joinLine }));
await Promise.race([new Promise((resolve) => input.once("close", resolve)), node.failed]);
await node.stop();
