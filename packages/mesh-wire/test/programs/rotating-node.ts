/** A node of its own process for tests: answers every request with its bytes, and has certificates of three seconds. */
import { createNodeIdentity, createWireTransport } from "@glia-os/mesh-wire";
import { realClock, realRandom, realTimers } from "../ports.ts";

const node = createWireTransport({
  identity: createNodeIdentity(),
  clock: realClock,
  timers: realTimers,
  random: realRandom,
  certificateValidityMs: 3000,
  onCertificate: ({ notAfterMs }) => process.send?.({ rotated: notAfterMs }),
});
node.onSession((session) => {
  session.onMessage((trafficClass, message) => session.send(trafficClass, message));
});
const at = await node.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ at, self: node.self });
process.on("message", () => {
  void node.close().then(() => process.disconnect?.());
});
