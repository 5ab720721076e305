/** `node peer.ts MODE FOLDER`: a process for the tests of process life. It prints "ready PORT", or what it saw. */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { createQuicEndpoint, type QuicConnection, type QuicEndpoint } from "../../src/index.ts";
import { makeIdentity } from "../identity.ts";
import { KINDS, type Operation, runOperations } from "../operations.ts";
import { seeded } from "../relay.ts";

const mode = isMainThread ? (process.argv[2] ?? "") : "worker";
const folder = isMainThread ? process.argv[3] : (workerData as string | undefined);
const load = folder === undefined ? {} : { folder };

async function make(onConnection: (connection: QuicConnection) => void = () => {}): Promise<QuicEndpoint> {
  const options = { ...(await makeIdentity()), alpn: ["test"], approvePeer: () => true, onConnection };
  return createQuicEndpoint(options, load);
}

function echo(connection: QuicConnection): void {
  connection.onStream((stream) => stream.pipe(stream));
}

async function serve(): Promise<void> {
  const server = await make(echo);
  console.log(`ready ${server.address.port}`);
}

async function traffic(): Promise<[QuicEndpoint, QuicEndpoint]> {
  const [server, client] = [await make(echo), await make()];
  const stream = await (await client.connect(server.address)).openStream();
  stream.write(Buffer.alloc(1_000_000));
  await new Promise((resolve) => stream.once("data", resolve));
  stream.resume();
  return [server, client];
}

async function worker(): Promise<void> {
  await traffic();
  const { parentPort } = await import("node:worker_threads");
  parentPort?.postMessage("busy");
}

async function terminate(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    const thread = new Worker(new URL(import.meta.url), { workerData: folder });
    await new Promise((resolve) => thread.once("message", resolve));
    await thread.terminate();
  }
  console.log("terminated");
}

async function operations(): Promise<void> {
  const identities = [await makeIdentity(), await makeIdentity()];
  const runs = Number(process.argv[4] ?? 1);
  for (let seed = 1; seed <= runs; seed += 1) {
    const random = seeded(seed);
    const pick = (max: number): number => Math.floor(random() * max);
    const steps = Array.from(
      { length: 200 },
      (): Operation => ({
        kind: KINDS[pick(KINDS.length)]!,
        which: pick(1000),
        size: pick(random() < 0.5 ? 300 : 60_000),
      }),
    );
    await runOperations([{ kind: "connect", which: 0, size: 0 }, ...steps], identities, load);
  }
  console.log(`operations ${runs}`);
}

if (mode === "serve") await serve();
else if (mode === "worker") await worker();
else if (mode === "terminate") await terminate();
else if (mode === "operations") await operations();
else if (mode === "close") {
  for (const endpoint of await traffic()) await endpoint.close();
  console.log("closed");
} else if (mode === "unref") {
  for (const endpoint of await traffic()) endpoint.unref();
  console.log("unreferenced");
} else if (mode === "exit") {
  await traffic();
  console.log("exits");
  process.exit(0);
}
