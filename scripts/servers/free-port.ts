/** Ports on loopback for private servers. */
import { once } from "node:events";
import { createServer } from "node:net";

const PORTS = { first: 20_000, last: 32_000 } as const;

/** A port that nothing listens on, outside the range that systems give to outgoing connections: it stays free over a restart. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first));
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}
