/** A node with a control socket in a process of its own, to be killed: `DATA_FOLDER NAME [JOIN_LINE]`. Says `up` when it runs. */
import { createNode, serveControl } from "@glia-os/daemon";

const [dataDir = "", name = "", line] = process.argv.slice(2);
const node = await createNode({
  dataDir,
  name,
  role: "edge",
  bind: { host: "127.0.0.1", port: 0 },
  start: line === undefined ? { kind: "resume" } : { kind: "join", line },
  mesh: { profile: "fast" },
  programs: "uploaded",
});
await serveControl(node, dataDir);
process.stdout.write("up\n");
