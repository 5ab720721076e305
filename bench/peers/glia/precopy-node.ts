/**
 * A process between two of which a guest goes to and fro: runs it in slices, answers probes after each, and sends it by pre-copy when
 * it is told to. Started with the path of a module and the port where probes come from; the rest comes as messages.
 */
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import {
  createWasmEngine,
  PieceMemory,
  PreCopySource,
  PreCopyTarget,
  type WasmInstance,
} from "@glia-os/wasm";

/** What the process is told. */
export type Order =
  | { readonly do: "listen" }
  | { readonly do: "connect"; readonly port: number }
  | { readonly do: "begin" }
  | { readonly do: "move" };

/** What it says. Times are those of the monotonic clock that all processes of a machine share, in nanoseconds. */
export type Notice =
  | { readonly did: "ready" }
  | { readonly did: "listen"; readonly port: number }
  | { readonly did: "connect" }
  | { readonly did: "begin" }
  | { readonly did: "leave"; readonly atNs: string; readonly rounds: number }
  | { readonly did: "arrive"; readonly atNs: string };

/** About half a millisecond of the rewriting guest. */
const SLICE = 2_000_000;
const host = { log: () => undefined, wallMs: () => 0, random: () => undefined, reply: () => 0 };

const [, , path = "", port = ""] = process.argv;
const program = await createWasmEngine().admit(new Uint8Array(readFileSync(path)), []);
const tracking = await program.tracking();
const pieces = new PieceMemory();
const probes = connect(Number(port), "127.0.0.1").setNoDelay(true);
let peer: Socket | undefined;
let guest: WasmInstance | undefined;
let target: PreCopyTarget | undefined;
let asked = 0;
let leaving = false;
/** Rounds that the other end has taken. */
let taken = 0;

const say = (notice: Notice): void => void process.send?.(notice);
const nowNs = (): string => String(process.hrtime.bigint());
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One slice, after which every probe that waits is answered. */
function slice(it: WasmInstance): void {
  const outcome = it.step(undefined, SLICE);
  if (outcome.kind !== "yielded") throw new TypeError(`the guest ${outcome.kind}`);
  if (asked > 0) probes.write(Buffer.alloc(asked));
  asked = 0;
}

async function live(): Promise<void> {
  while (guest !== undefined) {
    if (leaving) await leave(guest, peer as Socket);
    else slice(guest);
    await turn();
  }
}

/**
 * All rounds but the last, with slices in between also while the other end has not taken a round yet: what is on the way would
 * stand before the last round. Then the last one without.
 */
async function leave(it: WasmInstance, socket: Socket): Promise<void> {
  leaving = false;
  taken = 0;
  const source = new PreCopySource(it, tracking, { pieces });
  do {
    for (const piece of source.round()) {
      socket.write(piece, () => pieces.give(piece));
      do {
        slice(it);
        await turn();
      } while (socket.writableNeedDrain);
    }
    while (taken < source.rounds) {
      slice(it);
      await turn();
    }
  } while (!source.settled);
  const atNs = nowNs();
  guest = undefined;
  for (const piece of source.last()) socket.write(piece, () => pieces.give(piece));
  say({ did: "leave", atNs, rounds: source.rounds });
  it.dispose();
}

function receive(bytes: Buffer): void {
  if (guest !== undefined) {
    taken += bytes.length;
    return;
  }
  target ??= new PreCopyTarget(program, { memoryPages: 65_536 }, host);
  const { rounds } = target;
  target.push(bytes);
  if (!target.complete) {
    if (target.rounds > rounds) peer?.write(Buffer.alloc(target.rounds - rounds));
    return;
  }
  guest = target.finish();
  target = undefined;
  slice(guest);
  say({ did: "arrive", atNs: nowNs() });
  void live();
}

function join(socket: Socket): void {
  peer = socket.setNoDelay(true);
  socket.on("data", receive);
  socket.on("error", () => process.exit());
  say({ did: "connect" });
}

const orders: { readonly [K in Order["do"]]: (order: Extract<Order, { do: K }>) => void } = {
  listen() {
    const server = createServer(join);
    server.listen(0, "127.0.0.1", () => say({ did: "listen", port: (server.address() as AddressInfo).port }));
  },
  connect(order) {
    const socket = connect(order.port, "127.0.0.1", () => join(socket));
  },
  begin() {
    guest = program.instantiate({ memoryPages: 65_536 }, host);
    // Past the filling of memory.
    for (let left = (guest.memoryBytes / 8) * 40; left > 0; left -= SLICE) guest.step(undefined, SLICE);
    say({ did: "begin" });
    void live();
  },
  move() {
    leaving = true;
  },
};

probes.on("error", () => process.exit());
probes.on("data", (bytes: Buffer) => {
  if (guest !== undefined) asked += bytes.length;
});
process.on("message", (order: Order) => (orders[order.do] as (order: Order) => void)(order));
process.on("disconnect", () => process.exit());
say({ did: "ready" });
