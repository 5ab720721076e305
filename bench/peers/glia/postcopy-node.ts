/**
 * A process between two of which a guest goes to and fro by post-copy. Its main thread takes guests in; a second thread runs them, and
 * sends them out over a connection of its own. Started with the path of a module; the rest comes as messages.
 */
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  createWasmEngine,
  PieceMemory,
  type PostCopyHandover,
  PostCopySource,
  PostCopyTarget,
  type WasmInstance,
} from "@glia-os/wasm";

/** What the process is told; its main thread passes all but `handover` on. */
export type Order =
  | { readonly do: "connect"; readonly port: number }
  | { readonly do: "begin" }
  | { readonly do: "move" }
  | { readonly do: "handover"; readonly handover: PostCopyHandover };

/** What it says. Times are those of the monotonic clock that all processes of a machine share, in nanoseconds. */
export type Notice =
  | { readonly did: "ready"; readonly port: number }
  | { readonly did: "connect" }
  | { readonly did: "begin" }
  | { readonly did: "leave"; readonly atNs: string; readonly sliceMs: number }
  | { readonly did: "slice"; readonly atNs: string; readonly missing: number }
  | { readonly did: "resident"; readonly atNs: string; readonly checkedMs: number | undefined }
  | { readonly did: "settled"; readonly sliceMs: number };

/** About half a millisecond of the rewriting guest. */
const SLICE = 2_000_000;
/** Slices whose median says how quick the guest is. */
const SLICES = 100;
const limits = { memoryPages: 65_536, stepMs: 60_000 };
const host = { log: () => undefined, wallMs: () => 0, random: () => undefined, reply: () => 0 };
const nowNs = (): string => String(process.hrtime.bigint());
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function control(path: string): Promise<void> {
  const program = await createWasmEngine().admit(new Uint8Array(readFileSync(path)), []);
  const guest = new Worker(new URL(import.meta.url), { workerData: path });
  const say = (notice: Notice): void => void process.send?.(notice);
  guest.on("message", say);
  guest.on("error", (error) => {
    throw error;
  });
  const server = createServer((socket) => takeIn(socket.setNoDelay(true)));
  function takeIn(socket: Socket): void {
    let target: PostCopyTarget | undefined;
    socket.on("error", () => process.exit());
    socket.on("data", (bytes: Buffer) => {
      target ??= new PostCopyTarget(program, limits, (answer) => void socket.write(answer));
      const before = target.handedOver;
      target.push(bytes);
      if (!before && target.handedOver) {
        const handover = target.take();
        guest.postMessage({ do: "handover", handover } satisfies Order, [handover.port]);
      }
      if (target.complete) target = undefined;
    });
  }
  process.on("message", (order: Order) => guest.postMessage(order));
  process.on("disconnect", () => process.exit());
  await Promise.all([
    new Promise<void>((resolve) => guest.once("online", resolve)),
    new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)),
  ]);
  say({ did: "ready", port: (server.address() as AddressInfo).port });
}

async function run(path: string): Promise<void> {
  const program = await createWasmEngine().admit(new Uint8Array(readFileSync(path)), []);
  const presence = await program.presence();
  const port = parentPort as NonNullable<typeof parentPort>;
  const say = (notice: Notice): void => port.postMessage(notice);
  const pieces = new PieceMemory();
  let peer: Socket | undefined;
  let source: PostCopySource | undefined;
  let leaving = false;
  const timed = (it: WasmInstance): number => {
    const start = performance.now();
    const outcome = it.step(undefined, SLICE);
    if (outcome.kind !== "yielded") throw new TypeError(`the guest ${outcome.kind}`);
    return performance.now() - start;
  };

  const live = async (it: WasmInstance): Promise<void> => {
    const last: number[] = [];
    while (!leaving) {
      last.push(timed(it));
      if (last.length > SLICES) last.shift();
      await turn();
    }
    leaving = false;
    source = new PostCopySource(it, { pieces });
    peer?.write(source.start());
    while (!source.prepared) {
      timed(it);
      await turn();
    }
    const atNs = nowNs();
    for (const piece of source.handOver()) peer?.write(piece);
    pump();
    say({ did: "leave", atNs, sliceMs: median(last) });
    while (source !== undefined) await turn();
    it.dispose();
  };

  const pump = (): void => {
    for (let piece = source?.next(); piece !== undefined; piece = source?.next()) {
      const sent = piece;
      peer?.write(sent, () => pieces.give(sent));
    }
    if (source?.complete === true) source = undefined;
  };

  const arrive = async (handover: PostCopyHandover): Promise<void> => {
    const it = program.arrive(presence, handover, limits, host);
    timed(it);
    say({ did: "slice", atNs: nowNs(), missing: it.missingPages });
    const checked: number[] = [];
    while (it.missingPages > 0) {
      checked.push(timed(it));
      await turn();
    }
    say({ did: "resident", atNs: nowNs(), checkedMs: checked.length === 0 ? undefined : median(checked) });
    const settled = [];
    for (let left = 2 * SLICES; left > 0; left--) settled.push(timed(it));
    say({ did: "settled", sliceMs: median(settled.slice(SLICES)) });
    await live(it);
  };

  port.on("message", (order: Order) => {
    if (order.do === "move") leaving = true;
    else if (order.do === "handover") void arrive(order.handover);
    else if (order.do === "connect") {
      peer = connect(order.port, "127.0.0.1", () => say({ did: "connect" })).setNoDelay(true);
      peer.on("data", (bytes: Buffer) => {
        source?.answered(bytes);
        pump();
      });
    } else {
      const it = program.instantiate(limits, host);
      // Past the filling of memory.
      for (let left = (it.memoryBytes / 8) * 40; left > 0; left -= SLICE) timed(it);
      say({ did: "begin" });
      void live(it);
    }
  });
}

if (isMainThread) await control(process.argv[2] ?? "");
else await run(workerData as string);
