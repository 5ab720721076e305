/** Transports on loopback for tests. */
import { createServer } from "node:net";
import type { HostPort } from "@glia-os/abi/ports";
import {
  createNodeIdentity,
  createWireTransport,
  type WireTransport,
  type WireTransportOptions,
} from "../src/index.ts";
import { realClock, realRandom, realTimers } from "./ports.ts";

export const LOOPBACK: HostPort = { host: "127.0.0.1", port: 0 };

/** A transport with real time and a new identity. */
export function makeTransport(options: Partial<WireTransportOptions> = {}): WireTransport {
  return createWireTransport({
    identity: createNodeIdentity(),
    clock: realClock,
    timers: realTimers,
    random: realRandom,
    ...options,
  });
}

/** An address of this machine that was free a moment ago. */
export async function freeAddress(): Promise<HostPort> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return { host: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 };
}
