/** Endpoints and connected pairs for tests; all are closed when the test ends. */
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import {
  createQuicEndpoint,
  type QuicConnection,
  type QuicEndpoint,
  type QuicEndpointOptions,
  type QuicStream,
} from "../src/index.ts";
import { makeIdentity } from "./identity.ts";

const identity = await makeIdentity();

/** An endpoint that approves everybody and takes every connection, unless told otherwise. */
export function endpoint(options: Partial<QuicEndpointOptions> = {}): QuicEndpoint {
  const made = createQuicEndpoint({
    ...identity,
    alpn: ["test"],
    approvePeer: () => true,
    onConnection: () => {},
    ...options,
  });
  onTestFinished(() => made.close());
  return made;
}

/** Two endpoints and the connection between them, as each side has it. */
export interface Pair {
  readonly server: QuicEndpoint;
  readonly client: QuicEndpoint;
  readonly accepted: QuicConnection;
  readonly dialled: QuicConnection;
}

/** A connected pair. */
export async function pair(
  forServer: Partial<QuicEndpointOptions> = {},
  forClient: Partial<QuicEndpointOptions> = {},
): Promise<Pair> {
  const arrived = Promise.withResolvers<QuicConnection>();
  const server = endpoint({ onConnection: arrived.resolve, ...forServer });
  const client = endpoint(forClient);
  const dialled = await client.connect(server.address);
  return { server, client, accepted: await arrived.promise, dialled };
}

/** The next stream that the peer opens. */
export function nextStream(connection: QuicConnection): Promise<QuicStream> {
  return new Promise((resolve) => connection.onStream(resolve));
}

/** Everything a stream gives until its end; the other half stays open, which a plain `for await` would end. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Resolves when the condition holds; looks after every turn of the event loop. The test's own limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** What a promise is rejected with. */
export async function failure(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; details?: Record<string, unknown> }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new TypeError("the promise was not rejected");
}
