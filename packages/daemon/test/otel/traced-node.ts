/** A node that traces in a process of its own: `DATA_FOLDER NAME ENDPOINT JOIN_LINE`. Says `up` when it runs, and stops when its input ends. */
import { createNode } from "@glia-os/daemon";

const [dataDir = "", name = "", endpoint = "", line = ""] = process.argv.slice(2);
const node = await createNode({
  dataDir,
  name,
  role: "edge",
  bind: { host: "127.0.0.1", port: 0 },
  start: { kind: "join", line },
  mesh: { profile: "fast", transport: "tls-only" },
  programs: "uploaded",
  ...(endpoint === "" ? {} : { traces: { endpoint } }),
});
process.stdout.write("up\n");
process.stdin.resume().once("end", () => void node.stop().then(() => process.exit(0)));
