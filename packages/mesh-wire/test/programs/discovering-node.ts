/**
 * A node of its own process for tests: announces itself and prints, one JSON per line, whom it finds and loses. Its timers run twenty times as
 * fast, so that nobody waits for a quarter of a minute.
 */
import type { ClusterId, NodeId } from "@glia-os/abi/ids";
import { createMdnsDiscovery } from "@glia-os/mesh-wire";
import { realClock, realTimers } from "../ports.ts";

const timers = { schedule: (ms: number, fire: () => void) => realTimers.schedule(ms / 20, fire) };

const [node = "", port = "0"] = process.argv.slice(2);
const say = (what: object) => console.log(JSON.stringify(what));
const discovery = await createMdnsDiscovery({ clock: realClock, timers });
discovery.onFound((found) => say({ found }));
discovery.onLost((lost) => say({ lost }));
discovery.announce({
  node: node as NodeId,
  cluster: "c1".repeat(32) as ClusterId,
  address: { host: "0.0.0.0", port: Number(port) },
  quic: false,
});
say({ ready: true });
process.once("SIGTERM", () => void discovery.close());
