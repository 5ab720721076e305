/** js-libp2p over its QUIC, from `peers/libp2p`, which is not part of the workspace. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { MeasuredCarrier } from "./carriers.ts";
import { type Link, MODE, opening, WRITE_BYTES } from "./duplex-link.ts";

const folder = join(import.meta.dirname, "../../peers/libp2p");
const PROTOCOL = "/bench/1";

/** The parts of js-libp2p that are used here. */
interface Stream {
  send(data: Uint8Array): boolean;
  onDrain(): Promise<void>;
  addEventListener(event: "message", listener: (event: { data: { subarray(): Uint8Array } }) => void): void;
}

interface Node {
  handle(protocol: string, handler: (stream: Stream) => void): Promise<void>;
  getMultiaddrs(): { toString(): string }[];
  dial(address: unknown): Promise<{ newStream(protocol: string): Promise<Stream>; close(): Promise<void> }>;
}

/** Whether `npm install` was run in `peers/libp2p`. */
export function hasLibp2p(): boolean {
  return existsSync(join(folder, "node_modules/@chainsafe/libp2p-quic"));
}

async function load<Exports>(name: string): Promise<Exports> {
  const resolve = createRequire(join(folder, "package.json")).resolve;
  const main = join(folder, "node_modules", name, "dist/src/index.js");
  return (await import(pathToFileURL(existsSync(main) ? main : resolve(name)).href)) as Exports;
}

async function node(listen: readonly string[]): Promise<Node> {
  const { createLibp2p } = await load<{ createLibp2p(options: object): Promise<Node> }>("libp2p");
  const { quic } = await load<{ quic(): unknown }>("@chainsafe/libp2p-quic");
  return createLibp2p({
    addresses: { listen },
    transports: [quic()],
    connectionManager: { inboundConnectionThreshold: 10_000 },
    connectionMonitor: { enabled: false },
  });
}

function serveStream(stream: Stream): void {
  let mode = 0;
  let left = 0;
  stream.addEventListener("message", ({ data }) => {
    let bytes = Buffer.from(data.subarray());
    if (mode === 0) {
      mode = bytes[0]!;
      left = mode === MODE.sink ? bytes.readDoubleLE(1) : 0;
      bytes = bytes.subarray(mode === MODE.sink ? 9 : 1);
    }
    if (mode === MODE.echo && bytes.length > 0) stream.send(bytes);
    if (mode !== MODE.sink) return;
    left -= bytes.length;
    if (left <= 0) stream.send(Uint8Array.of(1));
  });
}

/** Counts what comes; `next` resolves when that many bytes more have come. */
function counter(stream: Stream): { next(bytes: number): Promise<void> } {
  let wanted = 0;
  let settle = (): void => {};
  stream.addEventListener("message", ({ data }) => {
    wanted -= data.subarray().length;
    if (wanted <= 0) settle();
  });
  return {
    next: (bytes) =>
      new Promise((resolve) => {
        wanted = bytes;
        settle = resolve;
      }),
  };
}

async function link(connection: Awaited<ReturnType<Node["dial"]>>): Promise<Link> {
  let echoing: { stream: Stream; count: ReturnType<typeof counter> } | undefined;
  return {
    async echo(bytes) {
      if (echoing === undefined) {
        const stream = await connection.newStream(PROTOCOL);
        echoing = { stream, count: counter(stream) };
        stream.send(opening(MODE.echo, 0));
      }
      const back = echoing.count.next(bytes.length);
      echoing.stream.send(bytes);
      await back;
    },
    async send(total) {
      const stream = await connection.newStream(PROTOCOL);
      const answered = counter(stream).next(1);
      stream.send(opening(MODE.sink, total));
      const block = new Uint8Array(WRITE_BYTES);
      for (let sent = 0; sent < total; sent += block.length) if (!stream.send(block)) await stream.onDrain();
      await answered;
    },
    close: () => connection.close(),
  };
}

/** js-libp2p with its QUIC. */
export const libp2p: MeasuredCarrier = {
  serve: async () => {
    const server = await node(["/ip4/127.0.0.1/udp/0/quic-v1"]);
    await server.handle(PROTOCOL, serveStream);
    return String(server.getMultiaddrs()[0]);
  },
  dialler: async (address) => {
    const client = await node([]);
    const { multiaddr } = await load<{ multiaddr(text: string): unknown }>("@multiformats/multiaddr");
    return async () => link(await client.dial(multiaddr(address)));
  },
};
