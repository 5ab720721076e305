/** A node in a process of its own, to be killed. Arguments: data folder, name, join line. */
import { createNode } from "@glia-os/daemon";

const [dataDir = "", name = "", line = ""] = process.argv.slice(2);
const node = await createNode({
  dataDir,
  name,
  role: "edge",
  bind: { host: "127.0.0.1", port: 0 },
  start: { kind: "join", line },
  mesh: { profile: "fast" },
});
process.on("disconnect", () => void node.stop().then(() => process.exit(0)));
process.send?.("ready");
