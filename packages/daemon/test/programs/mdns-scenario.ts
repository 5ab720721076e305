/**
 * Run in a network namespace of its own: two nodes of one mesh stop, both come back at other ports, so that neither knows where the other
 * is; prints as one JSON object how the second came back without and with multicast DNS.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode, type NodeOptions } from "@glia-os/daemon";

const HOST = "10.99.9.1";
for (const line of [
  "link set lo up",
  "link add d0 type veth peer name d1",
  "link set d1 up",
  `addr add ${HOST}/24 dev d0`,
  "link set d0 up",
  "route add default dev d0",
])
  execFileSync("ip", line.split(" "));

const base = mkdtempSync(join(tmpdir(), "glia-mdns-"));
const node = (name: string, start: NodeOptions["start"], mdns: boolean): Promise<LocalNode> =>
  createNode({
    dataDir: join(base, name),
    name,
    role: name === "hub" ? "core" : "edge",
    bind: { host: HOST, port: 0 },
    start,
    mesh: { profile: "fast", mdns },
  });

const hub = await node("hub", { kind: "new-cluster" }, false);
const line = await hub.createJoinLine({ ttlMs: 60_000, uses: 1 });
const edge = await node("edge", { kind: "join", line }, false);
await edge.stop();
await hub.stop();

const again = await node("hub", { kind: "resume" }, true);
const without = await node("edge", { kind: "resume" }, false).then(
  async (back) => {
    await back.stop();
    return "came back";
  },
  (error: unknown) => errorCodeOf(error),
);
const back = await node("edge", { kind: "resume" }, true);
const { name } = await back.ping("hub", 10_000);
const { wire } = await back.status();
console.log(
  JSON.stringify({
    without,
    pinged: name,
    mdns: wire.mdns,
    moved: hub.address?.port !== again.address?.port,
  }),
);
await back.stop();
await again.stop();
