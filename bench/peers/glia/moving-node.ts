/** A node in a process of its own, for agents that move: `DATA_FOLDER NAME JOIN_LINE`. Says `up`, and ends when its parent does. */
import { createNode } from "@glia-os/daemon";

const [dataDir = "", name = "", line = ""] = process.argv.slice(2);
const node = await createNode({
  dataDir,
  name,
  role: "edge",
  bind: { host: "127.0.0.1", port: 0 },
  start: { kind: "join", line },
  programs: "uploaded",
});
process.on("disconnect", () => {
  void node.stop().finally(() => process.exit(0));
});
process.send?.("up");
